"""Who is paged for an incident, and by which ladder it is escalated: the service's own, or else the runbook's."""

from incidents.domain.config.communication import Rung
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident


def on_call_of(incident: Incident, config: RunbookConfig) -> str:
    """Return the contact that is paged first."""
    return config.service(incident.service).on_call or config.people.on_call


def ladder_of(incident: Incident, config: RunbookConfig) -> tuple[Rung, ...]:
    """Return the rungs of the current severity's ladder. A service may have one of its own, also an empty one."""
    own = config.service(incident.service).escalation.get(incident.severity)
    return own if own is not None else config.policy(incident.severity).escalation

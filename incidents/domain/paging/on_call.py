"""Who is paged for an incident, and by which ladder it is escalated: its route's, its service's, or the runbook's."""

from incidents.domain.alerting.config import TriagePage
from incidents.domain.config.communication import Rung
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import ObligationKind


def on_call_of(incident: Incident, config: RunbookConfig) -> str:
    """Return the contact that is paged first: of an unknown service, who triages it."""
    triage = config.intake.unknown_service.contact
    if incident.alerting.unknown_service and triage:
        return triage
    route = config.intake.route(incident.alerting.route)
    routed = route.on_call if route is not None else ""
    return routed or config.service(incident.service).on_call or config.people.on_call


def ladder_of(incident: Incident, config: RunbookConfig) -> tuple[Rung, ...]:
    """Return the rungs of the current severity's ladder. A route or service may have its own, also an empty one."""
    route, service = config.intake.route(incident.alerting.route), config.service(incident.service)
    for own in (route.escalation if route is not None else {}, service.escalation):
        if incident.severity in own:
            return own[incident.severity]
    return config.policy(incident.severity).escalation


def is_escalated(incident: Incident, config: RunbookConfig) -> bool:
    """Tell whether the ladder is climbed without a responder: for an unknown service only if the runbook says so."""
    return not incident.alerting.unknown_service or config.intake.unknown_service.page is TriagePage.AS_SEVERITY


def is_lookup_running(incident: Incident) -> bool:
    """Tell whether a schedule is being asked who is on call."""
    return bool(incident.ledger.unsettled(ObligationKind.ON_CALL))

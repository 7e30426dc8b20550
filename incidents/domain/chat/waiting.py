"""What of an incident waits for a person."""

from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.display.glance import decision_command
from incidents.domain.incident.incident import Incident
from incidents.domain.updates.publishing import next_due, release_at


def waits_for(person: str, incident: Incident, runbook: RunbookConfig) -> list[str]:
    """Return what waits for that person, one line each: what is theirs by a role, or everyone's."""
    if incident.over:
        return []
    lines = [] if incident.paging.attended else ["Acknowledge it"]
    if not incident.roles.commander:
        lines.append("Take command: it has no commander")
    if person not in ("", incident.roles.commander, incident.roles.communications):
        return lines
    if incident.roles.commander == person:
        clusters = [s.offer.cluster for s in incident.rollback.clusters if decision_command(incident, s)]
        lines += [f"Decide on the rollback of {cluster}" for cluster in clusters]
        failed = (state for state in incident.steps if StepStatus(state.status) is StepStatus.FAILED)
        lines += [f"Failed step: {state.title}" for state in failed]
    writer = incident.roles.communications or incident.roles.commander
    due = next_due(incident, runbook)
    if writer == person and due is not None:
        when = runbook.calendar.in_brackets(release_at(incident, runbook, due))
        lines.append(f"Write status update {incident.updates.count + 1}, due {when}")
    return lines

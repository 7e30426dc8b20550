"""What responders see of an incident: the summary in its channel, the channel's topic, and the Web UI's details."""

from runbook.checklist import StepStatus
from runbook.incident import Incident, Status
from runbook.policy import Runbook
from runbook.rollback_states import RollbackState
from runbook.updates import next_due

_MARKS = {StepStatus.PENDING: "☐", StepStatus.DONE: "☑", StepStatus.SKIPPED: "–", StepStatus.FAILED: "✗"}


def headline(incident: Incident) -> str:
    """Say what it is in one line: `INC-42 · P0 · investigating · Error ratio is 0.31`."""
    return f"{incident.name} · {incident.severity} · {incident.status} · {incident.title}"


def topic_text(incident: Incident) -> str:
    """Return the channel's topic."""
    commander = f"commander {incident.commander}" if incident.commander else "no commander"
    bridge = f" · {incident.resources.bridge_url}" if incident.resources.bridge_url else ""
    return f"{incident.name} · {incident.severity} · {incident.status} · {commander}{bridge}"[:250]


def checklist_lines(incident: Incident) -> list[str]:
    """Return one line for each of the seven steps."""
    lines = []
    for number, state in enumerate(incident.steps, 1):
        detail = f" — {state.detail}" if state.detail else ""
        lines.append(f"{_MARKS[StepStatus(state.status)]} {number}. {state.title}{detail}")
    return lines


def people_line(incident: Incident) -> str:
    """Say who is on it."""
    commander = incident.commander or "nobody yet"
    if incident.acknowledged_at is None:
        return "Commander: nobody yet · not acknowledged"
    return (
        f"Commander: {commander} · acknowledged by {incident.acknowledged_by} at {incident.acknowledged_at:%H:%M} UTC"
    )


def rollback_text(incident: Incident, state: RollbackState) -> str:
    """Return the message in the channel that shows how a rollback goes: what, where it stands, the newest step."""
    offer = state.offer
    versions = f"{offer.suspect.version} → {offer.candidate.version}" if offer.suspect and offer.candidate else ""
    lines = [
        f"*{incident.name} · rollback of {offer.cluster}: {versions}* · {state.status}",
        f"Decided by {state.decided_by or 'nobody yet'} · attempt {state.attempt}",
    ]
    return "\n".join([*lines, state.detail or state.progress or "begins"])


def links(incident: Incident) -> list[str]:
    """Return what was opened for the incident, as `label: url`."""
    resources = incident.resources
    found = (
        ("War room", resources.bridge_url),
        ("Status page", resources.status_page_url),
        ("Ticket", resources.ticket_url),
        ("Evidence", resources.evidence_url),
    )
    return [f"{label}: {url}" for label, url in found if url]


def summary_text(incident: Incident, runbook: Runbook) -> str:
    """Return the message at the top of the incident's channel, which is kept current."""
    due, since = next_due(incident, runbook), runbook.calendar.in_brackets(incident.started_at)
    lines = [
        f"*{headline(incident)}*",
        f"Service: {incident.service} ({incident.environment}) · since {since}",
        people_line(incident),
        f"Impact: {impact(incident, runbook)}",
        *checklist_lines(incident),
    ]
    if due is not None:
        lines.append(f"Next status update: {runbook.calendar.in_brackets(due)}")
    if incident.needs_triage:
        lines.append(f"The alert had no known severity: confirm {incident.severity} or declare another.")
    if incident.status == Status.MONITORING:
        lines.append("Mitigated; watching it.")
    return "\n".join([*lines, *links(incident)])


def impact(incident: Incident, runbook: Runbook) -> str:
    """Return the impact in words that customers may read: as assessed, or else the severity's own."""
    if incident.assessment is not None:
        return incident.assessment.impact
    return runbook.policy(incident.severity).impact

"""The customer-facing message, and the words in which responders are told things."""

from datetime import datetime

from runbook.base import Frozen
from runbook.duration import in_words
from runbook.incident import Incident, Status, StatusUpdate
from runbook.policy import Runbook
from runbook.summary import impact


class Message(Frozen):
    """A subject and a body, ready to send."""

    subject: str
    body: str


_STATUS = {
    Status.INVESTIGATING: "INVESTIGATING",
    Status.MONITORING: "MONITORING",
    Status.RESOLVED: "RESOLVED",
    Status.CANCELLED: "RESOLVED",
}


def public_title(incident: Incident, runbook: Runbook) -> str:
    """Return the title that customers read: the assessor's, or the service's public name; never the alert's words."""
    if incident.assessment is not None and incident.assessment.title:
        return incident.assessment.title
    return f"{runbook.service(incident.service).public_name} disruption"


def customer_message(incident: Incident, update: StatusUpdate, runbook: Runbook) -> Message:
    """Fill the runbook's template for one update."""
    calendar = runbook.calendar
    coming = calendar.in_brackets(update.next_at) if update.next_at else _no_next(update)
    values = {
        "PRODUCT": runbook.product,
        "TEAM": runbook.team,
        "SEVERITY": update.severity.value,
        "BRIEF_TITLE": public_title(incident, runbook),
        "STATUS": _STATUS[Status(update.status)],
        "INCIDENT_ID": incident.name,
        "START_TIME_UTC": calendar.in_brackets(incident.started_at),
        "DESCRIPTION_OF_IMPACT": impact(incident, runbook),
        "WHAT_WE_KNOW_AND_WHAT_WE'RE_DOING": update.text,
        "EXPECTED_UPDATE_TIME": coming,
    }
    drill = "[DRILL] " if incident.drill else ""
    subject = drill + fill(runbook.templates.subject, values)
    return Message(subject=subject, body=fill(runbook.templates.body, values).rstrip() + "\n")


def customer_question(incident: Incident, runbook: Runbook) -> Message:
    """Ask a customer whether service is restored (runbook, rollback step 4)."""
    drill = "[DRILL] " if incident.drill else ""
    body = (
        f"About: {public_title(incident, runbook)}.\n\n"
        f"We have reverted a recent change, and our own checks are good again.\n\n"
        f"Is service restored for you? Please answer this message; we will record what you say for {incident.name}.\n\n"
        f"{runbook.team}\n"
    )
    return Message(subject=f"{drill}{runbook.product}: is service restored for you? ({incident.name})", body=body)


def fill(template: str, values: dict[str, str]) -> str:
    """Replace each `{NAME}` of the template in one pass, so that a value that holds a placeholder stays as it is."""
    parts = template.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, closed, rest = part.partition("}")
        filled.append(values[name] + rest if closed and name in values else "{" + part)
    return "".join(filled)


def _no_next(update: StatusUpdate) -> str:
    if update.status in (Status.RESOLVED, Status.CANCELLED):
        return "none; this incident is over"
    return "on resolution"


def page_text(incident: Incident) -> str:
    """Return the one line that a pager shows."""
    return f"{incident.severity} {incident.service} ({incident.environment}): {incident.title}"[:1000]


def escalation_text(incident: Incident, runbook: Runbook, at: datetime) -> Message:
    """Return what somebody reads to whom the incident is escalated, as it stands at that moment (BEHAVIOURS 42)."""
    acknowledged = (
        f"Acknowledged by {incident.acknowledged_by}." if incident.attended else "Nobody has acknowledged it yet."
    )
    commander = f"Commander: {incident.commander}." if incident.commander else "It has no commander."
    lines = [
        f"{incident.name} ({incident.severity}) has been open for {in_words(at - incident.started_at)}.",
        f"Service: {incident.service} ({incident.environment}). {incident.title}",
        f"Status: {incident.status}. {acknowledged} {commander}",
        f"Impact: {impact(incident, runbook)}",
    ]
    if incident.resources.channel_name:
        lines.append(f"Channel: #{incident.resources.channel_name}")
    if incident.resources.bridge_url:
        lines.append(f"War room: {incident.resources.bridge_url}")
    return Message(subject=f"{incident.severity} {incident.name}: {incident.title}"[:200], body="\n".join(lines) + "\n")

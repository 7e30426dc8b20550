"""The customer-facing message, and the words in which responders are told things."""

from datetime import datetime

from incidents.domain.activity_requests import ActivityRequest, SendMail
from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.public_texts import fill
from incidents.domain.core.duration import in_words
from incidents.domain.core.program_errors import Fault
from incidents.domain.core.public_text import InternalMessage, PublicMessage, PublicText
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import CommandFailed, Status, StatusUpdate
from incidents.domain.incident.summary import impact
from incidents.domain.obligation import Obligation

_STATUS = {
    Status.INVESTIGATING: "INVESTIGATING",
    Status.MONITORING: "MONITORING",
    Status.RESOLVED: "RESOLVED",
    Status.CANCELLED: "RESOLVED",
}


def public_title(incident: Incident, runbook: RunbookConfig) -> PublicText:
    """Return the title that customers read: the assessor's, or the service's public name; never the alert's words.

    A service that the runbook does not know has no name that customers know.
    """
    if incident.assessment is not None and incident.assessment.title:
        return PublicText.trusted(incident.assessment.title)  # looked through when it was said
    known = next((service.public_name for service in runbook.services if service.name == incident.service), None)
    return PublicText.filled(runbook.templates.texts.title, SERVICE=known or runbook.product)


def customer_message(incident: Incident, update: StatusUpdate, runbook: RunbookConfig) -> PublicMessage:
    """Fill the runbook's template for one update."""
    calendar = runbook.calendar
    coming = _next(update, runbook)
    values = {
        "PRODUCT": runbook.product,
        "TEAM": runbook.team,
        "SEVERITY": update.severity,
        "BRIEF_TITLE": public_title(incident, runbook),
        "STATUS": _STATUS[Status(update.status)],
        "INCIDENT_ID": incident.name,
        "START_TIME_UTC": calendar.in_brackets(incident.started_at),
        "DESCRIPTION_OF_IMPACT": impact(incident, runbook),
        "WHAT_WE_KNOW_AND_WHAT_WE'RE_DOING": update.text,
        "EXPECTED_UPDATE_TIME": coming,
    }
    drill = "[DRILL] " if incident.drill else ""
    return PublicMessage(
        subject=PublicText.trusted(drill + fill(runbook.templates.subject, values)),
        body=PublicText.trusted(fill(runbook.templates.body, values).rstrip() + "\n"),
    )


def bare_message(incident: Incident, runbook: RunbookConfig) -> PublicMessage:
    """Say the end of a private incident where it was public before: no title, no impact, nobody's words."""
    texts = runbook.templates.texts
    return PublicMessage(
        subject=PublicText.filled(texts.private_subject, INCIDENT_ID=incident.name),
        body=PublicText.filled(texts.private_body, INCIDENT_ID=incident.name),
    )


def customer_question(incident: Incident, runbook: RunbookConfig) -> PublicMessage:
    """Ask a customer whether service is restored (runbook, rollback step 4)."""
    texts, drill = runbook.templates.texts, "[DRILL] " if incident.drill else ""
    values = {
        "PRODUCT": runbook.product,
        "TEAM": runbook.team,
        "BRIEF_TITLE": public_title(incident, runbook),
        "INCIDENT_ID": incident.name,
    }
    return PublicMessage(
        subject=PublicText.trusted(drill + fill(texts.question_subject, values)),
        body=PublicText.filled(texts.question_body, **values),
    )


def _next(update: StatusUpdate, runbook: RunbookConfig) -> str:
    """Say when the next update comes; one that waits for office hours says so (BEHAVIOURS 41)."""
    cadence, texts = runbook.policy(update.severity).updates, runbook.templates.texts
    if update.next_at is None:
        over = update.status in (Status.RESOLVED, Status.CANCELLED)
        return texts.no_next_update if over else texts.on_resolution
    waits = cadence.office_hours_only and cadence.every is not None and update.next_at - update.at > cadence.every
    when = runbook.calendar.in_brackets(update.next_at)
    return fill(texts.office_hours, {"NEXT_UPDATE": when}) if waits else when


def page_text(incident: Incident) -> str:
    """Return the one line that a pager shows."""
    return f"{incident.severity} {incident.service} ({incident.environment}): {incident.title}"[:1000]


def escalation_text(incident: Incident, runbook: RunbookConfig, at: datetime) -> InternalMessage:
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
    return InternalMessage(
        subject=f"{incident.severity} {incident.name}: {incident.title}"[:200], body="\n".join(lines) + "\n"
    )


def broken_text(refusal: CommandFailed, incident: Incident) -> InternalMessage:
    """Return what the operators read when a vendor refuses our credentials (BEHAVIOURS 21)."""
    body = (
        f"{refusal.vendor} refuses the credentials of the incident runbook: {refusal.reason}\n\n"
        f"Noticed in {incident.name} at {refusal.at:%Y-%m-%d %H:%M} UTC. Until they are mended, what needs them"
        f" does not go out by {refusal.vendor}; all other channels go on.\n\nMend them and restart the worker."
        f" Then, for what failed: `incident step {incident.number} NAME --retry`"
        f" (`incident show {incident.number}` names it).\n"
    )
    return InternalMessage(subject=f"Operators: {refusal.vendor} refuses our credentials", body=body)


def fault_text(fault: Fault, incident: Incident) -> InternalMessage:
    """Return what the operators read when an error in this program keeps an obligation from being fulfilled."""
    number = incident.number if incident.number is not None else "NUMBER"
    body = (
        f"An error in the incident runbook itself: {fault.error}\n\n"
        f"What failed in {incident.name} at {fault.at:%Y-%m-%d %H:%M} UTC: {fault.where}. The incident's other"
        f" obligations go on, and nothing recorded is lost.\n\nDo by hand what failed, or fix the error, restart the"
        f" workers, and then: `incident step {number} NAME --retry` (`incident show {number}` names it). If the"
        f" incident stands still after the fix: `incident reset {number}`.\n"
    )
    return InternalMessage(subject=f"Operators: error in the incident runbook ({incident.name})", body=body)


def reminder_text(sequence: int, due: str, draft: PublicText, kept: PublicText, number: int | None) -> str:
    """Return what responders read before an update goes out: its text, and what they can do about it."""
    unfinished = f"\nA draft is kept that will not go out by itself:\n> {kept}" if kept and kept != draft else ""
    return (
        f"Update {sequence} goes out at {due} with this text:\n> {draft}{unfinished}\n"
        f'Other words: `incident update {number} --next "…"`.'
        f' Hold it back once: `incident hold {number} 10 --reason "…"`.'
    )


def internal_mail(
    obligation: Obligation, incident: Incident, to: tuple[str, ...], subject: str, body: str, category: str
) -> ActivityRequest:
    """Build a mail to responders or operators; it belongs to the incident's thread."""
    return SendMail(
        key=obligation.key,
        to=to,
        subject=subject,
        text=body,
        thread=incident.first_run_id,
        sequence=0,
        category=category,
    )

"""Message texts: status updates for customers, escalations and alerts for operators."""

from datetime import datetime

from incidents.cutting import cut
from incidents.domain.activity_requests import ActivityRequest, SendMail
from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.public_texts import fill
from incidents.domain.core.program_errors import Fault
from incidents.domain.core.severity import Severity
from incidents.domain.core.status import Status
from incidents.domain.core.text.escaping import mail_header
from incidents.domain.core.text.mrkdwn import Mrkdwn, mrkdwn
from incidents.domain.core.text.public_text import InternalMessage, PublicMessage, PublicText
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.incident.display.summary import impact
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.operators.state import CredentialRejection
from incidents.domain.recipients import staff
from incidents.domain.updates.mail_footer import EarlierUpdate, MailFooter
from incidents.domain.updates.state import StatusUpdate

_RECAPPED = 3
"""Earlier updates that a mail repeats, at most."""
_LONGEST_RECAP = 500
"""Characters of one of them."""


def public_title(incident: Incident, runbook: RunbookConfig) -> PublicText:
    """Return the public title: as assessed, or from the service's public name; never the alert's text.

    A service that is not in runbook.yaml is called by the product's name.
    """
    if incident.assessment is not None and incident.assessment.title:
        return PublicText.trusted(incident.assessment.title)  # screened when it was posted
    known = next((service.public_name for service in runbook.services if service.name == incident.service), None)
    return PublicText.filled(runbook.templates.texts.title, SERVICE=known or runbook.product)


def public_headline(incident: Incident, runbook: RunbookConfig) -> PublicText:
    """Return the public title, marked if it is a drill: the title on our own status site."""
    drill = "[DRILL] " if incident.drill else ""
    return PublicText.trusted(drill + public_title(incident, runbook))


def public_subject(incident: Incident, severity: Severity, runbook: RunbookConfig) -> PublicText:
    """Return the template's subject, filled in: of mails, and the title on the status page and of the ticket."""
    values = {
        "PRODUCT": runbook.product,
        "TEAM": runbook.team,
        "SEVERITY": severity,
        "BRIEF_TITLE": public_title(incident, runbook),
        "INCIDENT_ID": incident.name,
    }
    drill = "[DRILL] " if incident.drill else ""
    return PublicText.trusted(drill + fill(runbook.templates.subject, values))


def customer_message(incident: Incident, update: StatusUpdate, runbook: RunbookConfig) -> PublicMessage:
    """Fill the customer-facing template for one update."""
    calendar = runbook.calendar
    coming = _next(update, runbook)
    values = {
        "PRODUCT": runbook.product,
        "TEAM": runbook.team,
        "SEVERITY": update.severity,
        "BRIEF_TITLE": public_title(incident, runbook),
        "STATUS": update.status.public.upper(),
        "INCIDENT_ID": incident.name,
        "START_TIME_UTC": calendar.in_brackets(incident.started_at),
        "DESCRIPTION_OF_IMPACT": impact(incident, runbook),
        "WHAT_WE_KNOW_AND_WHAT_WE'RE_DOING": update.text,
        "EXPECTED_UPDATE_TIME": coming,
    }
    return PublicMessage(
        subject=public_subject(incident, update.severity, runbook),
        body=PublicText.trusted(fill(runbook.templates.body, values).rstrip() + "\n"),
    )


def mail_footer(incident: Incident, sequence: int, runbook: RunbookConfig) -> MailFooter:
    """Return what follows the text of a customers' mail: the link, and the last updates that held news.

    `sequence`: the update that the mail is, 0 for another mail.
    """
    texts, brackets = runbook.templates.texts, runbook.calendar.in_brackets
    earlier = [one for one in incident.updates.published if one.news and (not sequence or one.sequence < sequence)]
    recap = tuple(
        EarlierUpdate(when=brackets(update.at), words=cut(update.text, _LONGEST_RECAP))
        for update in reversed(earlier[-_RECAPPED:])
    )
    link = status_link(incident, runbook)
    return MailFooter(link_label=texts.mail_link, link=link, recap_label=texts.mail_recap, recap=recap)


def status_link(incident: Incident, runbook: RunbookConfig) -> str:
    """Return where customers read about the incident, else where they find the status page, else ""; none if private.

    A site without a public address is known by where it is stored, which no customer can open.
    """
    own = incident.resources.status_page_url or ""
    public = own if own.startswith(("https://", "http://")) else runbook.status_page.url
    return "" if incident.private else public


def bare_message(incident: Incident, runbook: RunbookConfig) -> PublicMessage:
    """Return the closing message of a private incident that was public before: no title, impact or text."""
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
    """Return the time of the next update, and whether it waits for office hours (behaviour 41)."""
    cadence, texts = runbook.policy(update.severity).updates, runbook.templates.texts
    if update.next_at is None:
        over = update.status in (Status.RESOLVED, Status.CANCELLED)
        return texts.no_next_update if over else texts.on_resolution
    waits = cadence.office_hours_only and cadence.every is not None and update.next_at - update.at > cadence.every
    when = runbook.calendar.in_brackets(update.next_at)
    return fill(texts.office_hours, {"NEXT_UPDATE": when}) if waits else when


def escalation_text(incident: Incident, runbook: RunbookConfig, at: datetime) -> InternalMessage:
    """Return the escalation message: the incident's state at that moment (behaviour 42)."""
    acknowledged = (
        f"Acknowledged by {incident.acknowledged_by}." if incident.paging.attended else "Not acknowledged yet."
    )
    commander = f"Commander: {incident.roles.commander}." if incident.roles.commander else "No commander."
    lines = [
        f"{incident.name} ({incident.severity}) has been open for {in_words(at - incident.started_at)}.",
        f"Service: {incident.service} ({incident.environment}). {incident.title}",
        f"Status: {incident.status}. {acknowledged} {commander}",
        f"Impact: {impact(incident, runbook)}",
    ]
    if incident.alerting.unknown_service:
        lines.append(f"Unknown service: {incident.alerting.unknown_service}")
    if incident.resources.channel_name:
        lines.append(f"Channel: #{incident.resources.channel_name}")
    if incident.resources.bridge_url:
        lines.append(f"War room: {incident.resources.bridge_url}")
    return InternalMessage(
        subject=mail_header(f"{incident.severity} {incident.name}: {incident.title}"), body="\n".join(lines) + "\n"
    )


def broken_text(rejection: CredentialRejection, incident: Incident) -> InternalMessage:
    """Return the operators' message when a vendor rejects our credentials (behaviour 21)."""
    name = rejection.display_name
    body = (
        f"{name} rejected our credentials ({rejection.reason}).\n\n"
        f"First seen in {incident.name} at {rejection.at:%Y-%m-%d %H:%M} UTC. Until fixed, nothing goes out through"
        f" {name}; all other channels keep working.\n\nFix the credentials and restart the worker. Then retry"
        f" what failed: `incident step {incident.number} NAME --retry`"
        f" (`incident show {incident.number}` lists it).\n"
    )
    return InternalMessage(subject=f"Operators: {name} rejected our credentials", body=body)


def fault_text(fault: Fault, incident: Incident) -> InternalMessage:
    """Return the operators' message when an error in this program blocks an obligation."""
    number = incident.number if incident.number is not None else "NUMBER"
    body = (
        f"Error in the incident program itself: {fault.error}\n\n"
        f"Failed in {incident.name} at {fault.at:%Y-%m-%d %H:%M} UTC ({fault.where}). The incident's other obligations"
        f" continue, and nothing recorded is lost.\n\nDo the failed step by hand. Or fix the error, restart the"
        f" workers, and retry with `incident step {number} NAME --retry` (`incident show {number}` lists it). If the"
        f" incident is still stuck after the fix: `incident reset {number}`.\n"
    )
    return InternalMessage(subject=f"Operators: error in the incident program ({incident.name})", body=body)


def reminder_text(sequence: int, due: str, draft: PublicText, kept: PublicText, number: int | None) -> Mrkdwn:
    """Return the reminder before an update is published: its text, and how to change or hold it."""
    unfinished = mrkdwn("\nUnpublished draft:\n> {}", kept) if kept and kept != draft else ""
    how = (
        f'To replace it: `incident update {number} --next "…"`.'
        f' To hold it once: `incident hold {number} 10 --reason "…"`.'
    )
    return mrkdwn(
        "Update {} will be published at {} with this text:\n> {}{}\n{}", sequence, due, draft, unfinished, how
    )


def titled(subject: str, body: str) -> Mrkdwn:
    """Return a chat message with its subject in bold."""
    return mrkdwn("*{}*\n{}", subject, body)


def internal_mail(
    obligation: Obligation, incident: Incident, to: tuple[str, ...], subject: str, body: str, category: str
) -> ActivityRequest:
    """Build a mail to responders or operators; it belongs to the incident's thread."""
    return SendMail(
        key=obligation.key,
        to=staff(to),
        subject=subject,
        text=body,
        thread=incident.first_run_id,
        sequence=0,
        category=category,
        status=incident.status,
    )

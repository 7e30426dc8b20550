"""Requests for the ticket of an incident, and those that ask responders for the next update."""

from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import LONGEST_TITLE, ActivityRequest
from incidents.domain.activity_results import ActivityResult, ResourcesChanged
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.chat.cards import reminder_card
from incidents.domain.chat.channel import channel_id
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.escaping import github_text
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.updates.messages import bare_message, public_subject, reminder_text
from incidents.domain.updates.publishing import next_due, release_at, scheduled_text


def ticket_request(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[ResourcesChanged] | ResourcesChanged:
    """Open the incident's ticket, or give it the title that the incident has now."""
    if obligation.sequence == 0:
        return ticket(obligation, incident, runbook, at)
    if incident.resources.ticket is None:
        return ResourcesChanged(skipped="the incident has no ticket")
    return activity_requests.RetitleTicket(
        key=obligation.key, ticket=incident.resources.ticket, title=ticket_title(incident, runbook)
    )


def ticket(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> activity_requests.OpenTicket:
    """Open the incident's ticket. Its title is the subject of the customers' template (behaviour 101)."""
    if incident.private:
        return _opening(obligation, incident, runbook, github_text(bare_message(incident, runbook).body))
    lines = [
        f"{incident.name} · {incident.severity} · {incident.service} ({incident.environment})",
        f"Started {runbook.calendar.in_brackets(incident.started_at)}.",
        incident.title,
    ]
    return _opening(obligation, incident, runbook, "\n\n".join(github_text(line) for line in lines))


def ticket_title(incident: Incident, runbook: RunbookConfig) -> str:
    """Return the ticket's title, opened or renamed; a private incident's tells no more than that there is one."""
    if incident.private:
        return one_line(bare_message(incident, runbook).subject, LONGEST_TITLE)
    return one_line(public_subject(incident, incident.severity, runbook), LONGEST_TITLE)


def _opening(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, body: str
) -> activity_requests.OpenTicket:
    return activity_requests.OpenTicket(
        key=obligation.key,
        title=ticket_title(incident, runbook),
        body=body,
        labels=runbook.tracker.labels,
        marker=f"<!-- incident-runbook {incident.first_run_id} -->",
    )


def remind(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Show the responders what goes out next, and when."""
    due = next_due(incident, runbook)
    if due is None:
        return ActivityResult(skipped="no update is due")
    release = release_at(incident, runbook, due)
    text, _ = scheduled_text(incident, runbook, release, None)
    when = runbook.calendar.in_brackets(release)
    said = reminder_text(obligation.sequence, when, text, incident.updates.draft, incident.number)
    return chat_requests.PostMessage(
        key=obligation.key,
        channel_id=channel_id(incident),
        text=said,
        mentions=_writers(incident),
        thread_ts=incident.resources.summary_ts,
        card=reminder_card(incident, said, obligation.sequence),
    )


def _writers(incident: Incident) -> tuple[str, ...]:
    """Return who writes the updates, to be mentioned."""
    writer = incident.roles.communications or incident.roles.commander
    return (writer,) if writer else ()


def nudge(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Ask for a written update."""
    who = incident.roles.communications or incident.roles.commander or "Everyone"
    text = (
        f'{who}: the last {incident.updates.no_news} updates said "no change". Please write the next one:'
        f' `incident update {incident.number} --next "…"`'
    )
    return chat_requests.PostMessage(
        key=obligation.key,
        channel_id=channel_id(incident),
        text=as_mrkdwn(text),
        mentions=_writers(incident),
        thread_ts=incident.resources.summary_ts,
    )

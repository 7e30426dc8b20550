"""Requests that publish updates, and that ask responders for them."""

from datetime import datetime
from typing import assert_never

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult
from incidents.domain.chat.channel import channel_id
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.public_text import PublicMessage
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Status, StatusUpdate
from incidents.domain.obligation import Obligation
from incidents.domain.updates.messages import bare_message, customer_message, public_title, reminder_text
from incidents.domain.updates.publishing import PUBLIC_PLACES, next_due, release_at, scheduled_text

_PAGE_STATUSES = {
    Status.INVESTIGATING: "investigating",
    Status.MONITORING: "monitoring",
    Status.RESOLVED: "resolved",
    Status.CANCELLED: "resolved",
}


def ticket(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> activity_requests.OpenTicket:
    """Open the incident's ticket."""
    lines = [
        f"{incident.severity} · {incident.service} ({incident.environment})",
        f"Started {runbook.calendar.in_brackets(incident.started_at)}.",
        incident.title,
    ]
    return activity_requests.OpenTicket(
        key=obligation.key,
        title=f"{incident.name}: {incident.title}"[:256],
        body="\n\n".join(lines),
        labels=runbook.tracker.labels,
        marker=f"<!-- incident-runbook {incident.first_run_id} -->",
    )


def delivery(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Publish an update on one channel; a public place is told no more of a private incident than that it ended."""
    update = incident.updates[obligation.sequence - 1]
    message = customer_message(incident, update, runbook)
    if incident.private and obligation.subject in PUBLIC_PLACES:
        message = bare_message(incident, runbook)
    match channel := Channel(obligation.subject):
        case Channel.SLACK:
            return _update_in_chat(obligation, incident, message)
        case Channel.STATUS_PAGE:
            return _status(obligation, incident, runbook, update, message)
        case Channel.EMAIL:
            return _mail(obligation, incident, runbook, message.subject, message.body)
        case Channel.ISSUE_TRACKER:
            return activity_requests.CommentTicket(
                key=obligation.key,
                ticket=incident.resources.ticket,
                body=message.body,
                close=incident.over,
                opening=ticket(obligation, incident, runbook, at),
            )
        case _:
            assert_never(channel)


def _update_in_chat(
    obligation: Obligation, incident: Incident, message: PublicMessage
) -> ActivityRequest | ActivityResult:
    if incident.resources.channel_id is None:
        return ActivityResult(skipped="the incident has no Slack channel")
    text = f"*{message.subject}*\n{message.body}"
    return activity_requests.PostMessage(key=obligation.key, channel_id=incident.resources.channel_id, text=text)


def _status(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, update: StatusUpdate, message: PublicMessage
) -> ActivityRequest:
    component = runbook.status_page.components.get(incident.service)
    return activity_requests.PublishStatus(
        key=obligation.key,
        page_id=incident.resources.status_page_id,
        marker=incident.first_run_id,
        sequence=update.sequence,
        title=message.subject if incident.private else public_title(incident, runbook),
        status=_PAGE_STATUSES[Status(update.status)],
        body=message.body,
        impact=runbook.statuspage_impact(update.severity),
        components={component: _component_state(update, runbook)} if component else {},
        at=update.at,
        product=runbook.product,
        notify=runbook.status_page.notify_subscribers,
    )


def _component_state(update: StatusUpdate, runbook: RunbookConfig) -> str:
    """Return Statuspage's word for the state of a component."""
    if update.status in (Status.RESOLVED, Status.CANCELLED):
        return "operational"
    return runbook.component_state(update.severity)


def _mail(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, subject: str, body: str
) -> ActivityRequest | ActivityResult:
    inside = tuple(e for name in runbook.people.stakeholders if (e := runbook.contacts[name].email))
    customers = (*runbook.customers.emails, *(incident.assessment.customers if incident.assessment else ()))
    customers = () if incident.private else customers
    unique = {address.casefold(): address for address in (*inside, *customers) if "@" in address}
    to = tuple(unique.values())
    if not to:
        return ActivityResult(skipped="the runbook names nobody to mail")
    return activity_requests.SendMail(
        key=obligation.key,
        to=to,
        subject=subject,
        text=body,
        thread=incident.first_run_id,
        sequence=obligation.sequence,
    )


def remind(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Show the responders what goes out next, and when."""
    due = next_due(incident, runbook)
    if due is None:
        return ActivityResult(skipped="no update is due any more")
    text, _ = scheduled_text(incident, runbook, None)
    when = runbook.calendar.in_brackets(release_at(incident, runbook, due))
    said = reminder_text(obligation.sequence, when, text, incident.draft, incident.number)
    return activity_requests.PostMessage(key=obligation.key, channel_id=channel_id(incident), text=said)


def nudge(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Ask for words of a person's own."""
    who = incident.communications or incident.commander or "Everybody"
    text = f'{who}: the last {incident.no_news} updates said "no change". Customers deserve words of your own.'
    return activity_requests.PostMessage(key=obligation.key, channel_id=channel_id(incident), text=text)

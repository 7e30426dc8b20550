"""One update on one channel: the request that publishes it, and what the incident remembers of its audience."""

from datetime import datetime
from typing import Any, assert_never

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult, ResourcesChanged
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.chat.cards import update_card
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.public_texts import fill_json
from incidents.domain.core.status import Status
from incidents.domain.core.text.escaping import github_text
from incidents.domain.core.text.public_text import PublicMessage, PublicText
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.status_site.published import NO_IMPACT
from incidents.domain.updates.audience import (
    affected_components,
    affected_regions,
    affected_services,
    mail_recipients,
    record_mailed,
)
from incidents.domain.updates.build_request import ticket
from incidents.domain.updates.messages import bare_message, customer_message, mail_footer, public_headline, titled
from incidents.domain.updates.state import StatusUpdate


def delivery(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Publish an update on one channel. Of a private incident, public channels get only its end."""
    update = incident.updates.numbered(obligation.sequence)
    channel = Channel(obligation.subject)
    if incident.private and channel.public:
        message = bare_message(incident, runbook)
    else:
        message = customer_message(incident, update, runbook)
    match channel:
        case Channel.SLACK:
            return _update_in_chat(obligation, incident, message)
        case Channel.STATUS_PAGE:
            return _status(obligation, incident, runbook, update, message)
        case Channel.EMAIL:
            return _mail(obligation, incident, runbook, update, message)
        case Channel.ISSUE_TRACKER:
            return activity_requests.CommentTicket(
                key=obligation.key,
                ticket=incident.resources.ticket,
                body=github_text(message.body),
                close=incident.over,
                opening=ticket(obligation, incident, runbook, at),
            )
        case Channel.WEBHOOK:
            return _by_webhook(obligation, incident, runbook, message)
        case _:
            assert_never(channel)


def record_audience(incident: Incident, obligation: Obligation, runbook: RunbookConfig) -> Incident:
    """Remember whom an update is mailed to, and the components that it shows: the last update reaches them, too."""
    updates = incident.updates
    match channel := Channel(obligation.subject):
        case Channel.EMAIL:
            return record_mailed(incident, runbook)
        case Channel.STATUS_PAGE:
            shown = tuple(dict.fromkeys((*updates.components, *affected_components(incident, runbook))))
            return incident.replace(updates=updates.replace(components=shown))
        case Channel.SLACK | Channel.ISSUE_TRACKER | Channel.WEBHOOK:
            return incident
        case _:
            assert_never(channel)


def _update_in_chat(
    obligation: Obligation, incident: Incident, message: PublicMessage
) -> ActivityRequest | ActivityResult:
    if incident.resources.channel_id is None:
        return ActivityResult(skipped="the incident has no channel")
    return chat_requests.PostMessage(
        key=obligation.key,
        channel_id=incident.resources.channel_id,
        text=titled(message.subject, message.body),
        card=update_card(incident, message),
    )


def _status(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, update: StatusUpdate, message: PublicMessage
) -> ActivityRequest[ResourcesChanged]:
    affected = affected_components(incident, runbook)
    shown = dict.fromkeys((*incident.updates.components, *affected), "operational")
    state = _component_state(update, runbook)
    return activity_requests.PublishStatus(
        key=obligation.key,
        page_id=incident.resources.status_page_id,
        marker=incident.first_run_id,
        sequence=update.sequence,
        title=message.subject,
        status=update.status.public,
        body=message.body,
        impact=NO_IMPACT if incident.private else runbook.status_page_impact(update.severity),
        components=shown | dict.fromkeys(affected, state),
        at=update.at,
        product=runbook.product,
        notify=runbook.status_page.notify_subscribers,
        **_site_fields(incident, runbook, update, message),
    )


def redaction(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[ResourcesChanged]:
    """Remove a private incident from the status page, with all that was said of it there."""
    message = bare_message(incident, runbook)
    return activity_requests.PublishStatus(
        key=obligation.key,
        page_id=incident.resources.status_page_id,
        marker=incident.first_run_id,
        sequence=obligation.sequence,
        title=message.subject,
        status=incident.status.public,
        body=message.body,
        impact=NO_IMPACT,
        at=at,
        product=runbook.product,
        notify=False,
        headline=message.subject,
        words=PublicText(),
        withdrawn=True,
    )


def _site_fields(
    incident: Incident, runbook: RunbookConfig, update: StatusUpdate, message: PublicMessage
) -> dict[str, Any]:
    """Return what our own site shows in place of the mail's subject and body; of a private incident only its end."""
    if incident.private:
        words = message.body if incident.over else PublicText()
        return {"headline": message.subject, "words": words, "withdrawn": True}
    state, regions = _component_state(update, runbook), affected_regions(incident, runbook)
    services = affected_services(incident, runbook)
    return {
        "headline": public_headline(incident, runbook),
        "words": update.text,
        "affected": {each.public_name: state for each in runbook.services if each.name in services},
        "regions": tuple(each.public_name or each.name for each in runbook.regions if each.name in regions),
    }


def _component_state(update: StatusUpdate, runbook: RunbookConfig) -> str:
    """Return the status page's word for the state of a component."""
    if update.status.public is Status.RESOLVED:
        return "operational"
    return runbook.component_state(update.severity)


def _mail(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, update: StatusUpdate, message: PublicMessage
) -> ActivityRequest | ActivityResult:
    to = mail_recipients(incident, runbook)
    if not to:
        return ActivityResult(skipped="runbook.yaml names no recipients")
    return activity_requests.SendMail(
        key=obligation.key,
        to=to,
        subject=message.subject,
        text=message.body,
        thread=incident.first_run_id,
        sequence=obligation.sequence,
        preheader=update.text,
        below=mail_footer(incident, update.sequence, runbook),
        status=update.status,
    )


def _by_webhook(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, message: PublicMessage
) -> ActivityRequest:
    values = {
        "SUBJECT": message.subject,
        "BODY": message.body.rstrip(),
        "UPDATE": str(obligation.sequence),
        "INCIDENT_ID": incident.name,
    }
    return activity_requests.PostWebhook(key=obligation.key, payload=fill_json(runbook.webhook.payload, values))

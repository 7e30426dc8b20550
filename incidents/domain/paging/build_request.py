"""Requests that page, escalate, and remind of an unassigned incident commander."""

from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult, ChannelRead, OnCallFound
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.chat.cards import commander_card
from incidents.domain.chat.channel import channel_id
from incidents.domain.config.communication import Reach
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.mrkdwn import mrkdwn
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.paging.keys import dedup_key, own_key
from incidents.domain.paging.ladder import address
from incidents.domain.paging.on_call import on_call_of
from incidents.domain.paging.page_content import page_details, page_links, page_summary
from incidents.domain.updates.messages import escalation_text, internal_mail, titled


def page(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Page on-call with the current facts. Repeating it updates the open page and pages no one again."""
    to = on_call_of(incident, runbook)
    return activity_requests.SendPage(
        key=obligation.key,
        dedup_key=dedup_key(incident, incident.paging.repage_count),
        summary=page_summary(incident),
        source=incident.service,
        severity=runbook.pager_severity(incident.severity),
        details=page_details(incident, runbook, to),
        to=to,
        links=page_links(incident, runbook),
    )


def acknowledge_page(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest:
    """Stop the page of the last calling."""
    to = _paged_contact(incident, incident.paging.repage_count, runbook)
    key = dedup_key(incident, incident.paging.repage_count)
    return activity_requests.SettlePage(key=obligation.key, dedup_key=key, action="acknowledge", to=to)


def _paged_contact(incident: Incident, calling: int, runbook: RunbookConfig) -> str:
    """Return who was paged then; a service that was named since may have another on-call."""
    calls = (call.contact for call in incident.paging.calls if call.calling == calling)
    return next(calls, "") or on_call_of(incident, runbook)


def resolve_page(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """End a page: the on-call's, or the one of an escalation."""
    if obligation.page:
        key, to = own_key(incident, obligation.page), obligation.subject
    else:
        key, to = dedup_key(incident, obligation.sequence), ""
    to = to or _paged_contact(incident, obligation.sequence, runbook)
    return activity_requests.SettlePage(key=obligation.key, dedup_key=key, action="resolve", to=to)


def find_on_call(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[OnCallFound]:
    """Ask who a contact is now, by its schedule."""
    return activity_requests.FindOnCall(key=obligation.key, schedule=runbook.contacts[obligation.subject].schedule)


def check_activity(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[ChannelRead] | ChannelRead:
    """Check the channel for messages from responders."""
    if incident.resources.channel_id is None:
        return ChannelRead()
    return chat_requests.HearChannel(
        key=obligation.key,
        channel_id=incident.resources.channel_id,
        since=obligation.since,
        thread_ts=incident.resources.summary_ts,
    )


def escalate(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Escalate to a contact by one method, with the current facts."""
    message, contact = escalation_text(incident, runbook, at), runbook.contacts[obligation.subject]
    if obligation.by is Reach.PAGE:
        return activity_requests.SendPage(
            key=obligation.key,
            dedup_key=own_key(incident, obligation.key),
            summary=one_line(f"Escalated to {contact.name}: {page_summary(incident)}", 1000),
            source=incident.service,
            severity=runbook.pager_severity(incident.severity),
            details=page_details(incident, runbook, obligation.subject) | {"state": message.body},
            to=obligation.subject,
            links=page_links(incident, runbook),
        )
    email = address(obligation.subject, incident, runbook)
    if not email:
        return ActivityResult(skipped=f"the runbook has no e-mail address of {contact.name}")
    if obligation.by is Reach.SLACK:
        return chat_requests.DirectMessage(key=obligation.key, email=email, text=titled(message.subject, message.body))
    return internal_mail(obligation, incident, (email,), message.subject, message.body, "escalation")


def remind_commander(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest:
    """Remind the channel: no incident commander."""
    take = f"`incident role {incident.number} commander NAME`"
    text = mrkdwn("<!here> This {} has no incident commander. To take command: {}", incident.severity, take)
    return chat_requests.PostMessage(
        key=obligation.key, channel_id=channel_id(incident), text=text, card=commander_card(incident, text)
    )

"""Requests to the chat: the incident's channel, the digest, the war room."""

from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult, MessagePosted, ResourcesChanged
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.chat.cards import decision_card, summary_card
from incidents.domain.chat.channel import channel_id, static_war_room
from incidents.domain.chat.promised import promised
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.mrkdwn import mrkdwn, mrkdwn_lines
from incidents.domain.core.timeline import Kind
from incidents.domain.evidence.audit import timeline_head
from incidents.domain.incident.display.summary import bookmarks, digest_text, rollback_text, summary_text, topic_text
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.paging.ladder import address
from incidents.domain.paging.on_call import on_call_of
from incidents.domain.updates.messages import customer_message, titled


def open_channel(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[ResourcesChanged]:
    """Open the channel; an incident that became private gets one of its own."""
    moved = incident.chat.channel_count > 1
    return chat_requests.OpenChannel(
        key=obligation.key,
        name=f"{runbook.chat.channel_prefix}-{incident.number}" + ("-private" if moved else ""),
        marker=f"[{incident.first_run_id}]"
        if not moved
        else f"[{incident.first_run_id}/{incident.chat.channel_count}]",
        private=runbook.chat.private or incident.private,
    )


def topic(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[ResourcesChanged]:
    """Set the topic."""
    return chat_requests.SetTopic(key=obligation.key, channel_id=channel_id(incident), topic=topic_text(incident))


def invite(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Invite on-call and the responders, as their schedules say now."""
    names = (on_call_of(incident, runbook), *runbook.people.responders)
    emails = tuple(dict.fromkeys(email for name in names if (email := address(name, incident, runbook))))
    if not emails:
        return ActivityResult(skipped="the runbook names no responder with an e-mail address")
    return chat_requests.Invite(key=obligation.key, channel_id=channel_id(incident), emails=emails)


def summary(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[ResourcesChanged]:
    """Keep the pinned summary current, with buttons for what is done most in a hurry."""
    coming = promised(incident, runbook)
    return chat_requests.KeepSummary(
        key=obligation.key,
        channel_id=channel_id(incident),
        ts=incident.resources.summary_ts,
        text=summary_text(incident, runbook, coming),
        card=summary_card(incident, runbook, coming),
    )


def bookmark(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Put a link above the channel."""
    url = dict(bookmarks(incident))[obligation.subject]
    return chat_requests.AddBookmark(
        key=obligation.key, channel_id=channel_id(incident), label=obligation.subject, url=url
    )


def digest(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[ResourcesChanged]:
    """Keep the incident's line in the channel of all incidents current."""
    return chat_requests.KeepSummary(
        key=obligation.key,
        channel_id=runbook.chat.digest_channel,
        ts=incident.resources.digest_ts,
        text=digest_text(incident),
        pin=False,
    )


def digest_update(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Show an update in the thread below the incident's line in the digest."""
    message = customer_message(incident, incident.updates.numbered(obligation.sequence), runbook)
    return chat_requests.PostMessage(
        key=obligation.key,
        channel_id=runbook.chat.digest_channel,
        text=titled(message.subject, message.body),
        thread_ts=incident.resources.digest_ts,
    )


def notice(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[MessagePosted]:
    """Post a timeline entry below the summary; a requested decision is a message of its own, with buttons.

    The one that ends the incident also has the timeline's head: what people have read cannot be changed afterwards.
    """
    entry = incident.entry(obligation.sequence)
    card = decision_card(incident, entry)
    lines: list[object] = [entry.text]
    if entry.kind in (Kind.RESOLVED, Kind.CANCELLED):
        lines.append(mrkdwn("Timeline head {}", timeline_head(incident, entry.sequence)))
    asked = tuple(name for name in (incident.roles.commander,) if card and name not in ("", entry.actor))
    return chat_requests.PostMessage(
        key=obligation.key,
        channel_id=channel_id(incident),
        text=mrkdwn_lines(lines),
        mentions=tuple(dict.fromkeys((*entry.mentions, *asked))),
        thread_ts=None if card else incident.resources.summary_ts,
        card=card,
    )


def show_rollback(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[ResourcesChanged] | ResourcesChanged:
    """Keep the message current that shows how a rollback goes."""
    state = incident.rollback.of(obligation.subject)
    if state is None:
        return ResourcesChanged(skipped="this rollback no longer exists")
    ts = state.note.ts if state.note else None
    text = rollback_text(incident, state)
    return chat_requests.KeepSummary(
        key=obligation.key,
        channel_id=channel_id(incident),
        ts=ts,
        text=text,
        pin=False,
        thread_ts=incident.resources.summary_ts,
    )


def archive(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Archive a channel."""
    return chat_requests.ArchiveChannel(key=obligation.key, channel_id=obligation.subject)


def bridge(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[ResourcesChanged]:
    """Open the war room."""
    topic = f"{incident.name} war room [{incident.first_run_id}]"
    return activity_requests.OpenBridge(key=obligation.key, topic=topic, static_url=static_war_room(incident, runbook))

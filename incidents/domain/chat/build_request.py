"""Requests to Slack: the incident's channel, the digest, the war room."""

import json
from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult, Button
from incidents.domain.chat.channel import channel_id
from incidents.domain.chat.promised import promised
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.commands import Acknowledge, Escalate
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.summary import bookmarks, digest_text, rollback_text, summary_text, topic_text
from incidents.domain.obligation import Obligation
from incidents.domain.paging.ladder import address
from incidents.domain.paging.on_call import on_call_of
from incidents.domain.updates.messages import customer_message


def open_channel(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Open the channel; an incident that became private gets one of its own."""
    moved = incident.channels > 1
    return activity_requests.OpenChannel(
        key=obligation.key,
        name=f"{runbook.chat.channel_prefix}-{incident.number}" + ("-private" if moved else ""),
        marker=f"[{incident.first_run_id}]" if not moved else f"[{incident.first_run_id}/{incident.channels}]",
        private=runbook.chat.private or incident.private,
    )


def topic(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Set the topic."""
    return activity_requests.SetTopic(key=obligation.key, channel_id=channel_id(incident), topic=topic_text(incident))


def invite(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Invite whoever is on call and the responders: whoever they are now by their schedules."""
    names = (on_call_of(incident, runbook), *runbook.people.responders)
    emails = tuple(dict.fromkeys(email for name in names if (email := address(name, incident, runbook))))
    if not emails:
        return ActivityResult(skipped="the runbook names no responder with an e-mail address")
    return activity_requests.Invite(key=obligation.key, channel_id=channel_id(incident), emails=emails)


def summary(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Keep the pinned summary current, with buttons for what is done most in a hurry."""
    text = summary_text(incident, runbook, promised(incident, runbook))
    value = json.dumps({"incident": incident.workflow_id, "revision": incident.revision})
    offered = () if incident.attended else (Button(label="Acknowledge", action=Acknowledge.name, value=value),)
    called = Button(label="Escalate", action=Escalate.name, value=value, danger=True)
    buttons = () if incident.over else (*offered, called)
    ts = incident.resources.summary_ts
    return activity_requests.KeepSummary(
        key=obligation.key, channel_id=channel_id(incident), ts=ts, text=text, buttons=buttons
    )


def bookmark(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Put a link above the channel."""
    url = dict(bookmarks(incident))[obligation.subject]
    return activity_requests.AddBookmark(
        key=obligation.key, channel_id=channel_id(incident), label=obligation.subject, url=url
    )


def digest(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Keep the incident's line in the channel of all incidents current."""
    return activity_requests.KeepSummary(
        key=obligation.key,
        channel_id=runbook.chat.digest_channel,
        ts=incident.resources.digest_ts,
        text=digest_text(incident),
        pin=False,
    )


def digest_update(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Show an update in the thread below the incident's line in the digest."""
    message = customer_message(incident, incident.updates[obligation.sequence - 1], runbook)
    return activity_requests.PostMessage(
        key=obligation.key,
        channel_id=runbook.chat.digest_channel,
        text=f"*{message.subject}*\n{message.body}",
        thread_ts=incident.resources.digest_ts,
    )


def notice(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Say a line of the timeline in the channel."""
    entry = incident.timeline[obligation.sequence - 1]
    return activity_requests.PostMessage(key=obligation.key, channel_id=channel_id(incident), text=entry.text)


def show_rollback(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Keep the message current that shows how a rollback goes."""
    state = incident.rollback(obligation.subject)
    if state is None:
        return ActivityResult(skipped="there is no such rollback any more")
    ts = state.note.ts if state.note else None
    text = rollback_text(incident, state)
    return activity_requests.KeepSummary(
        key=obligation.key, channel_id=channel_id(incident), ts=ts, text=text, pin=False
    )


def archive(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Archive a channel."""
    return activity_requests.ArchiveChannel(key=obligation.key, channel_id=obligation.subject)


def bridge(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Open the war room."""
    topic = f"{incident.name} war room [{incident.first_run_id}]"
    return activity_requests.OpenBridge(key=obligation.key, topic=topic, static_url=runbook.war_room.static_url)

"""Requests to Slack: the incident's channel, the digest, and what responders are reminded of."""

import json
from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult, Button
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.commands import Acknowledge, Escalate
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.summary import (
    bookmarks,
    digest_text,
    rollback_text,
    summary_text,
    topic_text,
)
from incidents.domain.obligation import Obligation
from incidents.domain.paging.ladder import address
from incidents.domain.updates.deadlines import deadlines
from incidents.domain.updates.messages import customer_message, reminder_text
from incidents.domain.updates.publishing import next_due, release_at, scheduled_text


def channel(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
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
    return activity_requests.SetTopic(key=obligation.key, channel_id=_room(incident), topic=topic_text(incident))


def invite(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Invite whoever is on call and the responders: whoever they are now by their schedules."""
    names = (runbook.people.on_call, *runbook.people.responders)
    emails = tuple(dict.fromkeys(email for name in names if (email := address(name, incident, runbook))))
    if not emails:
        return ActivityResult(skipped="the runbook names no responder with an e-mail address")
    return activity_requests.Invite(key=obligation.key, channel_id=_room(incident), emails=emails)


def summary(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Keep the pinned summary current, with buttons for what is done most in a hurry."""
    text = summary_text(incident, runbook, deadlines(incident, runbook))
    value = json.dumps({"incident": incident.workflow_id, "revision": incident.revision})
    offered = () if incident.attended else (Button(label="Acknowledge", action=Acknowledge.name, value=value),)
    called = Button(label="Escalate", action=Escalate.name, value=value, danger=True)
    buttons = () if incident.over else (*offered, called)
    ts = incident.resources.summary_ts
    return activity_requests.KeepSummary(
        key=obligation.key, channel_id=_room(incident), ts=ts, text=text, buttons=buttons
    )


def bookmark(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Put a link above the channel."""
    url = dict(bookmarks(incident))[obligation.subject]
    return activity_requests.AddBookmark(
        key=obligation.key, channel_id=_room(incident), label=obligation.subject, url=url
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
    return activity_requests.PostMessage(key=obligation.key, channel_id=_room(incident), text=entry.text)


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
    return activity_requests.PostMessage(key=obligation.key, channel_id=_room(incident), text=said)


def nudge(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Ask for words of a person's own."""
    who = incident.communications or incident.commander or "Everybody"
    text = f'{who}: the last {incident.no_news} updates said "no change". Customers deserve words of your own.'
    return activity_requests.PostMessage(key=obligation.key, channel_id=_room(incident), text=text)


def remind_commander(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest:
    """Say that nobody leads."""
    take = f"`incident role {incident.number} commander NAME`"
    text = f"<!here> This {incident.severity} has no commander. Whoever leads it now: {take}"
    return activity_requests.PostMessage(key=obligation.key, channel_id=_room(incident), text=text)


def show_rollback(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Keep the message current that shows how a rollback goes."""
    state = incident.rollback(obligation.subject)
    if state is None:
        return ActivityResult(skipped="there is no such rollback any more")
    ts = state.note.ts if state.note else None
    text = rollback_text(incident, state)
    return activity_requests.KeepSummary(key=obligation.key, channel_id=_room(incident), ts=ts, text=text, pin=False)


def archive(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Archive a channel."""
    return activity_requests.ArchiveChannel(key=obligation.key, channel_id=obligation.subject)


def _room(incident: Incident) -> str:
    """Return the channel's id. The agenda asks for nothing in the channel before there is one."""
    if incident.resources.channel_id is None:
        raise ValueError("an obligation in the channel was due before there was a channel")
    return incident.resources.channel_id

"""Requests to Slack: the incident's channel, the digest, and what responders are reminded of."""

import json
from datetime import datetime

from incidents.domain import activity_requests as effects
from incidents.domain.activity_requests import Button, Effect, Outcome
from incidents.domain.config.model import Runbook
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
from incidents.domain.updates.deadlines import promises
from incidents.domain.updates.messages import customer_message, reminder_text
from incidents.domain.updates.publishing import next_due, release_at, scheduled_text


def channel(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Open the channel; an incident that became private gets one of its own."""
    moved = incident.channels > 1
    return effects.OpenChannel(
        key=duty.key,
        name=f"{runbook.chat.channel_prefix}-{incident.number}" + ("-private" if moved else ""),
        marker=f"[{incident.run_key}]" if not moved else f"[{incident.run_key}/{incident.channels}]",
        private=runbook.chat.private or incident.private,
    )


def topic(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Set the topic."""
    return effects.SetTopic(key=duty.key, channel_id=_room(incident), topic=topic_text(incident))


def invite(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    """Invite whoever is on call and the responders: whoever they are now by their schedules."""
    names = (runbook.people.on_call, *runbook.people.responders)
    emails = tuple(dict.fromkeys(email for name in names if (email := address(name, incident, runbook))))
    if not emails:
        return Outcome(skipped="the runbook names no responder with an e-mail address")
    return effects.Invite(key=duty.key, channel_id=_room(incident), emails=emails)


def summary(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Keep the pinned summary current, with buttons for what is done most in a hurry."""
    text = summary_text(incident, runbook, promises(incident, runbook))
    value = json.dumps({"incident": incident.workflow_id, "revision": incident.revision})
    offered = () if incident.attended else (Button(label="Acknowledge", action=Acknowledge.name, value=value),)
    called = Button(label="Escalate", action=Escalate.name, value=value, danger=True)
    buttons = () if incident.over else (*offered, called)
    ts = incident.resources.summary_ts
    return effects.KeepSummary(key=duty.key, channel_id=_room(incident), ts=ts, text=text, buttons=buttons)


def bookmark(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Put a link above the channel."""
    url = dict(bookmarks(incident))[duty.subject]
    return effects.AddBookmark(key=duty.key, channel_id=_room(incident), label=duty.subject, url=url)


def digest(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Keep the incident's line in the channel of all incidents current."""
    return effects.KeepSummary(
        key=duty.key,
        channel_id=runbook.chat.digest_channel,
        ts=incident.resources.digest_ts,
        text=digest_text(incident),
        pin=False,
    )


def digest_update(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Show an update in the thread below the incident's line in the digest."""
    message = customer_message(incident, incident.updates[duty.sequence - 1], runbook)
    return effects.PostMessage(
        key=duty.key,
        channel_id=runbook.chat.digest_channel,
        text=f"*{message.subject}*\n{message.body}",
        thread_ts=incident.resources.digest_ts,
    )


def notice(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Say a line of the timeline in the channel."""
    entry = incident.timeline[duty.sequence - 1]
    return effects.PostMessage(key=duty.key, channel_id=_room(incident), text=entry.text)


def remind(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    """Show the responders what goes out next, and when."""
    due = next_due(incident, runbook)
    if due is None:
        return Outcome(skipped="no update is due any more")
    text, _ = scheduled_text(incident, runbook, None)
    when = runbook.calendar.in_brackets(release_at(incident, runbook, due))
    said = reminder_text(duty.sequence, when, text, incident.draft, incident.number)
    return effects.PostMessage(key=duty.key, channel_id=_room(incident), text=said)


def nudge(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Ask for words of a person's own."""
    who = incident.communications or incident.commander or "Everybody"
    text = f'{who}: the last {incident.no_news} updates said "no change". Customers deserve words of your own.'
    return effects.PostMessage(key=duty.key, channel_id=_room(incident), text=text)


def remind_commander(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Say that nobody leads."""
    take = f"`incident role {incident.number} commander NAME`"
    text = f"<!here> This {incident.severity} has no commander. Whoever leads it now: {take}"
    return effects.PostMessage(key=duty.key, channel_id=_room(incident), text=text)


def show_rollback(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect | Outcome:
    """Keep the message current that shows how a rollback goes."""
    state = incident.rollback(duty.subject)
    if state is None:
        return Outcome(skipped="there is no such rollback any more")
    ts = state.note.ts if state.note else None
    text = rollback_text(incident, state)
    return effects.KeepSummary(key=duty.key, channel_id=_room(incident), ts=ts, text=text, pin=False)


def archive(duty: Obligation, incident: Incident, runbook: Runbook, at: datetime) -> Effect:
    """Archive a channel."""
    return effects.ArchiveChannel(key=duty.key, channel_id=duty.subject)


def _room(incident: Incident) -> str:
    """Return the channel's id. The agenda asks for nothing in the channel before there is one."""
    if incident.resources.channel_id is None:
        raise ValueError("a duty in the channel was due before there was a channel")
    return incident.resources.channel_id

"""Status updates: when they are due, their text, and their channels (runbook, "Status Update Cadence")."""

from datetime import datetime, timedelta

from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.time.duration import in_words
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import (
    PublicFact,
    Status,
    StatusUpdate,
    UpdateKind,
)

_RECORDED_DELAY = timedelta(minutes=1)
"""Delay of an update from which the timeline records it."""


def next_due(incident: Incident, runbook: RunbookConfig) -> datetime | None:
    """Return when the next update is due, or None if there is none.

    Due times are multiples of the cadence after the anchor (the first update, the last manual one, or the raise to
    this severity), so that a late update does not shift later ones (behaviour 37).
    """
    every = runbook.policy(incident.severity).updates.every
    if incident.over or every is None or incident.update_anchor is None:
        return None
    last = max(incident.update_anchor, incident.updates[-1].at) if incident.updates else incident.update_anchor
    return _coming(incident.update_anchor, last, incident, runbook)


def _coming(anchor: datetime, after: datetime, incident: Incident, runbook: RunbookConfig) -> datetime:
    """Return the first due time after `after`, moved to the next opening if it is outside office hours."""
    cadence = runbook.policy(incident.severity).updates
    every = cadence.every or timedelta(days=1)
    due = anchor + every * ((after - anchor) // every + 1)
    return runbook.calendar.next_open(due) if cadence.office_hours_only else due


def release_at(incident: Incident, runbook: RunbookConfig, due: datetime) -> datetime:
    """Return when the update due at `due` is published.

    A responder may hold it once (behaviour 38); a draft since the last update holds it for `draft_grace`.
    """
    hold = incident.hold
    if hold is not None and hold.sequence == len(incident.updates) + 1:
        return max(due, hold.until)
    last = incident.updates[-1].at if incident.updates else incident.opened_at
    held = incident.draft_at is not None and incident.draft_at > last and not incident.next_words
    return due + runbook.updates.draft_grace if held else due


def used_channels(incident: Incident) -> tuple[Channel, ...]:
    """Return every channel that ever carried an update of this incident, in order of first use."""
    return tuple(dict.fromkeys(channel for update in incident.updates for channel in update.channels))


def all_channels(incident: Incident, runbook: RunbookConfig) -> tuple[Channel, ...]:
    """Return all channels ever used plus those of the current severity (behaviour 62)."""
    now = _allowed(incident, runbook.policy(incident.severity).updates.channels)
    return tuple(dict.fromkeys((*used_channels(incident), *now)))


PUBLIC_PLACES = (Channel.STATUS_PAGE, Channel.ISSUE_TRACKER)
"""Channels with a wider audience than the responders. Private incidents skip them (behaviour 24)."""


def has_ticket(incident: Incident, runbook: RunbookConfig) -> bool:
    """Tell whether the incident gets a ticket in the issue tracker."""
    return Channel.ISSUE_TRACKER in _allowed(incident, runbook.policy(incident.severity).updates.channels)


def _allowed(incident: Incident, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    return tuple(channel for channel in channels if not (incident.private and channel in PUBLIC_PLACES))


def publish(
    incident: Incident,
    runbook: RunbookConfig,
    at: datetime,
    kind: UpdateKind,
    text: PublicText,
    *,
    by: str = SYSTEM,
    news: bool = True,
    due: datetime | None = None,
    channels: tuple[Channel, ...] | None = None,
    anchor: datetime | None = None,
) -> Incident:
    """Return the incident with one more update. `anchor` restarts the cadence from there.

    An undelivered older update on one of the channels is superseded: only the newest text is sent (behaviour 35).
    """
    channels = channels if channels is not None else runbook.policy(incident.severity).updates.channels
    if (
        kind is not UpdateKind.FINAL
    ):  # the final update goes to all channels, so that no page shows "investigating" forever
        channels = _allowed(incident, channels)
    undelivered = superseded(incident, channels)
    update = StatusUpdate(
        sequence=len(incident.updates) + 1,
        kind=kind,
        at=at,
        due=due or at,
        severity=incident.severity,
        status=incident.status,
        text=text,
        news=news,
        next_at=None,
        channels=channels,
        by=by,
    )
    incident = incident.replace(
        updates=(*incident.updates, update),
        update_anchor=anchor or incident.update_anchor,
        no_news=0 if news else incident.no_news + 1,
    )
    update = update.replace(next_at=next_due(incident, runbook))
    incident = incident.replace(updates=(*incident.updates[:-1], update))
    said = f"Update {update.sequence} ({kind}) to {', '.join(channels)}"
    said += f" (supersedes undelivered {', '.join(undelivered)})" if undelivered else ""
    return incident.logged(at, by, Kind.UPDATE, said)


def superseded(incident: Incident, channels: tuple[Channel, ...]) -> list[str]:
    """Return undelivered updates on these channels, such as `update 3 on slack`."""
    newest = {channel: update.sequence for update in incident.updates for channel in update.channels}
    waiting = [channel for channel in channels if channel in newest]
    return [
        f"update {newest[channel]} on {channel}"
        for channel in waiting
        if not incident.settled(delivery_key(newest[channel], channel))
    ]


def delivery_key(sequence: int, channel: Channel) -> str:
    """Return the idempotency key of one update on one channel."""
    return f"update/{sequence}/{channel}"


def record_news(incident: Incident, at: datetime, text: PublicText) -> Incident:
    """Record a customer-facing fact for the next update."""
    return incident.replace(news=(*incident.news, PublicFact(at=at, text=text)))


def opening_text(incident: Incident, runbook: RunbookConfig) -> PublicText:
    """Return the text of the first update."""
    when = runbook.calendar.in_brackets(incident.started_at)
    return PublicText.filled(runbook.templates.texts.opening, START_TIME=when)


def scheduled_text(incident: Incident, runbook: RunbookConfig, next_at: datetime | None) -> tuple[PublicText, bool]:
    """Return the text of the scheduled update, and whether it holds news.

    Text from a responder, or facts since the last update, or "no change", which never repeats the last text
    (behaviour 33).
    """
    if incident.next_words:
        return incident.next_words, True
    last = incident.updates[-1].at if incident.updates else incident.opened_at
    facts = [fact.text for fact in incident.news if fact.at > last]
    if facts:
        return PublicText.trusted(" ".join(dict.fromkeys(facts))), True
    last_news = next((update.at for update in reversed(incident.updates) if update.news), incident.opened_at)
    texts, brackets = runbook.templates.texts, runbook.calendar.in_brackets
    still = texts.still_monitoring if incident.status == Status.MONITORING else texts.still_investigating
    said = [PublicText.filled(still, SINCE=brackets(last_news))]
    if next_at:
        said.append(PublicText.filled(texts.next_update, NEXT_UPDATE=brackets(next_at)))
    return PublicText.trusted(" ".join(said)), False


def publish_due(incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Publish the scheduled update; the timeline records a delay. A draft is kept (behaviour 34)."""
    due, anchor = next_due(incident, runbook), incident.update_anchor
    if due is None or anchor is None:
        return incident
    late = at - release_at(incident, runbook, due)
    coming = _coming(anchor, max(at, due), incident, runbook)
    text, news = scheduled_text(incident, runbook, coming)
    incident = publish(incident, runbook, at, UpdateKind.SCHEDULED, text, news=news, due=due)
    incident = incident.replace(next_words=PublicText(), hold=None)
    if late < _RECORDED_DELAY:
        return incident
    sequence = incident.updates[-1].sequence
    return incident.logged(
        at, SYSTEM, Kind.UPDATE, f"Update {sequence} was {in_words(late)} late (due {due:%H:%M} UTC)"
    )

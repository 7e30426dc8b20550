"""Status updates: when the next one is due, what it says, and where it goes (runbook, "Status Update Cadence")."""

from datetime import datetime, timedelta

from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.duration import in_words
from incidents.domain.core.public_text import PublicText
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import (
    PublicFact,
    Status,
    StatusUpdate,
    UpdateKind,
)

_WORTH_TELLING = timedelta(minutes=1)
"""A shorter delay of an update is not worth a line of the timeline."""


def next_due(incident: Incident, runbook: RunbookConfig) -> datetime | None:
    """Return when the next update is due, or None if none is owed.

    Due times lie on a grid from the anchor (the first update, the last one by hand, or the rise to this severity), so
    that an update that went out late does not shift those after it (BEHAVIOURS 37).
    """
    every = runbook.policy(incident.severity).updates.every
    if incident.over or every is None or incident.update_anchor is None:
        return None
    last = max(incident.update_anchor, incident.updates[-1].at) if incident.updates else incident.update_anchor
    return _coming(incident.update_anchor, last, incident, runbook)


def _coming(anchor: datetime, after: datetime, incident: Incident, runbook: RunbookConfig) -> datetime:
    """Return the first due time on the grid after that moment, or the next opening if it lies out of office hours."""
    cadence = runbook.policy(incident.severity).updates
    every = cadence.every or timedelta(days=1)
    due = anchor + every * ((after - anchor) // every + 1)
    return runbook.calendar.next_open(due) if cadence.office_hours_only else due


def release_at(incident: Incident, runbook: RunbookConfig, due: datetime) -> datetime:
    """Return when the update due at `due` really goes out.

    A responder may hold it back once (BEHAVIOURS 38); a draft begun since the last update holds it for a grace.
    """
    hold = incident.hold
    if hold is not None and hold.sequence == len(incident.updates) + 1:
        return max(due, hold.until)
    last = incident.updates[-1].at if incident.updates else incident.opened_at
    held = incident.draft_at is not None and incident.draft_at > last and not incident.next_words
    return due + runbook.updates.draft_grace if held else due


def used_channels(incident: Incident) -> tuple[Channel, ...]:
    """Return every channel on which this incident was ever published, in the order of first use."""
    return tuple(dict.fromkeys(channel for update in incident.updates for channel in update.channels))


def everywhere(incident: Incident, runbook: RunbookConfig) -> tuple[Channel, ...]:
    """Return every channel ever used and those of the current severity (BEHAVIOURS 62)."""
    now = _allowed(incident, runbook.policy(incident.severity).updates.channels)
    return tuple(dict.fromkeys((*used_channels(incident), *now)))


PUBLIC_PLACES = (Channel.STATUS_PAGE, Channel.ISSUE_TRACKER)
"""Where more people can read than work on it. A private incident is not published there (BEHAVIOURS 24)."""


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
    """Return the incident with one more update. `anchor` starts the grid of due times again from there.

    An older update that is still on its way to one of the channels is superseded: only the newest text goes out there
    (BEHAVIOURS 35).
    """
    channels = channels if channels is not None else runbook.policy(incident.severity).updates.channels
    if kind is not UpdateKind.FINAL:  # the end is said everywhere, so that no page says "investigating" for ever
        channels = _allowed(incident, channels)
    stranded = superseded(incident, channels)
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
    said = f"Update {update.sequence} ({kind}) for {', '.join(channels)}"
    said += f"; superseded, as they never went out: {', '.join(stranded)}" if stranded else ""
    return incident.logged(at, by, Kind.UPDATE, said)


def superseded(incident: Incident, channels: tuple[Channel, ...]) -> list[str]:
    """Return the updates that are still on their way to one of these channels, in words."""
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
    """Return the incident with a fact that customers may read, for the next update."""
    return incident.replace(news=(*incident.news, PublicFact(at=at, text=text)))


def opening_text(incident: Incident, runbook: RunbookConfig) -> PublicText:
    """Say the first thing that customers read."""
    when = runbook.calendar.in_brackets(incident.started_at)
    return PublicText.filled(runbook.templates.texts.opening, START_TIME=when)


def scheduled_text(incident: Incident, runbook: RunbookConfig, next_at: datetime | None) -> tuple[PublicText, bool]:
    """Return the text of the update that is due, and whether it holds news.

    It is the responder's words for it, or what happened since the last update, or an honest "no change", which never
    repeats the last text (BEHAVIOURS 33).
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
    """Publish the update that is due; if it is late, the timeline says by how much. A draft is kept (BEHAVIOURS 34)."""
    due, anchor = next_due(incident, runbook), incident.update_anchor
    if due is None or anchor is None:
        return incident
    late = at - release_at(incident, runbook, due)
    coming = _coming(anchor, max(at, due), incident, runbook)
    text, news = scheduled_text(incident, runbook, coming)
    incident = publish(incident, runbook, at, UpdateKind.SCHEDULED, text, news=news, due=due)
    incident = incident.replace(next_words=PublicText(), hold=None)
    if late < _WORTH_TELLING:
        return incident
    sequence = incident.updates[-1].sequence
    return incident.logged(at, SYSTEM, Kind.UPDATE, f"Update {sequence}, due {due:%H:%M} UTC, is {in_words(late)} late")

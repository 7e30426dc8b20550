"""Status updates: when they are due, their text, and their channels (runbook, "Status Update Cadence")."""

from datetime import datetime, timedelta

from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.status import Status
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.updates.state import PublicFact, StatusUpdate, UpdateKind, UpdatesState

_NEXT_TIME = "{EXPECTED_UPDATE_TIME}"
"""Placeholder of the template by which a message says when the next update comes: the text need not say it again."""
_RECORDED_DELAY = timedelta(minutes=1)
"""Delay of an update from which the timeline records it."""


def next_due(incident: Incident, runbook: RunbookConfig) -> datetime | None:
    """Return when the next update is due, or None if there is none.

    Due times are multiples of the cadence after the anchor (the first update, the last manual one, or the raise to
    this severity), so that a late update does not shift later ones (behaviour 37).
    """
    every = _interval(incident, runbook)
    if incident.over or every is None or incident.updates.anchor is None:
        return None
    last = (
        max(incident.updates.anchor, incident.updates.published[-1].at)
        if incident.updates.published
        else incident.updates.anchor
    )
    return _coming(incident.updates.anchor, last, incident, runbook)


def _coming(anchor: datetime, after: datetime, incident: Incident, runbook: RunbookConfig) -> datetime:
    """Return the first due time after `after`, moved to the next opening if it is outside office hours."""
    every = _interval(incident, runbook) or timedelta(days=1)
    due = anchor + every * ((after - anchor) // every + 1)
    in_office_hours = runbook.policy(incident.severity).updates.office_hours_only
    return runbook.calendar.next_open(due) if in_office_hours else due


def _interval(incident: Incident, runbook: RunbookConfig) -> timedelta | None:
    cadence = runbook.policy(incident.severity).updates
    return cadence.interval(monitoring=incident.status == Status.MONITORING)


def release_at(incident: Incident, runbook: RunbookConfig, due: datetime) -> datetime:
    """Return when the update due at `due` is published.

    A responder may hold it once (behaviour 38); a draft since the last update holds it for `draft_grace`.
    """
    hold = incident.updates.hold
    if hold is not None and hold.sequence == incident.updates.count + 1:
        return max(due, hold.until)
    last = incident.updates.published[-1].at if incident.updates.published else incident.opened_at
    held = (
        incident.updates.draft_at is not None and incident.updates.draft_at > last and not incident.updates.next_words
    )
    return due + runbook.updates.draft_grace if held else due


def used_channels(incident: Incident) -> tuple[Channel, ...]:
    """Return every channel that ever carried an update of this incident, in order of first use."""
    return tuple(dict.fromkeys(channel for update in incident.updates.published for channel in update.channels))


def all_channels(incident: Incident, runbook: RunbookConfig) -> tuple[Channel, ...]:
    """Return all channels ever used plus those of the current severity (behaviour 62)."""
    now = _allowed(incident, runbook.policy(incident.severity).updates.channels)
    return tuple(dict.fromkeys((*used_channels(incident), *now)))


def has_ticket(incident: Incident, runbook: RunbookConfig) -> bool:
    """Tell whether the incident gets a ticket in the issue tracker."""
    return Channel.ISSUE_TRACKER in _allowed(incident, runbook.policy(incident.severity).updates.channels)


def _allowed(incident: Incident, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    no_customers = bool(incident.alerting.unknown_service or incident.surge.informing)
    return tuple(
        channel
        for channel in channels
        if not (channel.public and incident.private) and not (channel.read_by_customers and no_customers)
    )


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
    Nothing is published of an incident that waits for the end of a maintenance window.
    """
    if incident.alerting.waiting is not None:
        return incident
    channels = runbook.policy(incident.severity).updates.channels if channels is None else channels
    if kind is not UpdateKind.FINAL:  # that one goes to all channels, so that no page shows "investigating" forever
        channels = _allowed(incident, channels)
    undelivered = superseded(incident, channels)
    update = _draft(incident, kind, text, at).replace(due=due or at, news=news, channels=channels, by=by)
    incident = _with_next_due(incident.replace(updates=_with_update(incident.updates, update, anchor)), runbook)
    said = f"Update {update.sequence} ({kind}) to {', '.join(channels)}"
    said += f" (supersedes undelivered {', '.join(undelivered)})" if undelivered else ""
    return incident.logged(at, by, Kind.UPDATE, said)


def _draft(incident: Incident, kind: UpdateKind, text: PublicText, at: datetime) -> StatusUpdate:
    """Return the next update as the incident stands, for no channel yet."""
    return StatusUpdate(
        sequence=incident.updates.count + 1,
        kind=kind,
        at=at,
        due=at,
        severity=incident.severity,
        status=incident.status,
        text=text,
        news=True,
        next_at=None,
        channels=(),
        by=SYSTEM,
    )


def _with_next_due(incident: Incident, runbook: RunbookConfig) -> Incident:
    """Write into the newest update when the next one is due, which depends on it."""
    *older, update = incident.updates.published
    update = update.replace(next_at=next_due(incident, runbook))
    return incident.replace(updates=incident.updates.replace(published=(*older, update)))


def _with_update(updates: UpdatesState, update: StatusUpdate, anchor: datetime | None) -> UpdatesState:
    return updates.replace(
        published=(*updates.published, update),
        anchor=anchor or updates.anchor,
        no_news=0 if update.news else updates.no_news + 1,
    )


def superseded(incident: Incident, channels: tuple[Channel, ...]) -> list[str]:
    """Return undelivered updates on these channels, such as `update 3 on email`."""
    newest = {channel: update.sequence for update in incident.updates.published for channel in update.channels}
    waiting = [channel for channel in channels if channel in newest]
    return [
        f"update {newest[channel]} on {channel}"
        for channel in waiting
        if not incident.ledger.settled(delivery_key(newest[channel], channel))
    ]


REMINDER, NUDGED, DIGEST, OVERDUE = "reminder", "nudge", "digest", "overdue"
"""What else is owed of an update, once each: the ends of the keys."""


def update_key(sequence: int) -> Key:
    """Return the idempotency key of publishing an update."""
    return Key("update", sequence)


def delivery_key(sequence: int, channel: Channel) -> Key:
    """Return the idempotency key of one update on one channel."""
    return update_key(sequence).under(channel)


def record_news(incident: Incident, at: datetime, text: PublicText) -> Incident:
    """Record a customer-facing fact for the next update."""
    return incident.replace(
        updates=incident.updates.replace(news=(*incident.updates.news, PublicFact(at=at, text=text)))
    )


def opening_text(incident: Incident, runbook: RunbookConfig) -> PublicText:
    """Return the text of the first update."""
    when = runbook.calendar.in_brackets(incident.started_at)
    return PublicText.filled(runbook.templates.texts.opening, START_TIME=when)


def publish_first_update(incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Publish the first update, if this severity has a cadence and there is a channel for it now."""
    cadence = runbook.policy(incident.severity).updates
    if cadence.every is None or not _allowed(incident, cadence.channels):
        return incident
    return publish(incident, runbook, at, UpdateKind.INITIAL, opening_text(incident, runbook), anchor=at)


def scheduled_text(
    incident: Incident, runbook: RunbookConfig, at: datetime, next_at: datetime | None
) -> tuple[PublicText, bool]:
    """Return the text of the scheduled update of `at`, and whether it holds news.

    Text from a responder, or facts since the last update, or "no change", which never repeats the last text
    (behaviour 33).
    """
    if incident.updates.next_words:
        return incident.updates.next_words, True
    last = incident.updates.published[-1].at if incident.updates.published else incident.opened_at
    facts = [fact.text for fact in incident.updates.news if fact.at > last]
    if facts:
        return PublicText.trusted(" ".join(dict.fromkeys(facts))), True
    last_news = next((update.at for update in reversed(incident.updates.published) if update.news), incident.opened_at)
    texts, brackets = runbook.templates.texts, runbook.calendar.in_brackets
    still = texts.still_monitoring if incident.status == Status.MONITORING else texts.still_investigating
    text = PublicText.filled(still, NOW=brackets(at), SINCE=brackets(last_news))
    repeated = any(update.text == text for update in incident.updates.published[-1:])
    if next_at and (repeated or _NEXT_TIME not in runbook.templates.body):
        coming = PublicText.filled(texts.next_update, NEXT_UPDATE=brackets(next_at))
        text = PublicText.trusted(" ".join((text, coming)))
    return text, False


def publish_due(incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Publish the scheduled update; the timeline records a delay. A draft is kept (behaviour 34)."""
    due, anchor = next_due(incident, runbook), incident.updates.anchor
    if due is None or anchor is None:
        return incident
    late = at - release_at(incident, runbook, due)
    coming = _coming(anchor, max(at, due), incident, runbook)
    text, news = scheduled_text(incident, runbook, at, coming)
    incident = publish(incident, runbook, at, UpdateKind.SCHEDULED, text, news=news, due=due)
    incident = incident.replace(updates=incident.updates.replace(next_words=PublicText(), hold=None))
    if late < _RECORDED_DELAY:
        return incident
    sequence = incident.updates.published[-1].sequence
    return incident.logged(
        at, SYSTEM, Kind.UPDATE, f"Update {sequence} was {in_words(late)} late (due {due:%H:%M} UTC)"
    )

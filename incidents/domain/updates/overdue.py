"""Overdue status updates: due for longer than `updates.overdue_after`, and not out on every channel."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.updates.publishing import OVERDUE, delivery_key, next_due, release_at, update_key


@dataclass(frozen=True)
class Unpublished:
    """A status update that is not out. `due`: since when, or from when; `channels`: where not; () if on none yet."""

    sequence: int
    due: datetime
    channels: tuple[Channel, ...] = ()


def overdue_at(incident: Incident, runbook: RunbookConfig) -> datetime | None:
    """Return from when a status update is overdue unless it goes out, the earliest; None if none can be.

    It lies in the past while one is overdue. Reading it needs no worker: the clock decides.
    """
    after = runbook.updates.overdue_after
    if after is None or incident.backfilled or incident.closed or incident.alerting.waiting is not None:
        return None
    dues = [update.due for update in (*undelivered(incident), *_next_update(incident, runbook))]
    return min(dues) + after if dues else None


def undelivered(incident: Incident) -> Iterator[Unpublished]:
    """Yield the updates that are the newest on a channel and are not out there: tried again, or failed for good.

    One that was skipped or published by hand is out, as far as anyone wants it to be.
    """
    newest = {channel: update for update in incident.updates.published for channel in update.channels}
    missing: dict[int, list[Channel]] = {}
    for channel, update in newest.items():
        if incident.standing(delivery_key(update.sequence, channel)) in (StepStatus.PENDING, StepStatus.FAILED):
            missing.setdefault(update.sequence, []).append(channel)
    for sequence, channels in missing.items():
        yield Unpublished(sequence, incident.updates.numbered(sequence).at, tuple(channels))


def failed_update(incident: Incident, runbook: RunbookConfig) -> Iterator[Unpublished]:
    """Yield the next update if it could not be published at all."""
    if incident.ledger.settled(update_key(incident.updates.count + 1)):
        yield from _next_update(incident, runbook)


def _next_update(incident: Incident, runbook: RunbookConfig) -> Iterator[Unpublished]:
    due = next_due(incident, runbook)
    if due is not None:
        yield Unpublished(incident.updates.count + 1, release_at(incident, runbook, due))


def overdue_key(sequence: int) -> Key:
    """Return the key under which it is recorded that an update is overdue."""
    return update_key(sequence).under(OVERDUE)


def overdue_text(sequence: int, channels: tuple[Channel, ...]) -> str:
    """Return the line that says that an update is overdue: on those channels, or on all if there are none."""
    where = f"not on {', '.join(channels)}" if channels else "not published. Write it with `incident update`"
    return f"Status update {sequence} is overdue: {where}"


def overdue_lines(incident: Incident) -> list[str]:
    """Return one line for each update that was recorded as overdue and is still not out."""
    missing = {update.sequence: update.channels for update in undelivered(incident)}
    if not incident.over:
        missing[incident.updates.count + 1] = ()
    recorded = incident.ledger.fulfilled
    return [overdue_text(number, where) for number, where in missing.items() if overdue_key(number) in recorded]

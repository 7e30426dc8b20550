"""What moves to the archive at continue-as-new, so that an incident's state stays small however long it lasts.

The rule: the agenda is the same before and after, now and later. These move:

- Entries of the timeline, the oldest first, but the newest (`Limits.window`) and those still to be posted in the
  channel. Where the channel's obligation was skipped or has failed there is nothing to post in; a channel that is
  opened later than that starts with the entries at hand.
- Status updates, but the first and the newest on each channel, and the newest with news and not about a severity.
- Facts for the next update that are older than the last one.
- Calls of earlier re-pages: the numbers of those that may be open at the pager stay.
- Keys that can never be owed again, as each `ObligationSpec.spent` says.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import accumulate
from typing import TypeVar

from pydantic import BaseModel

from incidents.domain.chat.channel import channel_key, notice_key
from incidents.domain.core.base import Frozen
from incidents.domain.core.timeline import SYSTEM, Entry, Kind
from incidents.domain.evidence.archive import Chunk, ChunkRef, size_of
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.paging.spent import earlier_calls, without_calls
from incidents.domain.paging.state import Call
from incidents.domain.registry import SPECS
from incidents.domain.updates.state import PublicFact, StatusUpdate, UpdateKind

T = TypeVar("T", bound=BaseModel | str)


class Limits(Frozen):
    """What stays, and what is worth a chunk, in bytes.

    `window`: the newest entries that stay, at most `most` of them and at least one. `least`: a smaller chunk is not
    worth a file. `largest`: of one chunk; what is left moves with the next.
    """

    window: int = 50_000
    most: int = 100
    least: int = 60_000
    largest: int = 500_000


LIMITS = Limits()
_ANY, _NEWS, _DUE = "newest", "newest with news", "newest but of a severity"


def next_chunk(incident: Incident, limits: Limits = LIMITS, *, hashed: bool = True) -> Chunk | None:
    """Return what can move to the archive now, or None if that is not worth a file, or has no folder yet.

    `hashed`: as `Chunk.hashed`.
    """
    if incident.number is None:
        return None
    room = limits.largest // 3  # each for entries, for updates, and for keys
    entries = _fitting(_movable_entries(incident, limits), room)
    updates = _fitting(_movable_updates(incident), room)
    news = _movable_news(incident)
    calls = _fitting(earlier_calls(incident), room // 2)
    slim = _without(incident, entries, updates, news, calls)
    spent = frozenset(key for spec in SPECS for key in spec.spent(slim))
    gone, archive = _Gone(incident, spent, room), incident.evidence.archive
    chunk = Chunk(
        incident=incident.name,
        number=len(archive.chunks) + 1,
        previous=archive.chain,
        first=archive.last + 1,
        head=archive.head,
        hashed=hashed,
        entries=entries,
        updates=updates,
        news=news,
        calls=calls,
        fulfilled=gone.fulfilled,
        failures=gone.failures,
        skips=gone.skips,
        begun=gone.begun,
    )
    return chunk if len(chunk.text.encode()) >= limits.least else None


def apply_chunk(incident: Incident, chunk: Chunk, ref: ChunkRef) -> Incident:
    """Return the incident without what is in a chunk that was written.

    Nothing is moved that a rule needs again since the chunk was made, such as a notice that is to be retried: then
    the incident stays as it is, and the next chunk is made of what can move by then.
    """
    slim = _without(incident, chunk.entries, chunk.updates, chunk.news, chunk.calls)
    needed = any(_is_to_be_posted(entry, incident) for entry in chunk.entries)
    if needed or chunk.previous != incident.evidence.archive.chain:
        return incident
    archive = incident.evidence.archive.with_chunk(ref, chunk)
    return slim.replace(ledger=slim.ledger.without(chunk.keys), evidence=slim.evidence.replace(archive=archive))


def archiving_failed(incident: Incident, reason: str, at: datetime) -> Incident:
    """Record, once for each outage, that a chunk could not be written: the incident keeps everything until it can."""
    archive = incident.evidence.archive
    evidence = incident.evidence.replace(archive=archive.replace(problem=reason))
    if archive.problem:
        return incident.replace(evidence=evidence)
    text = f"Older entries could not be moved to the evidence store: {reason}. Nothing is lost; they stay here"
    return incident.replace(evidence=evidence).logged(at, SYSTEM, Kind.CHECKLIST, text)


class _Gone:
    """What of the ledger moves, within `room` bytes."""

    def __init__(self, incident: Incident, spent: frozenset[str], room: int) -> None:
        ledger = incident.ledger
        self.failures = _fitting([known for known in ledger.failures if known.key in spent], room // 4)
        self.skips = _fitting([known for known in ledger.skips if known.key in spent], room // 4)
        self.fulfilled = _fitting([key for key in ledger.fulfilled if key in spent], room // 4)
        self.begun = _fitting([known for known in ledger.begun if known.key in spent], room // 4)


def _without(
    incident: Incident,
    entries: Sequence[Entry],
    updates: Sequence[StatusUpdate],
    news: Sequence[PublicFact],
    calls: tuple[Call, ...],
) -> Incident:
    """Return the incident without these; its ledger and its archive are as they were.

    Args:
        incident: as it is.
        entries: the oldest of its timeline.
        updates: those that no rule looks at.
        news: facts that were published.
        calls: those of earlier re-pages.
    """
    moved, old = {update.sequence for update in updates}, set(news)
    left = incident.updates.replace(
        published=tuple(update for update in incident.updates.published if update.sequence not in moved),
        news=tuple(fact for fact in incident.updates.news if fact not in old),
    )
    last = entries[-1].sequence if entries else 0
    timeline = tuple(entry for entry in incident.timeline if entry.sequence > last)
    return without_calls(incident.replace(timeline=timeline, updates=left), calls)


def _movable_entries(incident: Incident, limits: Limits) -> list[Entry]:
    """Return the oldest entries that no rule needs, up to the window of the newest."""
    sizes = accumulate(size_of(entry) for entry in reversed(incident.timeline))
    window = sum(size <= limits.window for size in sizes)
    stays = max(min(window, limits.most), 1)
    found = list[Entry]()
    for entry in incident.timeline[:-stays]:
        if _is_to_be_posted(entry, incident):
            break
        found.append(entry)
    return found


def _is_to_be_posted(entry: Entry, incident: Incident) -> bool:
    no_channel = incident.standing(channel_key(incident)) in (StepStatus.FAILED, StepStatus.SKIPPED)
    return entry.announce and not no_channel and not incident.ledger.settled(notice_key(entry.sequence))


def _movable_updates(incident: Incident) -> list[StatusUpdate]:
    """Return the updates that no rule looks at, the oldest first."""
    published = incident.updates.published
    first, newest = dict[str, int](), dict[str, int]()
    for update in published:
        for place in update.channels:
            first.setdefault(place, update.sequence)
            newest[place] = update.sequence
        newest |= {_ANY: update.sequence}
        newest |= {_NEWS: update.sequence} if update.news else {}
        newest |= {_DUE: update.sequence} if update.kind is not UpdateKind.SEVERITY else {}
    needed = {*first.values(), *newest.values(), *(update.sequence for update in published[:1])}
    return [update for update in published if update.sequence not in needed]


def _movable_news(incident: Incident) -> tuple[PublicFact, ...]:
    if not incident.updates.published:
        return ()
    return tuple(fact for fact in incident.updates.news if fact.at <= incident.updates.published[-1].at)


def _fitting(rows: Iterable[T], room: int) -> tuple[T, ...]:
    """Return the first rows that fit into so many bytes."""
    rows = tuple(rows)
    return rows[: sum(size <= room for size in accumulate(size_of(row) for row in rows))]

"""The audit of a timeline: one hash chain over its archived entries and those that the incident carries.

The incident keeps the head (the hash of the last entry) after each archived chunk. The head at the end of an incident
is also in the manifest of its evidence, in the post-mortem, and in the last message to its channel: whoever can change
the evidence store and Temporal's database still cannot change what people have read there.

What is covered: every entry of the incident's timeline, from the first. Entries are never edited or removed; making an
incident private removes texts from the status page, not from the timeline. Chunks that a version before the chain
wrote are covered as whole files, by their SHA-256, and the chain begins after them.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence

from incidents.domain.core.base import Frozen
from incidents.domain.core.timeline import Entry, TimelineHead, entry_hash, entry_hashes
from incidents.domain.evidence.archive import ChunkMissing, ChunkRef, ChunkUnreadable, Fetch
from incidents.domain.incident.incident import Incident


class Anchor(Frozen):
    """A head that is kept elsewhere. `where`: for people; `sha256` of the head may be its first digits."""

    where: str
    head: TimelineHead


class Audit(Frozen):
    """What an audit has found. `faults`: the first entry of each part that does not fit; none if all is as written."""

    head: TimelineHead
    archived: int
    faults: tuple[str, ...]


def timeline_head(incident: Incident, last: int | None = None) -> TimelineHead:
    """Return the head of the timeline. `last`: the number of the entry up to which it counts; None for all."""
    archive = incident.evidence.archive
    carried = [
        entry
        for entry in incident.timeline
        if entry.sequence > archive.last and (last is None or entry.sequence <= last)
    ]
    count = carried[-1].sequence if carried else archive.last
    return TimelineHead(entries=count, sha256=(archive.head, *entry_hashes(archive.head, carried))[-1])


def audit_timeline(incident: Incident, fetch: Fetch, anchors: Sequence[Anchor], *, right_store: bool) -> Audit:
    """Recompute the chain from the store and from the incident, and compare it with every head that is known.

    `right_store`: other evidence of the incident was found there, so that chunks that are missing were removed.

    Raises:
        ChunkUnreadable: the store cannot be read, or it may be another one. That says nothing of the timeline.
    """
    chain, archive = _Chain(), incident.evidence.archive
    for ref in archive.chunks:
        chain.read_chunk(ref, fetch)
    if 0 < chain.missing == len(archive.chunks) and not right_store:
        raise ChunkUnreadable(f"nothing of it is there: {chain.faults[0]}")
    chain.read_carried(incident.timeline, archive.last)
    for anchor in sorted(anchors, key=lambda anchor: anchor.head.entries):
        chain.compare(anchor)
    return Audit(head=timeline_head(incident), archived=archive.last, faults=tuple(chain.faults))


class _Chain:
    """The chain as it is recomputed. `missing`: chunks that are not there."""

    def __init__(self) -> None:
        self.faults = list[str]()
        self.missing = 0
        self._known = dict[int, str]()
        self._unknown = set[int]()
        self._fits_until = 0
        self._previous = ""

    def read_chunk(self, ref: ChunkRef, fetch: Fetch) -> None:
        """Check the entries of a chunk. The next one is checked from the head that the incident has of this one."""
        try:
            data = fetch(ref.path)
        except ChunkMissing:
            self.missing += 1
            fault = f"{_between(ref.first, ref.last)}: {ref.path} is missing"
        else:
            fault = next(self._chunk_faults(ref, data), "")
        if fault:
            self.faults.append(fault)
            self._known = {count: known for count, known in self._known.items() if count < ref.first}
        if ref.head:
            self._known[ref.last] = ref.head
        self._unknown |= {count for count in range(ref.first, ref.last + 1) if count not in self._known}
        self._previous = ref.head

    def _chunk_faults(self, ref: ChunkRef, data: bytes) -> Iterator[str]:
        if ref.head:
            yield from self._entry_faults(ref, data)
        if hashlib.sha256(data).hexdigest() != ref.sha256:
            yield f"{_between(ref.first, ref.last)}: {ref.path} was changed"

    def _entry_faults(self, ref: ChunkRef, data: bytes) -> Iterator[str]:
        """Yield the first entry of a chunk that does not fit."""
        expected = ref.first
        try:
            for entry, said in _entries(data):
                if entry.sequence != expected:
                    yield f"entry {expected} is not where it belongs in {ref.path}: found entry {entry.sequence}"
                    return
                self._previous = entry_hash(self._previous, entry)
                if said not in ("", self._previous):
                    yield f"entry {expected} was changed in {ref.path}"
                    return
                self._known[expected] = self._previous
                expected += 1
        except ValueError:
            yield f"entry {expected} cannot be read in {ref.path}"
            return
        if expected != ref.last + 1:
            yield f"entry {expected} is missing from {ref.path}"
        elif self._previous != ref.head:
            yield f"{_between(ref.first, ref.last)}: {ref.path} was rewritten, its hash is not the incident's"

    def read_carried(self, entries: Iterable[Entry], archived: int) -> None:
        """Chain the entries that the incident carries. What was changed among them shows at a head kept elsewhere."""
        for expected, entry in enumerate(entries, archived + 1):
            if entry.sequence != expected:
                self.faults.append(f"entry {expected} is not where it belongs: found entry {entry.sequence}")
                return
            self._previous = entry_hash(self._previous, entry)
            self._known[expected] = self._previous

    def compare(self, anchor: Anchor) -> None:
        """Compare with a head that is kept elsewhere."""
        count, digest = anchor.head.entries, anchor.head.sha256
        if count in self._unknown:
            return  # of a chunk that is a fault already, or older than the chain
        if count not in self._known:
            last = max(self._known, default=0)
            self.faults.append(f"entry {last + 1} is missing: {anchor.where} has {count} entries")
        elif not self._known[count].startswith(digest):
            found = _between(self._fits_until + 1, count)
            self.faults.append(f"{found}: not what {anchor.where} has ({anchor.head})")
        else:
            self._fits_until = count


def _entries(data: bytes) -> Iterator[tuple[Entry, str]]:
    """Yield the entries of a chunk, each with the hash that its line has; "" if an older version wrote it."""
    for line in data.decode().removesuffix("\n").split("\n"):
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError("not a line of a chunk")
        if "entries" in row:
            yield Entry.model_validate(row["entries"]), row.get("hash", "")


def _between(first: int, last: int) -> str:
    return f"entry {last}" if first == last else f"entries {first} to {last}"

"""The archive: what an incident no longer needs at hand, in numbered files ("chunks") in the evidence store.

A chunk is a file of JSON lines: a head, then one line for each entry of the timeline, update, and settled key that it
holds. A running hash chains all lines of all chunks, so that a changed, missing or foreign line shows. The line of an
entry also has the entry's hash in the chain of the timeline, by which `audit` finds the first entry that was changed.
The incident keeps one `ChunkRef` for each chunk.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel

from incidents.domain.core.base import Frozen
from incidents.domain.core.ledger import Begun, Ledger, Unfulfilled
from incidents.domain.core.timeline import SYSTEM, TURNS, Entry, Kind, entry_hashes
from incidents.domain.paging.state import Call
from incidents.domain.updates.state import PublicFact, StatusUpdate

_FOLDER = "archive"


class ChunkRef(Frozen):
    """One chunk: its path below the evidence URL, size and SHA-256, and the entries of the timeline that it holds.

    `first` and `last` are sequence numbers; a chunk without entries has `last` = `first` - 1. `until`: the time of the
    last entry. `chain`: the running hash after its last line. `head`: the hash of the last archived entry in the chain
    of the timeline; "" if an older version wrote the chunk, then the chain begins after it.
    """

    number: int
    path: str
    bytes: int
    sha256: str
    first: int
    last: int
    until: AwareDatetime
    chain: str
    head: str = ""

    @property
    def has_entries(self) -> bool:
        """Tell whether it holds entries of the timeline; it may hold updates and keys alone."""
        return self.first <= self.last


class Archive(Frozen):
    """The chunks in order, and what rules still have to know of their contents.

    `turns`: the newest archived entry that changed who should be called, if any. `updates_due`, `updates_on_time`: how
    many archived updates were due at a time, and how many of those were on time. `problem`: why the last chunk could
    not be written; nothing is lost, the incident keeps everything until it can.
    """

    chunks: tuple[ChunkRef, ...] = ()
    turns: tuple[Entry, ...] = ()
    updates_due: int = 0
    updates_on_time: int = 0
    problem: str = ""

    @property
    def chain(self) -> str:
        """The running hash so far; "" before the first chunk."""
        return self.chunks[-1].chain if self.chunks else ""

    @property
    def head(self) -> str:
        """The hash of the last archived entry; "" if there is none."""
        return self.chunks[-1].head if self.chunks else ""

    @property
    def last(self) -> int:
        """The sequence number of the last archived entry; 0 if there is none."""
        return self.chunks[-1].last if self.chunks else 0

    def with_chunk(self, ref: ChunkRef, chunk: "Chunk") -> Self:
        """Return the archive with one more chunk, written as `ref` says."""
        turns = (*self.turns, *(entry for entry in chunk.entries if entry.kind in TURNS))
        timed = [update for update in chunk.updates if update.has_due_time]
        return self.replace(
            chunks=(*self.chunks, ref),
            turns=turns[-1:],
            updates_due=self.updates_due + len(timed),
            updates_on_time=self.updates_on_time + sum(update.is_on_time for update in timed),
            problem="",
        )


class Chunk(Frozen):
    """What is moved at once. `previous`: the running hash before its first line.

    `head`: the hash of the entry before its first one. `hashed`: whether the file has the hash of each entry; not
    where a run that an older version began is replayed, since that has written the file without them.
    """

    incident: str
    number: int
    previous: str
    first: int
    head: str = ""
    hashed: bool = True
    entries: tuple[Entry, ...] = ()
    updates: tuple[StatusUpdate, ...] = ()
    news: tuple[PublicFact, ...] = ()
    calls: tuple[Call, ...] = ()
    fulfilled: tuple[str, ...] = ()
    failures: tuple[Unfulfilled, ...] = ()
    skips: tuple[Unfulfilled, ...] = ()
    begun: tuple[Begun, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """The keys that it holds, whatever became of their obligations."""
        return Ledger(fulfilled=self.fulfilled, failures=self.failures, skips=self.skips, begun=self.begun).keys

    @property
    def text(self) -> str:
        """The file: the same for the same contents."""
        head = {"incident": self.incident, "number": self.number, "previous": self.previous, "first": self.first}
        rows: list[dict[str, object]] = [head]
        rows += [{"entries": entry.model_dump(mode="json"), **said} for entry, said in self._hashed_entries()]
        for name in ("updates", "news", "calls", "failures", "skips", "begun"):
            rows += [{name: value.model_dump(mode="json")} for value in getattr(self, name)]
        rows += [{"fulfilled": key} for key in self.fulfilled]
        return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)

    def _hashed_entries(self) -> Iterator[tuple[Entry, dict[str, str]]]:
        for entry, digest in zip(self.entries, entry_hashes(self.head, self.entries), strict=True):
            yield entry, {"hash": digest} if self.hashed else {}

    def ref(self, folder: str, until: AwareDatetime) -> ChunkRef:
        """Return where it is written in the incident's evidence folder.

        The name holds the hash of the contents: writing it again changes nothing, and another chunk of the same
        number, from an attempt that was cut short, never replaces it.
        """
        text = self.text
        data = text.encode()
        digest = hashlib.sha256(data).hexdigest()
        return ChunkRef(
            number=self.number,
            path=f"{folder}/{_FOLDER}/{self.number:04d}-{digest[:16]}.jsonl",
            bytes=len(data),
            sha256=digest,
            first=self.first,
            last=self.first + len(self.entries) - 1,
            until=self.entries[-1].at if self.entries else until,
            chain=chained(self.previous, text),
            head=(self.head, *entry_hashes(self.head, self.entries))[-1],
        )


def chained(previous: str, text: str) -> str:
    """Return the running hash after the lines of a text: each hash is of the one before and the line."""
    for line in _lines(text):
        previous = hashlib.sha256(f"{previous}{line}".encode()).hexdigest()
    return previous


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")  # `splitlines` also splits at characters that JSON leaves as they are


class ChunkUnreadable(Exception):
    """A chunk cannot be read from the evidence store; the message says why. That says nothing of its soundness."""


class ChunkMissing(ChunkUnreadable):
    """The evidence store answers, and has no such chunk."""


class ChunkAltered(ChunkUnreadable):
    """The chunk is not the one that was written."""


Fetch = Callable[[str], bytes]
"""Reads a file below the evidence URL. Raises `ChunkMissing`, or `ChunkUnreadable` with the reason, if it cannot."""


def faults(archive: Archive, fetch: Fetch, *, right_store: bool) -> list[str]:
    """Return what is wrong with the chunks in the store, one line each; nothing if they are as they were written.

    `right_store`: other evidence of the incident was found there, so that chunks that are missing were removed.

    Raises:
        ChunkUnreadable: one cannot be read, or none is there and it may be another store.
    """
    found, missing, previous = list[str](), 0, ""
    for ref in archive.chunks:
        try:
            _checked(ref, previous, fetch)
        except (ChunkMissing, ChunkAltered) as problem:
            found.append(f"{ref.path}: {problem}")
            missing += isinstance(problem, ChunkMissing)
        previous = ref.chain
    if 0 < missing == len(archive.chunks) and not right_store:
        raise ChunkUnreadable(f"nothing of it is there: {found[0]}")
    return found


def archived_entries(archive: Archive, fetch: Fetch) -> tuple[Entry, ...]:
    """Return the archived entries of the timeline. A line stands in for those of a chunk that cannot be read."""
    found = list[Entry]()
    for ref, read in _each(archive, fetch):
        if isinstance(read, str):
            found += (Entry.model_validate(row) for row in _rows(read, "entries"))
        elif ref.has_entries:
            found.append(_gap(ref, str(read)))
    return tuple(found)


def archived_updates(archive: Archive, fetch: Fetch) -> tuple[tuple[StatusUpdate, ...], tuple[Entry, ...]]:
    """Return the archived status updates, and an entry for each chunk that cannot be read."""
    updates, gaps = list[StatusUpdate](), list[Entry]()
    for ref, read in _each(archive, fetch):
        if isinstance(read, str):
            updates += (StatusUpdate.model_validate(row) for row in _rows(read, "updates"))
        else:
            gaps.append(_gap(ref, str(read)))
    return tuple(updates), tuple(gaps)


def _each(archive: Archive, fetch: Fetch) -> Iterator[tuple[ChunkRef, str | ChunkUnreadable]]:
    """Yield each chunk's text, or why it cannot be read."""
    previous = ""
    for ref in archive.chunks:
        try:
            yield ref, _checked(ref, previous, fetch)
        except ChunkUnreadable as problem:
            yield ref, problem
        previous = ref.chain


def _checked(ref: ChunkRef, previous: str, fetch: Fetch) -> str:
    data = fetch(ref.path)
    text = data.decode(errors="replace")
    if hashlib.sha256(data).hexdigest() != ref.sha256 or chained(previous, text) != ref.chain:
        raise ChunkAltered("the file was changed: its hash is not the one that the incident has")
    return text


def _rows(text: str, kind: str) -> Iterator[Any]:
    for line in _lines(text):
        if (row := json.loads(line).get(kind)) is not None:
            yield row


def _gap(ref: ChunkRef, problem: str) -> Entry:
    text = f"Entries {ref.first} to {ref.last} cannot be read from the evidence store: {ref.path}: {problem}"
    return Entry(sequence=ref.first, at=ref.until, actor=SYSTEM, kind=Kind.NOTE, text=text)


def size_of(value: BaseModel | str) -> int:
    """Return the bytes of UTF-8 that a value takes in the state and in a chunk, roughly."""
    text = value if isinstance(value, str) else value.model_dump_json()
    return len(text.encode("utf-8", "replace")) + 20

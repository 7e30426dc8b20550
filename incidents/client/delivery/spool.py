"""The spool: alerts kept on local disk while Temporal is unreachable, in the order in which they came (behaviour 13).

It is one SQLite file. The standard library's `sqlite3` has what a spool needs and plain files would have to rebuild:
an entry is stored whole or not at all, two processes may write at once (gateway and starter share a folder), and bounds
are checked in the transaction that adds the entry. `synchronous=EXTRA` syncs file and folder before a commit returns:
what `append` has returned for survives a loss of power. The folder must be on a local disk.

Only one process sends entries at a time: it holds the lock of `drain.lock`, which the system releases if it dies.
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen

MOST_ENTRIES = 10_000
"""Entries that are kept."""
MOST_BYTES = 256 * 1024 * 1024
"""Bytes of all bodies that are kept."""
_BUSY = 5.0
"""Seconds to wait for another process that is writing."""
_TABLES = (
    "CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,"
    " received_at TEXT NOT NULL, body BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,"
    " page_owed INTEGER NOT NULL DEFAULT 1)",
    "CREATE TABLE IF NOT EXISTS workflows (entry INTEGER NOT NULL, workflow_id TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS paged (workflow_id TEXT PRIMARY KEY)",
)


class SpoolFull(Exception):
    """The spool holds as much as it may. The message is one line."""


class SpoolUnusable(Exception):
    """The spool's folder or file cannot be read or written. The message is one line."""


@dataclass(frozen=True)
class Entry:
    """What was kept. `body`: the bytes as they came. `attempts`: how often Temporal answered but did not take it."""

    id: int
    kind: str
    received_at: datetime
    body: bytes
    attempts: int = 0


class Envelope(Frozen):
    """What is known of an entry besides its body: as of `Entry`."""

    kind: str
    received_at: AwareDatetime


def envelope_of(path: Path) -> Path:
    """Return where the envelope of a body stands that was set aside into `path`."""
    return path.with_name(f"{path.name}.envelope")


def read_aside(path: Path, body: bytes) -> Entry | None:
    """Return what was set aside into `path`, with `body` as it now stands there; None if the file has no envelope.

    Raises:
        OSError, ValidationError: there is an envelope that cannot be read.
    """
    if not envelope_of(path).exists():
        return None
    envelope = Envelope.model_validate_json(envelope_of(path).read_bytes())
    return Entry(0, envelope.kind, envelope.received_at, body)


class Spool:
    """The spool of one folder, which is created with the first entry. Blocking; call it in a thread from a server."""

    def __init__(self, folder: Path, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES) -> None:
        self.folder, self._most_entries, self._most_bytes = folder, most_entries, most_bytes
        self._path = folder / "spool.db"

    def append(self, kind: str, received_at: datetime, body: bytes, workflow_ids: list[str]) -> int:
        """Keep an entry behind all others, synced to disk; return its id. `workflow_ids`: the incidents it is for.

        Args:
            kind: what the body is, for reading it back.
            received_at: when it came, aware UTC.
            body: at most as large as a payload may be.
            workflow_ids: the incidents it is for.

        Raises:
            SpoolFull: there is no room for it; nothing was kept.
            SpoolUnusable: the disk did not take it; nothing was kept.
        """
        with self._transaction(create=True) as db:
            self._require_room(db, len(body))
            values = (kind, received_at.isoformat(), body)
            added = db.execute("INSERT INTO entries (kind, received_at, body) VALUES (?, ?, ?)", values).lastrowid
            assert added is not None  # an INSERT gives one
            db.executemany("INSERT INTO workflows VALUES (?, ?)", [(added, name) for name in workflow_ids])
            return added

    def check(self) -> None:
        """Check that an alert could be kept now. Creates the spool: what fails here would fail for the alert, too.

        Raises:
            SpoolFull: there is no room for any alert.
            SpoolUnusable: the disk does not take one.
        """
        with self._transaction(create=True) as db:
            self._require_room(db, 1)

    def _require_room(self, db: sqlite3.Connection, size: int) -> None:
        """Check that a body of `size` bytes may be added.

        Raises:
            SpoolFull: it may not.
        """
        held, used = db.execute("SELECT count(*), coalesce(sum(length(body)), 0) FROM entries").fetchone()
        if held >= self._most_entries or used + size > self._most_bytes:
            raise SpoolFull(f"the spool {self.folder} is full ({held} alerts, {used // 1024} KiB)")

    def waiting(self) -> int:
        """Return how many entries wait."""
        if not self._is_there():
            return 0
        with self._transaction() as db:
            return int(db.execute("SELECT count(*) FROM entries").fetchone()[0])

    def first(self) -> Entry | None:
        """Return the entry that came first, or None."""
        found = self._entries("ORDER BY id LIMIT 1")
        return found[0] if found else None

    def page_owed(self) -> list[Entry]:
        """Return the entries whose direct page has not gone out, in order."""
        return self._entries("WHERE page_owed = 1 ORDER BY id")

    def _entries(self, which: str) -> list[Entry]:
        if not self._is_there():
            return []
        with self._transaction() as db:
            # `which` is one of the two texts above.
            rows = db.execute(f"SELECT id, kind, received_at, body, attempts FROM entries {which}").fetchall()  # nosec B608
        return [Entry(n, kind, datetime.fromisoformat(at), body, tried) for n, kind, at, body, tried in rows]

    def holds(self, workflow_id: str) -> bool:
        """Tell whether an entry for that incident waits."""
        if not self._is_there():
            return False
        with self._transaction() as db:
            return bool(db.execute("SELECT 1 FROM workflows WHERE workflow_id = ?", (workflow_id,)).fetchone())

    def remove(self, entry_id: int) -> None:
        """Forget an entry that Temporal has taken, and the direct page of an incident for which none waits any more."""
        with self._transaction() as db:
            db.execute("DELETE FROM entries WHERE id = ?", (entry_id,))
            db.execute("DELETE FROM workflows WHERE entry = ?", (entry_id,))
            db.execute("DELETE FROM paged WHERE workflow_id NOT IN (SELECT workflow_id FROM workflows)")

    def count_attempt(self, entry_id: int) -> int:
        """Count that Temporal did not take an entry although it answers; return how often so far."""
        with self._transaction() as db:
            db.execute("UPDATE entries SET attempts = attempts + 1 WHERE id = ?", (entry_id,))
            return int(db.execute("SELECT attempts FROM entries WHERE id = ?", (entry_id,)).fetchone()[0])

    def set_aside(self, entry: Entry) -> Path:
        """Move an entry out of the order into a file of its own, which `starter.py` can send; return its path.

        The body stands there as it came, to be corrected by hand; its `Envelope` is the file beside it.
        """
        path = self.folder / "aside" / f"{entry.id}-{entry.kind}.json"
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _write(
                envelope_of(path), Envelope(kind=entry.kind, received_at=entry.received_at).model_dump_json().encode()
            )
            _write(path, entry.body)
            _sync_folder(path.parent)
        except OSError as error:
            raise SpoolUnusable(f"{path}: {error.strerror}") from None
        self.remove(entry.id)
        return path

    def is_paged(self, workflow_id: str) -> bool:
        """Tell whether the direct page of that incident has gone out."""
        with self._transaction(create=True) as db:
            return bool(db.execute("SELECT 1 FROM paged WHERE workflow_id = ?", (workflow_id,)).fetchone())

    def record_page(self, workflow_id: str) -> None:
        """Remember that the direct page of that incident has gone out."""
        with self._transaction(create=True) as db:
            db.execute("INSERT OR IGNORE INTO paged VALUES (?)", (workflow_id,))

    def settle_pages(self, entry_id: int) -> None:
        """Remember that an entry owes no direct page any more."""
        with self._transaction() as db:
            db.execute("UPDATE entries SET page_owed = 0 WHERE id = ?", (entry_id,))

    @contextmanager
    def draining(self) -> Iterator[bool]:
        """Hold the right to send entries; yields False if another process has it, or if there is nothing to send."""
        if not self._is_there():
            yield False
            return
        try:
            lock = os.open(self.folder / "drain.lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise SpoolUnusable(f"{self.folder}: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            yield False
            return
        try:
            yield True
        finally:
            os.close(lock)  # which releases it

    @contextmanager
    def _transaction(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction, which is on disk when the block ends."""
        try:
            if create and not self._is_there():
                self._create()
            with contextlib.closing(sqlite3.connect(self._path, timeout=_BUSY, isolation_level=None)) as db:
                db.execute("PRAGMA synchronous = EXTRA")
                db.execute("BEGIN IMMEDIATE")
                with db:  # commits, or rolls back after an exception
                    for table in _TABLES:
                        db.execute(table)
                    yield db
        except sqlite3.Error as error:
            raise SpoolUnusable(f"{self._path}: {error}") from None
        except OSError as error:
            raise SpoolUnusable(f"{self._path}: {error.strerror}") from None

    def _is_there(self) -> bool:
        """Tell whether the spool has been created.

        Raises:
            SpoolUnusable: that cannot be known, such as in a folder that this user may not read.
        """
        try:
            return self._path.exists()
        except OSError as error:
            raise SpoolUnusable(f"{self._path}: {error.strerror}") from None

    def _create(self) -> None:
        """Create folder and file for this user only, since alerts may hold private data."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        _sync_folder(self.folder)


def _write(path: Path, data: bytes) -> None:
    """Write a file for this user only, and sync it."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the names of new files durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

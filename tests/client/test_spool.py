"""The spool on disk: in order, bounded, shared by two processes, and readable after a process was killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incidents.app.submission_file import read_submission
from incidents.client.alert_sources.payload import MalformedAlert
from incidents.client.delivery.spool import Spool, SpoolFull, SpoolUnusable

AT = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", most_entries=3, most_bytes=100)


def kept(spool: Spool, body: bytes = b"{}", workflow_id: str = "incident-x") -> int:
    return spool.append("alerts", AT, body, [workflow_id])


def test_13_entries_are_kept_in_order_with_their_bytes_and_time(spool: Spool) -> None:
    assert (spool.waiting(), spool.first()) == (0, None)
    assert not spool.folder.exists(), "nothing is created before it is needed"
    first, second = kept(spool, b"\xff\x00one"), kept(spool, b"two")
    entry = spool.first()
    assert entry is not None
    assert (entry.id, entry.kind, entry.received_at, entry.body) == (first, "alerts", AT, b"\xff\x00one")
    spool.remove(first)
    again = Spool(spool.folder).first()
    assert again is not None
    assert again.id == second


def test_13_it_is_bounded_in_count_and_in_bytes(spool: Spool) -> None:
    kept(spool, b"x" * 60)
    with pytest.raises(SpoolFull, match="is full"):
        kept(spool, b"x" * 60)
    kept(spool)
    kept(spool)
    with pytest.raises(SpoolFull, match="3 alerts"):
        kept(spool)
    assert spool.waiting() == 3


def test_13_a_check_tells_whether_an_alert_could_be_kept(spool: Spool) -> None:
    spool.check()
    assert spool.waiting() == 0
    for _ in range(3):
        kept(spool)
    with pytest.raises(SpoolFull, match="3 alerts"):
        spool.check()
    blocked = spool.folder / "a-file"
    blocked.touch()
    with pytest.raises(SpoolUnusable):
        Spool(blocked / "spool").check()


def test_84_only_this_user_can_read_what_is_kept(spool: Spool) -> None:
    entry = kept(spool)
    first = spool.first()
    assert first is not None
    assert first.id == entry
    aside = spool.set_aside(first)
    assert spool.folder.stat().st_mode & 0o077 == 0
    assert aside.parent.stat().st_mode & 0o077 == 0
    assert (spool.folder / "spool.db").stat().st_mode & 0o077 == 0


def test_what_is_set_aside_is_a_file_and_no_longer_waits(spool: Spool) -> None:
    kept(spool, b'{"title": "x"}')
    first = spool.first()
    assert first is not None
    path = spool.set_aside(first)
    assert path.read_bytes() == b'{"title": "x"}'
    assert (spool.waiting(), spool.holds("incident-x")) == (0, False)


def test_what_is_set_aside_keeps_its_source_and_its_arrival(spool: Spool) -> None:
    spool.append("alerts.grafana", AT, b'{"title": "x"}', ["incident-x"])
    first = spool.first()
    assert first is not None
    path = spool.set_aside(first)
    submission = read_submission(str(path))
    assert ([alert.source for alert in submission.alerts], submission.received_at) == (["grafana"], AT)
    path.write_bytes(b"{}")
    with pytest.raises(MalformedAlert):
        read_submission(str(path))


def test_a_folder_that_cannot_be_read_is_one_line(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", denied)
    for use in (spool.waiting, spool.first, lambda: spool.holds("incident-x"), lambda: kept(spool)):
        with pytest.raises(SpoolUnusable, match=r"spool\.db: Permission denied$"):
            use()
    with pytest.raises(SpoolUnusable, match="Permission denied"), spool.draining():
        pass


def test_13_an_incident_is_paged_once_while_one_of_its_alerts_waits(spool: Spool) -> None:
    first, second = kept(spool), kept(spool)
    assert not spool.is_paged("incident-x")
    spool.record_page("incident-x")
    spool.record_page("incident-x")
    spool.settle_pages(first)
    assert [entry.id for entry in spool.page_owed()] == [second]
    spool.remove(first)
    assert spool.is_paged("incident-x")
    spool.remove(second)
    assert not spool.is_paged("incident-x"), "the next time that Temporal is away it is paged again"


def test_only_one_drains_at_a_time(spool: Spool) -> None:
    kept(spool)
    with spool.draining() as ours, Spool(spool.folder).draining() as theirs:
        assert (ours, theirs) == (True, False)
    with Spool(spool.folder).draining() as theirs:
        assert theirs


def test_many_write_at_once(tmp_path: Path) -> None:
    def one(number: int) -> int:
        return kept(Spool(tmp_path / "spool"), str(number).encode())

    with ThreadPoolExecutor(8) as pool:
        entries = set(pool.map(one, range(40)))
    assert len(entries) == Spool(tmp_path / "spool").waiting() == 40


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from incidents.client.delivery.spool import Spool
spool = Spool(Path(sys.argv[1]))
while True:
    print(spool.append("alerts", datetime.now(UTC), b"x" * 2000, ["incident-x"]), flush=True)
"""


def test_13_a_writer_that_is_killed_loses_nothing_that_it_had_acknowledged(tmp_path: Path) -> None:
    """One process writes until it is killed in the middle; another drains what it acknowledged."""
    folder = tmp_path / "spool"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(20)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in writer.stdout.read().splitlines() if line]
    writer.wait(10)
    spool, found = Spool(folder), []
    while (entry := spool.first()) is not None:
        assert len(entry.body) == 2000
        found.append(entry.id)
        spool.remove(entry.id)
    assert found[: len(acknowledged)] == acknowledged
    assert len(found) - len(acknowledged) in (0, 1), "at most the one that was being acknowledged"


def test_the_lock_of_a_killed_process_is_released(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    kept(Spool(folder))
    holds = "with spool.draining() as ours:\n    print(ours, flush=True)\n    __import__('time').sleep(60)"
    program = WRITER.partition("while")[0] + holds
    holder = subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    with Spool(folder).draining() as ours:
        assert not ours
    holder.kill()
    holder.wait(10)
    with Spool(folder).draining() as ours:
        assert ours


def test_a_spool_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(SpoolUnusable, match="file"):
        kept(Spool(tmp_path / "file" / "spool"))
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "spool.db").write_bytes(b"no database" * 100)
    with pytest.raises(SpoolUnusable, match="not a database") as said:
        Spool(tmp_path / "spool").waiting()
    assert "\n" not in str(said.value)


def test_a_commit_is_synced_to_file_and_folder(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite syncs in C, where no test can watch; so hold what it is told."""
    told: list[str] = []
    real = sqlite3.connect

    class Watching(sqlite3.Connection):
        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            told.append(sql)
            return super().execute(sql, *args)

    monkeypatch.setattr("sqlite3.connect", lambda *args, **more: real(*args, factory=Watching, **more))
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(descriptor))
    kept(spool)
    assert told.index("PRAGMA synchronous = EXTRA") < told.index("BEGIN IMMEDIATE")
    assert synced, "the folder holds the new file's name"


def test_another_process_that_writes_is_waited_for(spool: Spool) -> None:
    kept(spool)
    other = sqlite3.connect(spool.folder / "spool.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(kept, spool)
        time.sleep(0.3)
        assert not waiting.done()
        other.execute("COMMIT")
        waiting.result(10)
    other.close()
    assert spool.waiting() == 2

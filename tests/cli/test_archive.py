"""The whole timeline, also where its older entries are in the evidence store."""

import re
import time
from pathlib import Path

import pytest

from incidents.domain.core.timeline import Entry, entry_hashes
from incidents.domain.incident.commands import AddNote, Cancel
from incidents.domain.incident.incident import Incident
from tests.cli.conftest import Incidental, Opened, Stage
from workflows.incident import IncidentWorkflow

NOTES = 40


def state(stage: Stage, opened: Opened) -> Incident:
    """The incident as its newest run has it."""
    return stage.do(stage.client.get_workflow_handle(opened.id).query(IncidentWorkflow.incident))


@pytest.fixture(scope="module")
def moved(stage: Stage) -> Opened:
    """An incident that has moved its older entries to the store."""
    opened = stage.open(history_limit=150)
    handle = stage.client.get_workflow_handle(opened.id)
    for number in range(NOTES):
        stage.do(handle.signal("add_note", AddNote(by="ann", text=f"note {number} {'x' * 4500}")))
    deadline = time.monotonic() + 60
    while not state(stage, opened).evidence.archive.chunks:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return opened


@pytest.fixture
def archived(stage: Stage, moved: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """That incident, with the store below `tmp_path`."""
    for ref in state(stage, moved).evidence.archive.chunks:
        file = tmp_path / ref.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(stage.activities.documents[ref.path])
    monkeypatch.setenv("EVIDENCE_URL", tmp_path.as_uri())
    return moved


def test_the_timeline_is_whole(archived: Opened, on_stage: Incidental) -> None:
    said = on_stage("timeline", archived.number, "--json")
    assert (said.status, said.err) == (0, "")
    assert [row["sequence"] for row in said.document] == list(range(1, len(said.document) + 1))
    notes = [row["text"].split()[1] for row in said.document if row["text"].startswith("note ")]
    assert notes == [str(number) for number in range(NOTES)]
    assert [row["sequence"] for row in on_stage("show", archived.number, "--json").document["timeline"][:2]] == [1, 2]
    assert "note 0" in on_stage("timeline", archived.number).out


def test_what_customers_read_is_whole(archived: Opened, on_stage: Incidental) -> None:
    rows = on_stage("timeline", archived.number, "--public", "--json").document
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))


def test_the_archive_is_verified_and_listed(archived: Opened, on_stage: Incidental, tmp_path: Path) -> None:
    assert "timeline archive intact (1 part" in on_stage("evidence", "verify", archived.number).out
    [row, *_] = on_stage("evidence", "list", archived.number, "--json").document
    assert row["name"].startswith("archive/0001-")
    [file, *_] = sorted(tmp_path.rglob("0001-*.jsonl"))
    file.write_bytes(file.read_bytes().replace(b"note 3", b"note 4"))
    said = on_stage("evidence", "verify", archived.number)
    assert said.status == 1
    assert "the file was changed" in said.err


def test_the_timeline_is_verified_across_the_archive(archived: Opened, on_stage: Incidental, tmp_path: Path) -> None:
    said = on_stage("timeline", "verify", archived.number)
    assert (said.status, said.err) == (0, "")
    assert re.fullmatch(r"Timeline OK: \d+ entries, \d+ of them archived, head \d+:[0-9a-f]{16}\n", said.out)
    rows = on_stage("timeline", archived.number, "--json").document
    head = entry_hashes("", (Entry.model_validate(row) for row in rows))[-1]
    found = on_stage("timeline", archived.number, "--verify", "--json").document
    assert (found["sound"], found["entries"], found["sha256"]) == (True, len(rows), head)
    assert on_stage("timeline", archived.number, "--head", found["head"]).status == 0
    said = on_stage("timeline", archived.number, "--head", f"{len(rows)}:{'0' * 16}")
    assert said.status == 1
    assert f"not what --head has ({len(rows)}:{'0' * 16})" in said.err
    for wrong in ("57", "57:123", "x:3f2a9c01b4de99aa"):
        assert "is no timeline head" in on_stage("timeline", archived.number, "--head", wrong).err
    assert on_stage("timeline", archived.number, "--verify", "--people").status == 2


def test_an_entry_that_was_changed_in_the_archive_is_named(
    archived: Opened, on_stage: Incidental, tmp_path: Path
) -> None:
    rows = on_stage("timeline", archived.number, "--json").document
    changed = next(row["sequence"] for row in rows if row["text"].startswith("note 3 "))
    [file, *_] = sorted(tmp_path.rglob("0001-*.jsonl"))
    file.write_bytes(file.read_bytes().replace(b"note 3 ", b"note 4 "))
    said = on_stage("timeline", "verify", archived.number)
    assert (said.status, said.out) == (1, "")
    assert f"failed verification: entry {changed} was changed in " in said.err
    found = on_stage("timeline", "verify", archived.number, "--json")
    assert (found.status, found.document["sound"]) == (1, False)
    file.unlink()
    said = on_stage("timeline", "verify", archived.number)
    assert said.status == 1
    assert "Nothing was verified" in said.err


def test_what_cannot_be_read_is_said_in_one_line(
    archived: Opened, on_stage: Incidental, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on a laptop from which the store cannot be reached: the newer entries are there all the same."""
    monkeypatch.setenv("EVIDENCE_URL", (tmp_path / "elsewhere").as_uri())
    rows = on_stage("timeline", archived.number, "--json").document
    assert rows[0]["text"].startswith("Entries 1 to ")
    assert "cannot be read from the evidence store" in rows[0]["text"]
    assert "(evidence at file://" in rows[0]["text"]
    assert any(row["text"].startswith(f"note {NOTES - 1} ") for row in rows)


def test_following_begins_with_what_is_in_the_archive(stage: Stage, archived: Opened, on_stage: Incidental) -> None:
    """The last test of this incident: it ends, and so does following."""
    stage.do(stage.client.get_workflow_handle(archived.id).execute_update("cancel", Cancel(by="ann", reason="x")))
    said = on_stage("timeline", archived.number, "--follow")
    followed = re.findall(r"  ann  note (\d+) x", said.out)
    assert followed == [str(number) for number in range(NOTES)]

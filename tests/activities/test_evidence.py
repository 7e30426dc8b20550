"""Evidence: files with a manifest by which they can be checked."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from activities.hands import Hands
from runbook.effects import PreserveRecord
from tests.activities.conftest import failed, perform

RECORD = PreserveRecord(key="run-7/evidence/1", folder="INC-7", files={"a.json": "{}", "b.txt": "bé"})


def manifest(folder: Path) -> Path:
    [found] = folder.glob("manifest-*.json")
    return found


def rows(folder: Path) -> list[dict[str, Any]]:
    return list(json.loads(manifest(folder).read_text(encoding="utf-8"))["files"])


def test_the_record_is_written_with_a_manifest_that_proves_it(idle: Hands, tmp_path: Path) -> None:
    outcome = perform(idle.evidence.preserve_record, RECORD)
    folder = tmp_path / "INC-7"
    assert outcome.resources.evidence_url == folder.as_uri()
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir() if "manifest" not in path.name} == {
        "a.json": "{}",
        "b.txt": "bé",
    }
    assert [row["name"] for row in rows(folder)] == ["a.json", "b.txt"]
    for row in rows(folder):
        data = (folder / row["name"]).read_bytes()
        assert (row["bytes"], row["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    digest = hashlib.sha256(manifest(folder).read_bytes()).hexdigest()
    assert outcome.detail == f"a.json, b.txt (manifest {digest[:12]})"
    assert json.loads(manifest(folder).read_text("utf-8"))["key"] == RECORD.key


def test_the_same_again_leaves_the_same_content(idle: Hands, tmp_path: Path) -> None:
    def written() -> dict[str, bytes]:
        folder = tmp_path / "INC-7"
        return {path.name: path.read_bytes() for path in folder.iterdir() if "manifest" not in path.name}

    perform(idle.evidence.preserve_record, RECORD)
    before, proof = written(), rows(tmp_path / "INC-7")
    perform(idle.evidence.preserve_record, RECORD, attempt=2)
    assert written() == before
    assert rows(tmp_path / "INC-7") == proof, "still one manifest, with the same hashes"


def test_each_record_has_a_manifest_of_its_own(idle: Hands, tmp_path: Path) -> None:
    perform(idle.evidence.preserve_record, RECORD)
    perform(idle.evidence.preserve_record, RECORD.but(key="run-7/evidence/2", files={"c.txt": "x"}))
    assert len(list((tmp_path / "INC-7").glob("manifest-*.json"))) == 2


def test_a_single_file_is_linked_itself(idle: Hands, tmp_path: Path) -> None:
    outcome = perform(idle.evidence.preserve_record, RECORD.but(files={"postmortem.md": "# 7"}))
    assert outcome.resources.evidence_url == (tmp_path / "INC-7" / "postmortem.md").as_uri()


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/outside.txt", "a/../../../outside.txt"])
def test_nothing_is_written_outside(idle: Hands, tmp_path: Path, name: str) -> None:
    refused = failed(idle.evidence.preserve_record, RECORD.but(files={name: "x"}))
    assert (refused.type, refused.non_retryable) == ("VendorRefused", True)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_store_that_cannot_be_written_is_tried_again(wired: Callable[..., Hands], tmp_path: Path) -> None:
    (tmp_path / "full").write_text("a file where the folder should be", encoding="utf-8")
    hands = wired(EVIDENCE_URL=(tmp_path / "full").as_uri())
    assert not failed(hands.evidence.preserve_record, RECORD).non_retryable

"""Evidence: files from every source, with a manifest by which they can be checked."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.registry import ActivitySet
from incidents.domain.activity_requests import KeepDocument
from incidents.domain.chat.activity_requests import OpenChannel, PostMessage
from incidents.domain.config.model import Region
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from incidents.domain.evidence.manifest import (
    EvidenceSource,
    Item,
    Part,
    Scope,
    checked,
    items,
    parts_of,
)
from incidents.domain.rollback.activity_requests import CaptureEvidence, WriteManifest
from incidents.domain.rollback.config import Rollback
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed, perform

DOCUMENT = KeepDocument(key="run-7/postmortem/draft/1", folder="INC-7", name="postmortem-1.md", text="# bé")
REGIONS = (Region(name="eu", url="http://unused", cluster="eu-001"),)
METRICS = {"error ratio": "fs_evaluation_error_ratio"}


def scope(**changes: Any) -> Scope:
    until = datetime.now(UTC)
    base = Scope(
        service="flag-evaluation",
        log_service="featuresignals-api",
        regions=REGIONS,
        since=until - timedelta(minutes=10),
        until=until,
        most_rows=10_000,
        step_seconds=15,
    )
    return base.replace(**changes)


def captured(activities: ActivitySet, where: Scope | None = None, phase: str = "resolution-1") -> tuple[Part, ...]:
    """Everything that is kept in one phase."""
    where = where or scope()
    return tuple(
        perform(
            activities.evidence.capture_evidence,
            CaptureEvidence(key=item.name, folder="INC-7", item=item, scope=where, rules=Rollback()),
        )
        for item in items({"record.json": "{}"}, REGIONS, METRICS, phase)
    )


def test_every_source_of_the_sandbox_is_kept(activities: ActivitySet, sandbox: RunningSandbox, tmp_path: Path) -> None:
    sandbox.deploy("eu", "v9-bad")
    room = perform(
        activities.chat.open_channel, OpenChannel(key="c", name="incident-7", marker="[m]")
    ).resources.channel_id
    perform(activities.chat.post_message, PostMessage(key="p", channel_id=room, text=as_mrkdwn("we look into it")))
    moved = perform(activities.chat.open_channel, OpenChannel(key="d", name="incident-7-private", marker="[n]"))
    about = scope(channel_id=moved.resources.channel_id, former_channels=(room,))  # it became private later
    parts = {part.name.removeprefix("resolution-1/"): part for part in captured(activities, about)}
    kept = {name for name, part in parts.items() if not part.gap}
    assert kept == {
        "record.json",
        "deployments-eu-001.json",
        "metrics-error-ratio.json",
        "logs.jsonl",
        "traces.jsonl",
        "flag-audit.json",
        "chat.jsonl",
    }
    assert parts["database.json"].gap == "database diagnostics not configured (DATABASE_URL is not set)"
    folder = tmp_path / "INC-7" / "resolution-1"
    for name in kept:
        data = (folder / name).read_bytes()
        assert data, name
        assert (parts[name].bytes, parts[name].sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert "v9-bad" in (folder / "deployments-eu-001.json").read_text("utf-8")
    assert "we look into it" in (folder / "chat.jsonl").read_text("utf-8")
    assert json.loads((folder / "metrics-error-ratio.json").read_text("utf-8"))["series"][0]["points"]


def test_sources_that_are_off_leave_gaps_that_say_so(idle: ActivitySet) -> None:
    gaps = {part.source: part.gap for part in captured(idle) if part.gap}
    assert set(gaps) == {source.value for source in EvidenceSource} - {"runbook"}
    assert gaps["deployments"].startswith("Ops Portal not configured (OPS_PORTAL_URL")
    assert gaps["prometheus"] == "Prometheus not configured (PROMETHEUS_URL is not set)"


def test_a_source_that_fails_is_an_error_for_temporal(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    item = Item(name="p/logs.jsonl", source=EvidenceSource.LOGS)
    wanted = CaptureEvidence(key="k", folder="INC-7", item=item, scope=scope(), rules=Rollback())
    sandbox.fault("signoz", "status", status=503)
    assert not failed(activities.evidence.capture_evidence, wanted).non_retryable
    sandbox.fault("signoz", "status", status=401, body={"status": "error"})
    assert failed(activities.evidence.capture_evidence, wanted).non_retryable


def test_a_file_that_breaks_off_in_the_middle_is_not_left_behind(
    activities: ActivitySet, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    """The second page of the transcript fails: no half file may look like a whole one."""
    item = Item(name="p/flag-audit.json", source=EvidenceSource.FLAG_AUDIT)
    wanted = CaptureEvidence(key="k", folder="INC-7", item=item, scope=scope(), rules=Rollback())
    sandbox.fault("product", "reset", "audit")
    failed(activities.evidence.capture_evidence, wanted)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def written(activities: ActivitySet, parts: tuple[Part, ...], attempt: int = 1) -> Any:
    wanted = WriteManifest(key="k", folder="INC-7", incident="INC-7", phase="resolution-1", parts=parts)
    return perform(activities.evidence.write_manifest, wanted, attempt)


def digests(folder: Path, parts: tuple[Part, ...]) -> dict[str, str | None]:
    there = {part.name: folder / part.name for part in parts}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None for name, path in there.items()
    }


def test_the_manifest_proves_that_nothing_was_changed(idle: ActivitySet, tmp_path: Path) -> None:
    parts, folder = captured(idle), tmp_path / "INC-7"
    outcome = written(idle, parts)
    ref = outcome.manifest
    data = (tmp_path / ref.path).read_bytes()
    assert parts_of(data) == parts
    assert ref.sha256 == hashlib.sha256(data).hexdigest()
    assert ref.folder == "INC-7", "wherever that is, the files are beside it"
    assert ref.store == tmp_path.as_uri()
    assert outcome.detail.startswith("1 file (Ops Portal not configured"), "missing sources are named"
    assert (ref.parts, ref.gaps) == (1, len(parts) - 1)
    assert "database diagnostics not configured" in outcome.detail
    assert checked(ref, data, digests(folder, parts)) == []
    assert written(idle, parts, attempt=2) == outcome, "the same again changes nothing"
    assert (tmp_path / ref.path).read_bytes() == data

    (folder / "resolution-1" / "record.json").write_text('{"changed": true}', encoding="utf-8")
    assert checked(ref, data, digests(folder, parts)) == ["resolution-1/record.json was changed"]
    (folder / "resolution-1" / "record.json").unlink()
    assert checked(ref, data, digests(folder, parts)) == ["resolution-1/record.json is missing"]
    assert "was changed" in checked(ref, data + b" ", digests(folder, parts))[0]
    assert checked(ref, None, {}) == [f"{ref.path} is missing"]


def test_a_document_is_linked_itself(idle: ActivitySet, tmp_path: Path) -> None:
    outcome = perform(idle.evidence.keep_document, DOCUMENT)
    path = tmp_path / "INC-7" / "postmortem-1.md"
    assert outcome.resources.evidence_url == path.as_uri()
    assert path.read_text("utf-8") == "# bé"


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/outside.txt", "a/../../../outside.txt"])
def test_nothing_is_written_outside(idle: ActivitySet, tmp_path: Path, name: str) -> None:
    refused = failed(idle.evidence.keep_document, DOCUMENT.replace(name=name))
    assert (refused.type, refused.non_retryable) == ("VendorRejected", True)
    item = Item(name=name, source=EvidenceSource.RUNBOOK, text="x")
    wanted = CaptureEvidence(key="k", folder="INC-7", item=item, scope=scope(), rules=Rollback())
    assert failed(idle.evidence.capture_evidence, wanted).non_retryable
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_store_that_cannot_be_written_is_tried_again(wired: Callable[..., ActivitySet], tmp_path: Path) -> None:
    (tmp_path / "full").write_text("a file where the folder should be", encoding="utf-8")
    activities = wired(EVIDENCE_URL=(tmp_path / "full").as_uri())
    assert not failed(activities.evidence.keep_document, DOCUMENT).non_retryable

"""93: evidence is read where the incident's own was written, and what cannot be read is not called altered."""

from collections.abc import Callable
from pathlib import Path

import pytest

from incidents.app.evidence.archive import store_of
from incidents.cli.commands import auditing, evidence
from incidents.domain.evidence.archive import Chunk
from incidents.domain.evidence.audit import Anchor, timeline_head
from incidents.domain.evidence.manifest import EvidenceSource, ManifestRef, Part, manifest
from incidents.domain.evidence.state import EvidenceState
from incidents.domain.incident.incident import Incident
from incidents.vendors.storage import FileStore
from tests.support.incidents import T0, opened


@pytest.fixture
def preserved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Incident]:
    """An incident whose evidence of one file is in a store; EVIDENCE_URL names another, empty one."""
    monkeypatch.setenv("EVIDENCE_URL", str(tmp_path / "elsewhere"))

    def make(*, remembered: bool = True) -> Incident:
        store = FileStore((tmp_path / "store").as_uri())
        digest = store.write("INC-1/record.json", b"{}").sha256
        part = Part(
            name="record.json",
            source=EvidenceSource.RUNBOOK,
            query="",
            since=T0,
            until=T0,
            bytes=2,
            sha256=digest,
        )
        data = manifest("INC-1", "resolution-1", (part,))
        path = "INC-1/resolution-1/manifest.json"
        written = store.write(path, data)
        known = store.url if remembered else ""
        ref = ManifestRef(path=path, sha256=written.sha256, parts=1, gaps=0, store=known)
        return opened().replace(number=1, evidence=EvidenceState(manifests=(ref,)))

    return make


def faults(incident: Incident, url: str = "") -> list[str]:
    """What `incident evidence verify` finds."""
    with evidence.readable(incident):
        return [fault for found in evidence.read_manifests(incident, url) for fault in evidence._faults(*found)]


def test_93_evidence_is_read_where_it_was_written(preserved: Callable[..., Incident]) -> None:
    assert faults(preserved()) == []


def test_93_a_missing_store_is_not_called_altered(preserved: Callable[..., Incident], tmp_path: Path) -> None:
    with pytest.raises(evidence.Unreadable, match=r"^Cannot read the evidence of INC-1: no files at .*elsewhere"):
        faults(preserved(remembered=False))
    nowhere = (tmp_path / "nowhere").as_uri()
    with pytest.raises(evidence.Unreadable, match=r"Nothing was verified. If it was moved, use --url"):
        faults(preserved(), nowhere)
    with pytest.raises(evidence.Unreadable, match="Cannot read the evidence of INC-1"):
        faults(preserved(), "no-such-protocol://store")


def test_93_a_person_may_name_another_place(preserved: Callable[..., Incident], tmp_path: Path) -> None:
    assert faults(preserved(remembered=False), (tmp_path / "store").as_uri()) == []


def test_93_what_was_changed_or_removed_is_still_found(preserved: Callable[..., Incident], tmp_path: Path) -> None:
    incident, file = preserved(), tmp_path / "store" / "INC-1" / "record.json"
    file.write_text("[]", encoding="utf-8")
    assert faults(incident) == ["record.json was changed"]
    file.unlink()
    assert faults(incident) == ["record.json is missing"]
    second = incident.evidence.manifests[0].replace(path="INC-1/resolution-2/manifest.json")
    both = incident.replace(evidence=EvidenceState(manifests=(*incident.evidence.manifests, second)))
    assert "INC-1/resolution-2/manifest.json is missing" in faults(both)


def test_93_the_login_of_the_settings_serves_for_the_same_store(monkeypatch: pytest.MonkeyPatch) -> None:
    written, incident = "sftp://host/evidence", opened()
    monkeypatch.setenv("EVIDENCE_URL", "sftp://me:secret@host/evidence")
    assert store_of(incident, written=written) == "sftp://me:secret@host/evidence"
    monkeypatch.setenv("EVIDENCE_URL", "sftp://me:secret@other/evidence")
    assert store_of(incident, written=written) == "sftp://host/evidence"


def test_93_evidence_of_a_drill_is_looked_for_among_drills(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVIDENCE_URL", "file:///real")
    monkeypatch.setenv("DRILL_URL", "file:///drills")
    drill = opened().replace(drill=True)
    assert store_of(drill) == "file:///drills/evidence"
    assert store_of(drill, written="file:///other") == "file:///other"


@pytest.fixture
def archived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Incident:
    """An incident without a manifest, that has moved two chunks to its store."""
    monkeypatch.setenv("EVIDENCE_URL", (tmp_path / "store").as_uri())
    store, incident = FileStore((tmp_path / "store").as_uri()), opened()
    archive = incident.evidence.archive
    for number in (1, 2):
        chunk = Chunk(incident="INC-1", number=number, previous=archive.chain, first=1)
        ref = chunk.ref("INC-1", T0)
        store.write(ref.path, chunk.text.encode())
        archive = archive.with_chunk(ref, chunk)
    return incident.replace(number=1, evidence=EvidenceState(archive=archive))


def archive_faults(incident: Incident) -> list[str]:
    with evidence.readable(incident):
        return evidence._archive_faults(incident, "")


def test_93_an_archive_that_cannot_be_read_is_not_called_altered(
    archived: Incident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert archive_faults(archived) == []
    [first, second] = [tmp_path / "store" / ref.path for ref in archived.evidence.archive.chunks]
    second.write_text("{}", encoding="utf-8")
    assert ["the file was changed" in fault for fault in archive_faults(archived)] == [True]
    second.unlink()
    assert len(archive_faults(archived)) == 1, "the store is the right one, and a file of it is gone"
    first.unlink()
    with pytest.raises(evidence.Unreadable, match="nothing of it is there"):
        archive_faults(archived)
    monkeypatch.setenv("EVIDENCE_URL", "no-such-protocol://store")
    with pytest.raises(evidence.Unreadable, match="Cannot read the evidence of INC-1"):
        archive_faults(archived)


def test_a_manifest_that_was_changed_is_named_and_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVIDENCE_URL", (tmp_path / "store").as_uri())
    incident = opened().replace(number=1)
    store, path, head = (
        FileStore((tmp_path / "store").as_uri()),
        "INC-1/resolution-1/manifest.json",
        timeline_head(incident),
    )
    written = store.write(path, manifest("INC-1", "resolution-1", (), head))
    ref = ManifestRef(path=path, sha256=written.sha256, parts=0, gaps=0, store=store.url)
    incident = incident.replace(evidence=EvidenceState(manifests=(ref,)))
    assert auditing.manifest_anchors(incident, "") == ([Anchor(where=path, head=head)], [])
    store.write(path, manifest("INC-1", "resolution-1", (), head.replace(sha256="0" * 64)))
    assert auditing.manifest_anchors(incident, "") == (
        [],
        [f"{path} was changed: its hash differs from the timeline's"],
    )

"""The incident's own record is kept without a query."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from incidents.app.composition.activities import build_activities
from incidents.app.composition.workers import make_worker
from incidents.app.settings import Settings, load_settings
from incidents.domain.evidence.audit import timeline_head
from incidents.domain.evidence.manifest import timeline_of
from incidents.domain.incident.commands import Resolve
from incidents.domain.incident.incident import Incident
from tests.support.environment import QUEUE, World
from tests.support.incidents import RUNBOOK
from tests.support.reads import SeenReads

KEEPING = ("capture_evidence", "write_manifest")


@pytest.fixture
def seen() -> SeenReads:
    """What the worker's client reads."""
    return SeenReads()


@pytest.fixture
async def keeping(
    empty_world: World, seen: SeenReads, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[World]:
    """A world on the development server whose worker writes evidence below `tmp_path`, and does nothing else."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("EVIDENCE_URL", tmp_path.as_uri())
    client = seen.client(empty_world.env.client)
    real = build_activities(load_settings(), client, RUNBOOK)
    fakes = [m for m in empty_world.activities.methods() if m.__temporal_activity_definition.name not in KEEPING]  # type: ignore[attr-defined]
    own: list[Callable[..., Any]] = [real.evidence.capture_evidence, real.evidence.write_manifest]
    async with make_worker(client, QUEUE, [*fakes, *own]):
        yield empty_world


async def test_a_resolution_keeps_the_record_that_its_request_carried(
    keeping: World, seen: SeenReads, tmp_path: Path
) -> None:
    await keeping.open()
    await keeping.tell(Resolve(by="ann", force=True, reason="fixed"))
    folder = tmp_path / "INC-1" / "resolution-1"
    record = Incident.model_validate_json((folder / "record.json").read_bytes())
    assert (record.number, record.status, record.resolved_by) == (1, "resolved", "ann")
    lines = (folder / "timeline.txt").read_text("utf-8").splitlines()
    assert len(lines) == len(record.timeline)
    [manifest] = (await keeping.incident()).evidence.manifests
    assert manifest.parts == 2
    assert timeline_of((folder / "manifest.json").read_bytes()) == timeline_head(record)
    assert seen.queries == []

"""The incident's own record is kept without a query."""

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from incidents.app.composition.activities import build_activities
from incidents.app.settings import Settings, load_settings
from incidents.app.worker import make_worker
from incidents.domain.incident.commands import Resolve
from incidents.domain.incident.incident import Incident
from incidents.search_attributes import SEARCH_ATTRIBUTES
from tests.support.environment import QUEUE, World
from tests.support.fake_activities import FakeActivities
from tests.support.incidents import RUNBOOK
from tests.support.reads import SeenReads

KEEPING = ("capture_evidence", "write_manifest")


@pytest.fixture
def seen() -> SeenReads:
    """What the worker's client reads."""
    return SeenReads()


@pytest.fixture
async def keeping(seen: SeenReads, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[World]:
    """A world on the development server whose worker writes evidence below `tmp_path`, and does nothing else."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("EVIDENCE_URL", tmp_path.as_uri())
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=shutil.which("temporal"),
        data_converter=pydantic_data_converter,
        search_attributes=list(SEARCH_ATTRIBUTES),
    ) as env:
        client = seen.client(env.client)
        real = build_activities(load_settings(), client, RUNBOOK)
        world = World(env=env, activities=FakeActivities())
        fakes = [m for m in world.activities.methods() if m.__temporal_activity_definition.name not in KEEPING]  # type: ignore[attr-defined]
        own: list[Callable[..., Any]] = [real.evidence.capture_evidence, real.evidence.write_manifest]
        async with make_worker(client, QUEUE, [*fakes, *own]):
            yield world


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
    assert seen.queries == []

"""How many incidents a worker keeps in memory, and that it runs without the sandbox where it is told to."""

from pathlib import Path

import pytest
from temporalio import workflow

from incidents.app.composition.activities import build_activities
from incidents.app.composition.workers import DRILLS_CACHED, build_workers, make_worker
from incidents.app.liveness.query_safety import QuerySafety
from incidents.app.liveness.worker_cache import BYTES_PER_WORKFLOW, FEWEST, MOST, SHARE, cached_workflows, memory_limit
from incidents.app.runbook_file import load_runbook_file
from incidents.app.settings import load_settings
from incidents.app.temporal_settings import SettingsError
from incidents.contracts import drill_queue
from tests.support.servers.dev_server import DevServer


@pytest.mark.parametrize(
    ("memory", "kept"), [(0, FEWEST), (2**26, FEWEST), (2**28, 335), (2**30, 1342), (2**32, 5368), (2**40, MOST)]
)
def test_the_cache_is_as_large_as_memory_allows(memory: int, kept: int) -> None:
    assert cached_workflows(memory) == kept


def test_the_fewest_fit_into_half_of_a_small_container() -> None:
    assert FEWEST * BYTES_PER_WORKFLOW <= 2**28 * SHARE


@pytest.mark.parametrize(("kept", "drills"), [("30", 30), ("3000", DRILLS_CACHED)])
async def test_drills_never_take_more_memory_than_incidents(
    dev_server: DevServer, monkeypatch: pytest.MonkeyPatch, kept: str, drills: int
) -> None:
    monkeypatch.setenv("WORKER_CACHED_WORKFLOWS", kept)
    settings = load_settings()
    file = load_runbook_file(settings)
    client = await dev_server.client()
    activities = build_activities(settings, client, file.runbook)
    workers = build_workers(settings, client, file, activities, ())
    cached = {
        worker.task_queue: worker.config()["max_cached_workflows"] for worker in workers if worker.config()["workflows"]
    }
    queue = settings.temporal_task_queue
    assert cached == {queue: int(kept), drill_queue(queue): drills}


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    none, limit = tmp_path / "none", tmp_path / "memory.max"
    machine = memory_limit([none])
    for said, bound in (("536870912\n", 2**29), ("max\n", machine), (f"{machine * 2}\n", machine)):
        limit.write_text(said)
        assert memory_limit([none, limit]) == memory_limit([limit, none]) == bound


@workflow.defn
class Sandboxed:
    """Tells whether it runs in the sandbox."""

    @workflow.run
    async def run(self) -> bool:
        """Return whether it does."""
        return workflow.unsafe.in_sandbox()


@pytest.mark.parametrize("sandboxed", [True, False])
async def test_a_worker_runs_workflows_in_the_sandbox_where_it_is_told_to(
    dev_server: DevServer, sandboxed: bool
) -> None:
    client = await dev_server.client()
    queue = f"sandboxed-{sandboxed}"
    async with make_worker(client, queue, [], [Sandboxed], (), QuerySafety.EVICT, sandboxed=sandboxed):
        assert await client.execute_workflow(Sandboxed.run, id=queue, task_queue=queue) is sandboxed


def test_the_cache_may_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_CACHED_WORKFLOWS", "3000")
    assert load_settings().worker_cached_workflows == 3000
    monkeypatch.setenv("WORKER_CACHED_WORKFLOWS", "0")
    with pytest.raises(SettingsError, match="WORKER_CACHED_WORKFLOWS"):
        load_settings()


def test_the_sandbox_is_off_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKER_SANDBOX", raising=False)
    assert load_settings().worker_sandbox is False
    monkeypatch.setenv("WORKER_SANDBOX", "true")
    assert load_settings().worker_sandbox is True

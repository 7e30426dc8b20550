"""The watch for stuck workflows reads a bounded number of them at a time, and suspects at once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowExecutionAsyncIterator, WorkflowHandle
from temporalio.worker import Worker

from incidents import metrics
from incidents.app.liveness import standstill_watch, sweep
from incidents.app.liveness.known_runs import KnownRuns
from incidents.app.liveness.run_readings import read
from incidents.app.liveness.standstill_watch import StandstillWatch
from incidents.domain.standstill import FAILURES, Reason, RunReading
from incidents.names import HEARTBEAT_WORKFLOW, INCIDENT_WORKFLOW, POSTMORTEM_WORKFLOW
from sandbox import temporal_server
from sandbox.temporal_server import connected, running_temporal
from tests.support.incidents import RUNBOOK
from tests.support.servers.dev_server import DevServer

NOBODY, QUEUE = "nobody", "broken"
AT_ONCE = 3
INCIDENTS, POSTMORTEMS = 7, 4


@workflow.defn(name="IncidentWorkflow", sandboxed=False)
class Broken:
    """An incident whose workflow task fails."""

    @workflow.run
    async def run(self) -> None:
        """Fail."""
        raise RuntimeError("boom")


async def start(client: Client, kind: str, name: str, queue: str = NOBODY) -> WorkflowHandle[object, object]:
    return await client.start_workflow(kind, id=name, task_queue=queue, task_timeout=timedelta(seconds=1))


async def listed(client: Client, number: int) -> None:
    """Wait until visibility lists so many open workflows."""
    async with asyncio.timeout(30):
        while (await client.count_workflows("ExecutionStatus = 'Running'")).count != number:  # noqa: ASYNC110 - nothing else tells it
            await asyncio.sleep(0.1)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the workflows that the sweeps read, of which a round reads few."""
    found: list[str] = []

    async def reads(client: Client, workflow_id: str, run_id: str) -> RunReading | None:
        found.append(workflow_id)
        return await read(client, workflow_id, run_id)

    monkeypatch.setattr(sweep, "read", reads)
    monkeypatch.setattr(standstill_watch, "URGENT_AT_ONCE", AT_ONCE)
    monkeypatch.setattr(standstill_watch, "OTHERS_AT_ONCE", 1)
    return found


async def test_a_round_reads_few_and_the_rounds_reach_all(dev_server: DevServer, seen: list[str]) -> None:
    client = await dev_server.client()
    incidents = [await start(client, INCIDENT_WORKFLOW, f"incident-{each}") for each in range(INCIDENTS)]
    for each in range(POSTMORTEMS):
        await start(client, POSTMORTEM_WORKFLOW, f"postmortem-{each}")
    await listed(client, INCIDENTS + POSTMORTEMS)
    watch = StandstillWatch(client, RUNBOOK, NOBODY)
    for number in range(1, POSTMORTEMS + 1):
        assert await watch.read() == [], "what was not read yet is unknown, and unknown is not 0"
        await watch.round()
        assert len(seen) <= number * (AT_ONCE + 1)
    await watch.round()
    assert {*seen} == {f"incident-{each}" for each in range(INCIDENTS)} | {
        f"postmortem-{each}" for each in range(POSTMORTEMS)
    }
    assert {sample.metric for sample in await watch.read()} >= {metrics.STUCK, metrics.OBLIGATIONS_OVERDUE}

    await incidents[0].terminate()
    await listed(client, INCIDENTS + POSTMORTEMS - 1)
    for _ in range(2 * INCIDENTS):
        await watch.round()
    assert "incident-0" not in {run.workflow_id for run in watch._runs.incidents()}


@pytest.mark.timeout(120)
async def test_what_temporal_reports_a_problem_of_is_read_before_its_turn(
    monkeypatch: pytest.MonkeyPatch, seen: list[str]
) -> None:
    soon = "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=1"
    monkeypatch.setattr(temporal_server, "DYNAMIC_CONFIG", (*temporal_server.DYNAMIC_CONFIG, soon))
    monkeypatch.setattr(standstill_watch, "URGENT_AT_ONCE", 1)
    with running_temporal() as (address, _):
        client = await connected(address)
        async with Worker(client, task_queue=QUEUE, workflows=[Broken]):
            broken = await start(client, INCIDENT_WORKFLOW, "incident-broken", QUEUE)
            for each in range(INCIDENTS):  # newer ones, which the sweep comes to before
                await start(client, INCIDENT_WORKFLOW, f"incident-{each}")
            await listed(client, INCIDENTS + 1)
            async with asyncio.timeout(60):
                while not await is_suspect(client):  # noqa: ASYNC110 - nothing else tells it
                    await asyncio.sleep(0.2)
                while (await attempt(client, broken)) <= FAILURES:  # noqa: ASYNC110 - nothing else tells it
                    await asyncio.sleep(0.2)
            await StandstillWatch(client, RUNBOOK, QUEUE).round()
            assert "incident-broken" not in seen, "its turn has not come"
            report = client.get_workflow_handle(f"standstill-incident-broken-{broken.first_execution_run_id}")
            assert (await report.describe()).workflow_type == "StandstillWorkflow"


async def is_suspect(client: Client) -> bool:
    return (await client.count_workflows("TemporalReportedProblems IS NOT NULL")).count == 1


async def attempt(client: Client, handle: WorkflowHandle[object, object]) -> int:
    found = await read(client, handle.id, handle.first_execution_run_id or "")
    return found.task.attempt if found and found.task else 0


async def test_a_server_that_reports_no_problems_is_watched_all_the_same(
    dev_server: DevServer, monkeypatch: pytest.MonkeyPatch, seen: list[str]
) -> None:
    client = await dev_server.client()
    await start(client, INCIDENT_WORKFLOW, "incident-1")
    await listed(client, 1)
    lists, asked = client.list_workflows, list[str]()

    def of_another_release(query: str, **more: Any) -> WorkflowExecutionAsyncIterator:
        asked.append(query)
        return lists(query.replace("TemporalReportedProblems", "NotInThisRelease"), **more)

    monkeypatch.setattr(client, "list_workflows", of_another_release)
    watch = StandstillWatch(client, RUNBOOK, NOBODY)
    await watch.round()
    await watch.round()
    assert seen == ["incident-1", "incident-1"]
    assert sum("TemporalReportedProblems" in query for query in asked) == 1, "it is not asked again"


def reading(name: str, kind: str = INCIDENT_WORKFLOW, **more: Any) -> RunReading:
    return RunReading(workflow_id=name, run_id=name, workflow_type=kind, task_queue="q", **more)


def test_of_others_than_incidents_only_what_is_not_well_is_kept() -> None:
    runs = KnownRuns()
    runs.put(reading("well"), None)
    runs.put(reading("beat", HEARTBEAT_WORKFLOW), None)
    runs.put(reading("post", POSTMORTEM_WORKFLOW, failing=("ticket",)), None)
    runs.put(reading("stuck", HEARTBEAT_WORKFLOW), Reason.WAITING)
    assert runs.ids == {"well", "post", "stuck"}
    assert [run.run_id for run in runs.to_read_again(9, {"well"})] == [], "they were read in this round"
    runs.begin_round()
    assert [run.run_id for run in runs.to_read_again(9, {"well"})] == ["well", "post", "stuck"]
    assert [run.run_id for run in runs.to_read_again(1, ())] == ["post"], "the oldest reading comes first"
    runs.end_pass([HEARTBEAT_WORKFLOW])
    assert "stuck" in runs.ids, "this pass read it"
    runs.end_pass([HEARTBEAT_WORKFLOW])
    assert "stuck" not in runs.ids

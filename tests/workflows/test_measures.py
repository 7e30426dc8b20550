"""What workflows count reaches the SDK's metrics once, however often their histories are replayed."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from incidents import metrics
from incidents.app.liveness.query_safety import QuerySafety
from incidents.app.telemetry.sdk_metrics import measured_runtime
from incidents.domain.incident import commands as c
from tests.support.environment import QUEUE, World
from tests.support.fake_activities import FakeActivities
from tests.support.incidents import T0, opened
from tests.support.servers.dev_server import DevServer
from workflows.telemetry.measures import Measures


@pytest.fixture
async def world(dev_server: DevServer) -> World:
    """A world whose worker replays the whole history for each query and each task: its cache is off."""
    plain = await dev_server.client()
    client = await Client.connect(
        plain.service_client.config.target_host,
        namespace=plain.namespace,
        data_converter=pydantic_data_converter,
        runtime=measured_runtime().runtime,
    )
    env = WorkflowEnvironment.from_client(client)
    return World(env=env, activities=FakeActivities(), safety=QuerySafety.NO_CACHE)


FAILED: list[str] = []
"""The runs of `Failing` whose first workflow task has failed."""


@workflow.defn(sandboxed=False)
class Failing:
    """Counts an acknowledgement in a workflow task that fails once. What executes it again is no replay."""

    @workflow.run
    async def run(self) -> None:
        incident = opened().replace(acknowledged_at=T0, first_run_id=workflow.info().run_id)
        Measures(opened()).record(incident)
        if workflow.info().run_id not in FAILED:
            FAILED.append(workflow.info().run_id)
            raise RuntimeError("this workflow task fails")


def counted(world: World) -> dict[str, float]:
    """What the incident of that world has counted: counters, and the number of values of each histogram."""
    text = httpx.get(measured_runtime().url, trust_env=False).text
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("namespace") == world.env.client.namespace
        and sample.name.startswith("incidents_")
        and sample.name.endswith(("_total", "_count"))
    }


async def test_an_incident_is_counted_once_though_its_history_is_replayed(world: World) -> None:
    async with world.worker():
        await world.open()
        await world.tell(c.Acknowledge(id="1", by="ann"))
        await world.tell(c.Resolve(id="2", by="ann", force=True, reason="fixed"))
        for _ in range(5):
            assert (await world.incident()).resolved_by == "ann"
        expected = (
            metrics.OPENED.name,
            *(f"{each.name}_count" for each in (metrics.TIME_TO_PAGE, metrics.TIME_TO_ACKNOWLEDGE)),
            f"{metrics.TIME_TO_RESOLVE.name}_count",
            f"{metrics.UPDATE_LATENESS.name}_count",
        )
        assert counted(world) == dict.fromkeys(expected, 1)


async def test_the_next_run_of_an_incident_counts_only_what_is_new(world: World) -> None:
    async with world.worker():
        await world.open(history_limit=60)
        first = world.handle.first_execution_run_id
        for number in range(12):
            await world.tell(c.AddNote(id=f"n{number}", by="ann", text=f"note {number}"))
        await world.tell(c.Acknowledge(id="1", by="ann"))
        described = await world.env.client.get_workflow_handle(world.handle.id).describe()
        assert described.run_id != first, "it continued as new"
        found = counted(world)
        assert found[metrics.OPENED.name] == found[f"{metrics.TIME_TO_PAGE.name}_count"] == 1
        assert found[f"{metrics.TIME_TO_ACKNOWLEDGE.name}_count"] == 1


async def test_a_workflow_task_that_is_executed_again_counts_once(world: World) -> None:
    client = world.env.client
    async with Worker(client, task_queue=QUEUE, workflows=[Failing]):
        handle = await client.start_workflow(Failing.run, id="failing", task_queue=QUEUE)
        await handle.result()
    assert [handle.result_run_id] == FAILED
    assert counted(world) == {f"{metrics.TIME_TO_ACKNOWLEDGE.name}_count": 1}

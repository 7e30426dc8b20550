"""A worker can always forget a run: one that it could not forget would stand still until the worker restarts.

An activation that takes longer than the SDK allows (a busy machine is enough) is evicted while it still runs, in
another thread. Work that waits to be begun is then lost, and the SDK tries to evict the run for ever.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import WorkflowSerializationContext
from temporalio.worker import UnsandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox import _runner as sandbox

from incidents.app.liveness.query_safety import QuerySafety, guarded_worker
from tests.conftest import NO_DEADLOCK_DETECTOR
from tests.support.environment import World
from tests.support.servers.dev_server import DevServer

QUEUE = "evictions"
STALLS: list[str] = []
"""The runs whose first activation has stalled. Later ones do not, as on a machine that is no longer busy."""


@asynccontextmanager
async def a_worker(client: Client, *workflows: type) -> AsyncIterator[None]:
    async with guarded_worker(
        QuerySafety.EVICT,
        client=client,
        task_queue=QUEUE,
        workflows=workflows,
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield


@pytest.fixture(autouse=True)
def as_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the SDK's deadlock detector: what it does is tried here."""
    monkeypatch.delenv(NO_DEADLOCK_DETECTOR)


@pytest.fixture
async def client(dev_server: DevServer) -> Client:
    return await dev_server.client()


def stall_once(run: str) -> None:
    """Take longer than the SDK allows, which is 2 s."""
    if run not in STALLS:
        STALLS.append(run)
        time.sleep(6)


@workflow.defn
class Stalled:
    """Begins work, and stalls before the work has its turn."""

    @workflow.run
    async def run(self) -> int:
        work = [asyncio.create_task(workflow.sleep(0.1)) for _ in range(8)]
        stall_once(workflow.info().run_id)
        await asyncio.gather(*work)
        return len(work)


async def test_a_run_whose_activation_stalls_goes_on(client: Client) -> None:
    async with asyncio.timeout(50):
        async with a_worker(client, Stalled):
            handle = await client.start_workflow(
                Stalled.run, id="stalled", task_queue=QUEUE, task_timeout=timedelta(seconds=3)
            )
            assert await handle.result() == 8
    assert [handle.first_execution_run_id] == STALLS


@workflow.defn
class Stubborn:
    """Has work that refuses to end."""

    def __init__(self) -> None:
        self._told = False

    @workflow.run
    async def run(self) -> str:
        asyncio.create_task(self._refuse())  # noqa: RUF006  # that nobody keeps it is a part of what is tried
        await workflow.wait_condition(lambda: self._told)
        return "told"

    async def _refuse(self) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except BaseException:
                continue

    @workflow.signal
    def tell(self) -> None:
        self._told = True

    @workflow.query
    def told(self) -> bool:
        return self._told


async def test_a_run_whose_work_refuses_to_end_goes_on(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.timeout(50):
        async with a_worker(client, Stubborn):
            handle = await client.start_workflow(Stubborn.run, id="stubborn", task_queue=QUEUE)
            assert await handle.query(Stubborn.told) is False  # the run is evicted after it
            await handle.signal(Stubborn.tell)
            assert await handle.result() == "told"
    said = [record.message for record in caplog.records if record.name == "incidents.app.liveness.eviction"]
    assert said, "at each attempt, of which a busy machine has more than one"
    assert all("stubborn" in message for message in said)


@pytest.mark.parametrize("name", ["get_serialization_context", "get_external_store_context"])
async def test_no_payload_enters_a_run(empty_world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It would be a second thread in the run, and a quarter of the worker's CPU."""
    asked = []
    monkeypatch.setattr(sandbox._Instance, name, lambda *_: asked.append(name))
    async with empty_world.worker():
        await empty_world.open()
    assert asked == []


def test_without_encryption_our_payloads_depend_on_no_context() -> None:
    context = WorkflowSerializationContext(namespace="default", workflow_id="w")
    assert pydantic_data_converter.with_context(context) is pydantic_data_converter
    assert (pydantic_data_converter.payload_codec, pydantic_data_converter.external_storage) == (None, None)

"""The time-skipping server goes on where it would stand still for ever."""

from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.api.testservice.v1 import LockTimeSkippingRequest
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from incidents.rehearsal.server import pass_time, skipping_server
from workflows.waiting import updatable_timer

QUEUE = "rehearsal-server"


@workflow.defn(sandboxed=False)
class WaitsAnHour:
    """Waits for an hour."""

    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(timedelta(hours=1))
        return "an hour later"


async def test_a_clock_that_nothing_should_hold_any_more_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidents.rehearsal.server._CALLS", 1)  # a second call would release it, too, but later
    runner = UnsandboxedWorkflowRunner()
    async with (
        skipping_server() as env,
        Worker(env.client, task_queue=QUEUE, workflows=[WaitsAnHour], workflow_runner=runner),
    ):
        began = await env.get_current_time()
        handle = await env.client.start_workflow(WaitsAnHour.run, id="waits", task_queue=QUEUE)
        await env.client.test_service.lock_time_skipping(LockTimeSkippingRequest())
        await pass_time(env, handle, timedelta(hours=2))
        assert await env.get_current_time() - began >= timedelta(hours=2)
        assert await handle.result() == "an hour later"


async def test_no_timer_is_shorter_than_a_second_on_this_server() -> None:
    shipped = updatable_timer.SHORTEST
    async with skipping_server():
        assert updatable_timer.SHORTEST == 1.0
    assert updatable_timer.SHORTEST == shipped < 0.01

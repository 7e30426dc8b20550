"""The time-skipping server goes on where it would stand still for ever."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.testservice.v1 import LockTimeSkippingRequest
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from incidents.rehearsal.server import check_lateness, pass_time, skipping_server
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


class SlowServer:
    """A server whose clock advances by a minute between two answers; its sleep does not return."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    async def get_current_time(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    async def sleep(self, _: timedelta) -> None:
        await asyncio.Event().wait()


async def test_a_clock_that_advances_slowly_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    released = AsyncMock()
    monkeypatch.setattr("incidents.rehearsal.server._CHECK_AFTER", 0.001)
    monkeypatch.setattr("incidents.rehearsal.server._release_clock", released)
    slow: Any = SlowServer()
    began = slow.now
    await pass_time(slow, None, timedelta(hours=1))
    assert slow.now - began >= timedelta(hours=1)
    released.assert_not_awaited()


def task(kind: str, seconds: float) -> HistoryEvent:
    event = HistoryEvent(event_type=EventType.Value(f"EVENT_TYPE_WORKFLOW_TASK_{kind}"))
    event.event_time.FromMilliseconds(round(seconds * 1000))
    return event


class Histories:
    """A client of a server with one workflow of two runs."""

    def __init__(self, *first: HistoryEvent) -> None:
        started = HistoryEvent()
        started.workflow_execution_started_event_attributes.continued_execution_run_id = "first"
        last = [started, task("SCHEDULED", 9000), task("COMPLETED", 9001)]
        self.runs = {"first": [HistoryEvent(), *first], None: last}

    def get_workflow_handle(self, workflow_id: str, *, run_id: str | None) -> Any:
        async def fetch_history() -> Any:
            return SimpleNamespace(events=self.runs[run_id])

        return SimpleNamespace(fetch_history=fetch_history)


LOST = (
    task("SCHEDULED", 5),
    task("STARTED", 5),
    task("TIMED_OUT", 15),
    task("SCHEDULED", 2400),
    task("COMPLETED", 2400),
)
"""A task that the worker dropped, and that the server gave out again when the time had been skipped."""


def timer(kind: str, seconds: float) -> HistoryEvent:
    """The timer of an hour: started, fired or canceled."""
    event = HistoryEvent(event_type=EventType.Value(f"EVENT_TYPE_TIMER_{kind}"))
    event.event_time.FromMilliseconds(round(seconds * 1000))
    if kind == "STARTED":
        event.timer_started_event_attributes.timer_id = "1"
        event.timer_started_event_attributes.start_to_fire_timeout.FromSeconds(3600)
    elif kind == "FIRED":
        event.timer_fired_event_attributes.timer_id = "1"
    else:
        event.timer_canceled_event_attributes.timer_id = "1"
    return event


ASLEEP = (task("SCHEDULED", 5), task("COMPLETED", 6), timer("STARTED", 6))


@pytest.mark.parametrize("awake", [timer("FIRED", 3607), timer("CANCELED", 200)])
async def test_an_incident_that_sleeps_is_not_late(awake: HistoryEvent) -> None:
    sound: Any = Histories(*ASLEEP, awake, task("SCHEDULED", 4000), task("COMPLETED", 4001))
    await check_lateness(sound, "incident")


@pytest.mark.parametrize("events", [LOST, (*ASLEEP, task("SCHEDULED", 7200)), (*ASLEEP, timer("FIRED", 7200))])
async def test_time_that_passed_without_the_incident_is_noticed(events: tuple[HistoryEvent, ...]) -> None:
    faulty: Any = Histories(*events)
    with pytest.raises(TimeoutError):
        await check_lateness(faulty, "incident")


async def test_no_timer_is_shorter_than_a_second_on_this_server() -> None:
    shipped = updatable_timer.SHORTEST
    async with skipping_server():
        assert updatable_timer.SHORTEST == 1.0
    assert updatable_timer.SHORTEST == shipped < 0.01

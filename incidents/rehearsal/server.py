"""The time-skipping server of Temporal, and what its clients need to bear with it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.api.enums.v1 import EventType, IndexedValueType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.testservice.v1 import UnlockTimeSkippingRequest
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
)
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from incidents.app.connection import runtime
from incidents.rehearsal.needs import find_server
from incidents.search_attributes import SEARCH_ATTRIBUTES
from sandbox.server import RunningSandbox
from workflows.waiting import updatable_timer

_UNHANDLED = "nothing"
"""A signal that no workflow handles."""
_CALLS = 2
_WAKES = 6
_LATE = timedelta(seconds=30)
"""Virtual time by which a workflow may be late: it passes as real time does while a workflow is at work."""
_CHECK_AFTER = 2.0
"""Seconds without an answer after which the clock is checked."""
_MOVES = timedelta(seconds=2)
"""Virtual time by which a clock that does not stand still gains on the real one between two checks."""


@contextlib.asynccontextmanager
async def skipping_server(converter: DataConverter = pydantic_data_converter) -> AsyncIterator[WorkflowEnvironment]:
    """Return a time-skipping server that knows our search attributes; it ends with the block."""
    starting = WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=find_server(), data_converter=converter, runtime=runtime()
    )
    attributes = {k.name: IndexedValueType.ValueType(k.indexed_value_type) for k in SEARCH_ATTRIBUTES}
    request = AddSearchAttributesRequest(namespace="default", search_attributes=attributes)
    with _without_short_timers():
        async with await starting as env:
            await env.client.operator_service.add_search_attributes(request)
            yield env


@contextlib.contextmanager
def _without_short_timers() -> Iterator[None]:
    """Let no timer of this process's workflows be shorter than a second.

    A shorter one may fire while its workflow is in a task that cancels it. This server then rejects the task, but keeps
    half of what it commands, and rejects all that follow (docs/temporal-notes.md#virtual-time).
    """
    before, updatable_timer.SHORTEST = updatable_timer.SHORTEST, 1.0
    try:
        yield
    finally:
        updatable_timer.SHORTEST = before


async def wake(handle: WorkflowHandle[Any, Any] | None) -> None:
    """Give a workflow, if there is one, a task that does nothing: a signal that nobody handles.

    Under load the server sometimes loses a task: the timer has fired, and nobody is told. Whatever comes next tells it.
    """
    if handle is None:
        return
    with contextlib.suppress(RPCError):  # it has ended
        await handle.signal(_UNHANDLED)


async def pass_time(env: WorkflowEnvironment, handle: WorkflowHandle[Any, Any] | None, left: timedelta) -> None:
    """Let virtual time pass; where the server stands still, wake the workflow.

    On a busy machine the server does not always answer in time, or never; then what is left passes by another call.

    Raises:
        TimeoutError: it stands still for good.
    """
    until = await env.get_current_time() + left
    for _ in range(_CALLS):
        sleeping = asyncio.create_task(env.sleep(until - await env.get_current_time()))
        for _ in range(_WAKES):
            if not await _stands_still(env, sleeping, until):
                break
            await wake(handle)
            await _release_clock(env, handle)
        sleeping.cancel()
        with contextlib.suppress(RPCError, asyncio.CancelledError):
            await sleeping
        if await env.get_current_time() >= until:
            return
    raise TimeoutError(f"{until - await env.get_current_time()} of virtual time do not pass")


async def _stands_still(env: WorkflowEnvironment, sleeping: asyncio.Task[None], until: datetime) -> bool:
    """Wait until the sleep is over, and return False; or until the clock stands still.

    A clock that advances is left alone, however slowly it does: to release it takes a lock that a request to the server
    holds. That request fails when it returns the lock (`Unbalanced lock and unlock calls`), and is never recorded.
    """
    while True:
        began, before = time.monotonic(), await env.get_current_time()
        done, _ = await asyncio.wait({sleeping}, timeout=_CHECK_AFTER)
        after, took = await env.get_current_time(), timedelta(seconds=time.monotonic() - began)
        if done or after >= until:
            return False
        if after - before < took + _MOVES:
            return True


async def _release_clock(env: WorkflowEnvironment, handle: WorkflowHandle[Any, Any] | None) -> None:
    """Let time be skipped again if the workflow has nothing to do.

    The clock stands still while it has. This server sometimes keeps it so after a run has continued as new.
    """
    if handle is None or (await describe(env.client, handle.id)).pending_activities or await _has_task(handle):
        return
    with contextlib.suppress(RPCError):  # nothing holds the clock
        await env.client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())


async def _has_task(handle: WorkflowHandle[Any, Any]) -> bool:
    """Return whether the workflow has a task; if the clock were released now, the workflow would miss its timers.

    A task that the worker has dropped may stay so: then the attempt fails, and the rehearsal is repeated.
    """
    last = (await handle.fetch_history()).events[-1].event_type
    return last in (EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED)


async def describe(client: Client, workflow_id: str) -> DescribeWorkflowExecutionResponse:
    """Ask the server itself: the SDK cannot read the search attributes with which this one describes a run."""
    asked = DescribeWorkflowExecutionRequest(namespace=client.namespace)
    asked.execution.workflow_id = workflow_id
    return await client.workflow_service.describe_workflow_execution(asked)


async def check_lateness(client: Client, workflow_id: str) -> None:
    """Check that every task and timer of a workflow was handled when it was due, in all of its runs.

    Raises:
        TimeoutError: virtual time was skipped before one of them.
    """
    run_id: str | None = None
    while run_id != "":
        events = (await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()).events
        _check_events(events)
        run_id = events[0].workflow_execution_started_event_attributes.continued_execution_run_id


def _check_events(events: Iterable[HistoryEvent]) -> None:
    owed: dict[str, datetime] = {}
    """Due times by timer id; "" for the workflow task."""
    for event in events:
        at = event.event_time.ToDatetime(UTC)
        if any(at - due > _LATE for due in owed.values()):
            raise TimeoutError("a task or a timer came late")
        started = event.timer_started_event_attributes
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
                owed.setdefault("", at)
            case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                owed.pop("", None)
            case EventType.EVENT_TYPE_TIMER_STARTED:
                owed[started.timer_id] = at + started.start_to_fire_timeout.ToTimedelta()
            case EventType.EVENT_TYPE_TIMER_FIRED:
                owed.pop(event.timer_fired_event_attributes.timer_id)
            case EventType.EVENT_TYPE_TIMER_CANCELED:
                owed.pop(event.timer_canceled_event_attributes.timer_id)


class VendorsClock(Interceptor):
    """Sets the vendors' clocks to the virtual time at which a request to them is made."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """As of `Interceptor`."""
        return _ClockSet(next, self.sandbox)


class _ClockSet(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, sandbox: RunningSandbox) -> None:
        super().__init__(following)
        self.sandbox = sandbox

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        self.sandbox.clock(activity.info().started_time)
        return await super().execute_activity(input)


class _Nowhere:
    """A client of a server without visibility and without schedules: no earlier incidents, and no recorder."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def list_workflows(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        none: Iterator[Any] = iter(())
        for execution in none:
            yield execution

    def get_schedule_handle(self, *_: Any) -> Any:
        raise RPCError("no such schedule", RPCStatusCode.NOT_FOUND, b"")


def quiet_client(client: Client) -> Client:
    """Return the client, but with no earlier incidents and no recorder: the server has neither lists nor schedules."""
    found: Any = _Nowhere(client)
    return found  # type: ignore[no-any-return]

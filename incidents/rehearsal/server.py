"""The time-skipping server of Temporal, and what its clients need to bear with it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.api.enums.v1 import IndexedValueType
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
_CALLS = 3
_WAKES = 16
_PATIENCE = 2.0
"""Seconds without an answer until the workflow is woken."""


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
        for wakes in range(_WAKES):
            done, _ = await asyncio.wait({sleeping}, timeout=_PATIENCE)
            if done or await env.get_current_time() >= until:
                break
            await (_release_clock(env, handle) if wakes % 2 else wake(handle))
        sleeping.cancel()
        with contextlib.suppress(RPCError, asyncio.CancelledError):
            await sleeping
        if await env.get_current_time() >= until:
            return
    raise TimeoutError


async def _release_clock(env: WorkflowEnvironment, handle: WorkflowHandle[Any, Any] | None) -> None:
    """Let time be skipped again if no activity is in progress.

    The clock stands still while one is. This server sometimes keeps it so after a run has continued as new.
    """
    if handle is not None and not (await describe(env.client, handle.id)).pending_activities:
        with contextlib.suppress(RPCError):  # nothing holds the clock
            await env.client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())


async def describe(client: Client, workflow_id: str) -> DescribeWorkflowExecutionResponse:
    """Ask the server itself: the SDK cannot read the search attributes with which this one describes a run."""
    asked = DescribeWorkflowExecutionRequest(namespace=client.namespace)
    asked.execution.workflow_id = workflow_id
    return await client.workflow_service.describe_workflow_execution(asked)


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

"""The time-skipping server of Temporal, and what its clients need to bear with it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import activity
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
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

_UNHANDLED = "nothing"
"""A signal that no workflow handles."""
_CALLS = 3
_WAKES = 10
_LAST_WAIT = 60.0
T = TypeVar("T")


@contextlib.asynccontextmanager
async def skipping_server(converter: DataConverter = pydantic_data_converter) -> AsyncIterator[WorkflowEnvironment]:
    """Return a time-skipping server that knows our search attributes; it ends with the block."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=find_server(), data_converter=converter, runtime=runtime()
    ) as env:
        attributes = {k.name: IndexedValueType.ValueType(k.indexed_value_type) for k in SEARCH_ATTRIBUTES}
        request = AddSearchAttributesRequest(namespace="default", search_attributes=attributes)
        await env.client.operator_service.add_search_attributes(request)
        yield env


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

    On a busy machine the server does not always answer in time; then what is left passes by another call.
    """
    until = await env.get_current_time() + left
    for _ in range(_CALLS - 1):
        with contextlib.suppress(RPCError):
            await _pass(env, handle, left)
        if (left := until - await env.get_current_time()) <= timedelta():
            return
    await _pass(env, handle, left)


async def _pass(env: WorkflowEnvironment, handle: WorkflowHandle[Any, Any] | None, left: timedelta) -> None:
    await until_done(asyncio.create_task(env.sleep(left)), handle)


async def until_done(waiting: asyncio.Task[T], handle: WorkflowHandle[Any, Any] | None) -> T:
    """Return what the task returns; where the server stands still, wake the workflow.

    Raises:
        TimeoutError: it stands still for good.
    """
    for _ in range(_WAKES):
        done, _ = await asyncio.wait({waiting}, timeout=4)
        if done:
            return await waiting
        await wake(handle)
    async with asyncio.timeout(_LAST_WAIT):
        return await waiting


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
        await asyncio.to_thread(self.sandbox.clock, activity.info().started_time)
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

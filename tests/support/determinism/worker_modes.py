"""Ways in which a worker may come to see a history in other pieces: determinism tests run in each of them."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

import pytest
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError

from incidents.app.liveness import query_safety
from incidents.app.liveness.query_safety import QuerySafety, came_alone
from tests.support.thoroughness import by_thoroughness

DAY = "TEST_DAY"
"""The number of the day on which the tests began: tests/conftest.py sets it once for all processes of a run."""


class Mode(StrEnum):
    """How the worker caches, and who reads meanwhile."""

    AS_SHIPPED = "as shipped"
    CACHE_OFF = "cache off"
    EVICTED = "evicted after every task"
    QUERIED = "queried between every two tasks"

    @property
    def safety(self) -> QuerySafety:
        """The worker's setting."""
        return QuerySafety.NO_CACHE if self is Mode.CACHE_OFF else QuerySafety.EVICT


def modes_in_turn() -> list[Mode]:
    """The mode of this run, another each day; all of them in the long form."""
    modes = list(Mode)
    return by_thoroughness([modes[int(os.environ[DAY]) % len(modes)]], modes)


class Reader:
    """Queries a workflow after each of its tasks."""

    def __init__(self, client: Client) -> None:
        """Ask by that client, on the loop that runs now."""
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._ids: dict[str, str] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self.answered = asyncio.Event()

    def after(self, act: WorkflowActivation) -> bool:
        """Ask the workflow of a task; tell whether the run is to be evicted. It is called in the workflow's thread."""
        for job in act.jobs:
            if job.HasField("initialize_workflow"):
                self._ids[act.run_id] = job.initialize_workflow.workflow_id
        if any(job.HasField("query_workflow") for job in act.jobs):
            return came_alone(act)
        if not act.is_replaying:
            self._loop.call_soon_threadsafe(self._ask, self._ids[act.run_id])
        return False

    def _ask(self, workflow_id: str) -> None:
        if self._asking:
            return  # one question waits already, and is answered between these two tasks
        task = asyncio.create_task(self._query(workflow_id))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _query(self, workflow_id: str) -> None:
        with contextlib.suppress(RPCError, WorkflowQueryFailedError):  # it may have ended, or be busy
            await self._client.get_workflow_handle(workflow_id).query("timeline", rpc_timeout=timedelta(seconds=5))
            self.answered.set()


def apply(mode: Mode, client: Client, patch: pytest.MonkeyPatch) -> Reader | None:
    """Let the workers that are made from now on be of that mode; return who reads, if anybody does."""
    reader = Reader(client) if mode is Mode.QUERIED else None
    when: dict[Mode, Callable[[WorkflowActivation], bool]] = {Mode.EVICTED: lambda act: True}
    if reader is not None:
        when[Mode.QUERIED] = reader.after
    if mode in when:
        patch.setattr(query_safety, "came_alone", when[mode])
    return reader

"""Maintenance windows by Temporal: start and end them, and read which run without asking a worker."""

import asyncio
import logging
import time
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.asking import NO_WORKER
from incidents.client.problems import CommandFailed, rejection
from incidents.contracts import WINDOWS_MEMO
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.alerting.started_windows import EndWindow, StartedWindow, StartedWindows, StartWindow
from incidents.domain.core.command import Receipt
from incidents.domain.core.text.untrusted import one_line
from incidents.names import MAINTENANCE_ID, MAINTENANCE_WORKFLOW
from incidents.priority import FIRST_RANK, priority_of

_log = logging.getLogger(__name__)

_RPC = timedelta(seconds=10)
_RPC_OF_INTAKE = timedelta(seconds=2)
"""An alert waits no longer for the windows: without them it opens its incident."""
_FRESH = 2.0
"""Seconds for which the windows that were read serve further alerts."""
_recent: WeakKeyDictionary[Client, tuple[float, "asyncio.Task[tuple[MaintenanceWindow, ...]]"]] = WeakKeyDictionary()
"""When each client last began to read the windows (monotonic seconds), and what it read."""


async def started_windows(client: Client, rpc_timeout: timedelta = _RPC) -> tuple[StartedWindow, ...]:
    """Return the windows that responders have started, from the memo of their workflow. Some may just be over.

    Raises:
        RPCError: Temporal did not answer.
    """
    try:
        run = await client.get_workflow_handle(MAINTENANCE_ID).describe(rpc_timeout=rpc_timeout)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:  # none was ever started
            return ()
        raise
    if run.status is not WorkflowExecutionStatus.RUNNING:
        return ()
    listed: tuple[StartedWindow, ...] = await run.memo_value(WINDOWS_MEMO, (), type_hint=tuple[StartedWindow, ...])
    return listed


async def recent_windows(client: Client) -> tuple[MaintenanceWindow, ...]:
    """Return the started windows as they were at most `_FRESH` seconds ago: a storm of alerts asks for them once.

    An incident that takes a window for running that was just ended is told so: ends are announced twice. If they cannot
    be read, the answer is that none runs: rather a page too many than an alert that is lost.
    """
    known = _recent.get(client)
    if known is None or time.monotonic() - known[0] > _FRESH:
        known = time.monotonic(), asyncio.create_task(_readable_windows(client))
        _recent[client] = known
    return await asyncio.shield(known[1])  # others wait for the same answer


async def _readable_windows(client: Client) -> tuple[MaintenanceWindow, ...]:
    try:
        return tuple(each.window for each in await started_windows(client, _RPC_OF_INTAKE))
    except Exception as error:  # such as no answer, no permission, or a memo that another version wrote
        _log.warning(
            "Started maintenance windows cannot be read (%s): alerts open incidents", one_line(str(error), 200)
        )
        return ()


async def send_window(
    client: Client, command: StartWindow | EndWindow, task_queue: str, answer_within: timedelta
) -> Receipt:
    """Start or end a window.

    Raises:
        CommandFailed: the command was rejected, or no worker answered.
        RPCError: Temporal did not answer.
    """
    try:
        receipt: Receipt = await client.execute_update_with_start_workflow(
            command.name,
            command,
            start_workflow_operation=_workflow_start(task_queue),
            id=command.id,
            result_type=Receipt,
            rpc_timeout=answer_within,
        )
    except WorkflowUpdateFailedError as error:
        raise rejection(error, "The list of maintenance windows") from None
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        raise _unanswered(answer_within) from None
    except RPCError as error:
        if error.status in NO_WORKER:
            raise _unanswered(answer_within) from None
        raise
    return receipt


def _workflow_start(task_queue: str) -> WithStartWorkflowOperation[Any, None]:
    return WithStartWorkflowOperation(
        MAINTENANCE_WORKFLOW,
        StartedWindows(),
        id=MAINTENANCE_ID,
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        priority=priority_of(FIRST_RANK),
        static_summary="Maintenance windows that responders have started",
    )


def _unanswered(answer_within: timedelta) -> CommandFailed:
    return CommandFailed(
        f"No worker answered within {answer_within.total_seconds():g} s, so it is not known whether that was done."
        " Check with `incident maintenance list`."
    )

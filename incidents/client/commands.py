"""Send a responder's command: as an update, or without a worker as a signal."""

import asyncio
import logging
import uuid
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.asking import NO_WORKER
from incidents.client.lookup import current, handle_of, is_open, label
from incidents.client.problems import CommandFailed, NotAuthorized, NotFound, Unconfirmed, rejection
from incidents.contracts import COMMAND_REFUSED, Unauthorized
from incidents.domain.core.base import Frozen
from incidents.domain.core.command import Command, Receipt
from incidents.domain.people.permissions import Permissions, name_of

_log = logging.getLogger(__name__)
_SEAM_RETRIES, _SEAM_PAUSE = 3, 0.2
"""How often and after how many seconds to send again what met an incident just as it continued as new."""
_AT_A_SEAM = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)
"""What Temporal then answers to an update: the run has ended, or its workflow task was rejected, and so the update.
A run cannot continue as new while something else arrives; it tries again with the next task."""


class Sent(BaseModel):
    """Result of a command. `queued`: no worker answered; it takes effect when one is back.

    `changed` is false if an earlier command did it. `revision`: the incident's revision after the command.
    """

    message: str
    changed: bool = True
    queued: bool = False
    revision: int = 0


async def send(
    client: Client, run: WorkflowExecution, command: Command, answer_within: timedelta, permissions: Permissions
) -> Sent:
    """Send the command to that incident, never to a later one with the same workflow id, and return the result.

    An update needs a worker to be accepted. Without a worker the command goes as a signal, which Temporal stores; the
    command's id ensures that it is applied once even if both arrive.

    This is where permissions are checked, for every way in. What is refused is recorded in the timeline (behavior 110).

    Raises:
        NotAuthorized: the sender may not send this command.
        IsPrivate: the command has an origin, and its sender may not see the incident.
        CommandFailed: the command was rejected, the incident is closed, or it is unknown whether the command arrived.
        Undecryptable: this process lacks the key of the workers, who would then lack its key. Nothing was sent.
    """
    command = command.replace(id=command.id or str(uuid.uuid4()))
    if not is_open(run):
        raise _ended(run)
    # The memo has the key of the workers. A command that they could not read would keep the incident from going on.
    await run.memo()
    if reason := permissions.refusal(command.name, command.by):
        await record_refusal(client, run, command, reason, answer_within)
        raise NotAuthorized(f"{reason} Nothing was changed.")
    return await _deliver(client, run, command, answer_within)


async def _deliver(client: Client, run: WorkflowExecution, command: Command, answer_within: timedelta) -> Sent:
    """Send the command as an update; if no worker answers, or too many updates are in flight, as a signal."""
    # The first run's id identifies the incident across its runs. Pinned to one run instead, an update that meets
    # continue-as-new fails until its timeout.
    handle = client.get_workflow_handle(run.id, first_execution_run_id=run.raw_info.first_run_id)
    try:
        receipt = await _update(client, run, handle, command, answer_within)
    except WorkflowUpdateFailedError as error:
        raise rejection(error, label(run)) from None
    except NotFound:
        raise _ended(run) from None
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        return await _queue(client, run, command, answer_within)
    except RPCError as error:
        if error.status in (*NO_WORKER, RPCStatusCode.RESOURCE_EXHAUSTED):
            return await _queue(client, run, command, answer_within)
        raise _unsent(error, run) from None
    return Sent(message=receipt.message, changed=receipt.changed, revision=receipt.revision)


async def _update(
    client: Client, run: WorkflowExecution, handle: WorkflowHandle[Any, Any], command: Command, answer_within: timedelta
) -> Receipt:
    """Send the update; again if it met the moment in which the incident continues as new."""
    for _ in range(_SEAM_RETRIES):
        try:
            return await _execute(handle, command, answer_within)
        except RPCError as error:
            if error.status not in _AT_A_SEAM or not is_open(await current(client, run)):
                raise
            await asyncio.sleep(_SEAM_PAUSE)
    return await _execute(handle, command, answer_within)


async def _execute(handle: WorkflowHandle[Any, Any], command: Command, answer_within: timedelta) -> Receipt:
    receipt: Receipt = await handle.execute_update(
        command.name, command, id=command.id, result_type=Receipt, rpc_timeout=answer_within
    )
    return receipt


async def _queue(client: Client, run: WorkflowExecution, command: Command, answer_within: timedelta) -> Sent:
    """Send the command as a signal to the incident's current run (signals cannot target the first run id)."""
    try:
        await _signal(client, run, command.name, command, answer_within)
    except NotFound:
        raise _ended(run) from None
    except RPCError as error:
        raise _unsent(error, run) from None
    message = (
        f"No worker answered within {answer_within.total_seconds():g} s. The command is queued and takes effect when a"
        " worker is back. Check with `incident timeline`."
    )
    return Sent(message=message, queued=True)


async def record_refusal(
    client: Client, run: WorkflowExecution, command: Command, reason: str, answer_within: timedelta
) -> None:
    """Record in the timeline that the command was refused; if that fails, in the log. The command is refused anyway."""
    refused = Unauthorized(command=name_of(command.name), by=command.by, reason=reason)
    try:
        await _signal(client, run, COMMAND_REFUSED, refused, answer_within)
    except (RPCError, CommandFailed, NotFound) as error:
        _log.warning("A refusal is not in the timeline of %s (%s): %s", label(run), error, reason)


async def _signal(
    client: Client, run: WorkflowExecution, name: str, argument: Frozen, answer_within: timedelta
) -> None:
    """Signal the current run; again if the incident continued as new in between, where that run is "not found"."""
    for left in reversed(range(_SEAM_RETRIES + 1)):
        run = await current(client, run)
        if not is_open(run):
            raise _ended(run)
        try:
            await handle_of(client, run).signal(name, argument, rpc_timeout=answer_within)
        except RPCError as error:
            if not left or error.status is not RPCStatusCode.NOT_FOUND:
                raise
            await asyncio.sleep(_SEAM_PAUSE)
        else:
            return


def _unsent(error: RPCError, run: WorkflowExecution) -> Exception:
    if error.status is RPCStatusCode.NOT_FOUND:
        return _ended(run)
    if error.status in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED):
        return Unconfirmed(
            "Lost the connection to Temporal; the command may or may not have arrived."
            " Check `incident timeline` before you send it again."
        )
    return error


def _ended(run: WorkflowExecution) -> CommandFailed:
    return CommandFailed(f"{label(run)} is closed. Nothing was changed. `incident list` shows open incidents.")

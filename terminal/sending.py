"""Sending a responder's command: as an update that answers, or as a signal that waits for a worker."""

import uuid
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from temporalio.client import (
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from runbook.commands import Command, Receipt


class Refusal(Exception):
    """The command was refused, or could not be given. One line says why."""


class Sent(BaseModel):
    """What became of a command. `queued`: no worker answered; it takes effect when one is back."""

    message: str
    changed: bool = True
    queued: bool = False
    revision: int = 0


async def send(handle: WorkflowHandle[Any, Any], command: Command, patience: timedelta) -> Sent:
    """Send the command, and return what became of it.

    An update needs a worker to be accepted at all. Without one the command goes as a signal, which Temporal keeps; the
    command's id makes sure that it is applied once even if both arrive.

    Raises:
        Refusal: the runbook refuses the command, or the incident has ended.
    """
    command = command.but(id=command.id or str(uuid.uuid4()))
    try:
        receipt: Receipt = await handle.execute_update(
            command.name, command, id=command.id, result_type=Receipt, rpc_timeout=patience
        )
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        raise Refusal(cause.message if isinstance(cause, ApplicationError) else str(cause or error)) from None
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        return await _queue(handle, command, patience)
    except RPCError as error:
        raise _ended(error, handle) from None
    return Sent(message=receipt.message, changed=receipt.changed, revision=receipt.revision)


async def _queue(handle: WorkflowHandle[Any, Any], command: Command, patience: timedelta) -> Sent:
    try:
        await handle.signal(command.name, command, rpc_timeout=patience)
    except RPCError as error:
        raise _ended(error, handle) from None
    seconds = round(patience.total_seconds())
    message = (
        f"No worker answered in {seconds} s. The command is recorded with the incident and takes effect when a worker"
        " is back; a refusal would be on its timeline."
    )
    return Sent(message=message, queued=True)


def _ended(error: RPCError, handle: WorkflowHandle[Any, Any]) -> Exception:
    if error.status is RPCStatusCode.NOT_FOUND:
        return Refusal(f"{handle.id} does not exist or has ended: nothing was changed.")
    return error

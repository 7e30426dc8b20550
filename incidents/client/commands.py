"""Sending a responder's command: as an update that answers, or as a signal that waits for a worker."""

import uuid
from datetime import timedelta

from pydantic import BaseModel
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.lookup import (
    NO_WORKER,
    current,
    handle_of,
    is_open,
    label,
)
from incidents.client.problems import Refusal as Refusal
from incidents.domain.incident.commands import Command, Receipt


class Sent(BaseModel):
    """What became of a command. `queued`: no worker answered; it takes effect when one is back.

    `changed` is false when another command had done it before. `revision`: the incident's, after the command.
    """

    message: str
    changed: bool = True
    queued: bool = False
    revision: int = 0


async def send(client: Client, run: WorkflowExecution, command: Command, patience: timedelta) -> Sent:
    """Send the command to that incident and to no later one of the same id, and return what became of it.

    An update needs a worker to be accepted at all. Without one the command goes as a signal, which Temporal keeps; the
    command's id makes sure that it is applied once even if both arrive.

    Raises:
        Refusal: the runbook refuses the command, the incident has ended, or Temporal does not say whether it arrived.
    """
    command = command.replace(id=command.id or str(uuid.uuid4()))
    if not is_open(run):
        raise _ended(run)
    # The first run's id stands for the incident in all its runs. Pinned to one run instead, an update that meets
    # continue-as-new is refused until its patience ends.
    handle = client.get_workflow_handle(run.id, first_execution_run_id=run.raw_info.first_run_id)
    try:
        receipt: Receipt = await handle.execute_update(
            command.name, command, id=command.id, result_type=Receipt, rpc_timeout=patience
        )
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        said = cause.message if isinstance(cause, ApplicationError) else str(cause or error)
        raise Refusal(" ".join(said.split())) from None
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        return await _queue(client, run, command, patience)
    except RPCError as error:
        if error.status in (*NO_WORKER, RPCStatusCode.RESOURCE_EXHAUSTED):
            return await _queue(client, run, command, patience)
        raise _unsent(error, run) from None
    return Sent(message=receipt.message, changed=receipt.changed, revision=receipt.revision)


async def _queue(client: Client, run: WorkflowExecution, command: Command, patience: timedelta) -> Sent:
    """Send the command as a signal, which knows no first run: so to the run in which the incident is now."""
    try:
        run = await current(client, run)
        await handle_of(client, run).signal(command.name, command, rpc_timeout=patience)
    except RPCError as error:
        raise _unsent(error, run) from None
    message = (
        f"No worker answered in {patience.total_seconds():g} s. The command is recorded with the incident and takes"
        " effect when a worker is back; see `incident timeline`."
    )
    return Sent(message=message, queued=True)


def _unsent(error: RPCError, run: WorkflowExecution) -> Exception:
    if error.status is RPCStatusCode.NOT_FOUND:
        return _ended(run)
    if error.status in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED):
        return Refusal(
            "Temporal stopped answering: it is not known whether the command arrived."
            " See `incident timeline` before you repeat it."
        )
    return error


def _ended(run: WorkflowExecution) -> Refusal:
    return Refusal(f"{label(run)} has ended: nothing was changed. `incident list` shows what is open.")

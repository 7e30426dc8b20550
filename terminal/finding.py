"""From what a responder types to the workflow that they mean."""

import asyncio
import re
from datetime import timedelta
from typing import Any, cast

from temporalio.client import Client, WorkflowExecution, WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from runbook.incident import Incident
from runbook.numbers import Numbered
from workflows.attributes import NUMBER
from workflows.contracts import INCIDENT_WORKFLOW, NUMBERS_ID

PATIENCE = timedelta(seconds=5)
"""How long to wait for a worker's answer."""
_TRIES = 6
_PAUSE = 0.5


class NotFound(Exception):
    """No such incident. One line says what was looked for."""


class NoAnswer(Exception):
    """No worker answered. One line says so, and that nothing is lost."""


async def find(client: Client, name: str) -> str:
    """Return the workflow id of the incident that is called `42`, `INC-42`, or by its workflow id.

    Visibility is asked first, because it answers without workers, then the counter itself, because visibility may be
    a moment late.

    Raises:
        NotFound: no incident of that number, also after a few seconds.
    """
    number = re.fullmatch(r"(?:INC-)?(\d+)", name.strip(), re.IGNORECASE)
    if number is None:
        return name.strip()
    for attempt in range(_TRIES):
        if attempt:
            await asyncio.sleep(_PAUSE)
        found = await _by_visibility(client, int(number[1])) or await _by_counter(client, int(number[1]))
        if found is not None:
            return found
    raise NotFound(f"No incident {number[1]} is known. `incident list --all` shows those that are.")


async def _by_visibility(client: Client, number: int) -> str | None:
    query = f"{NUMBER.name} = {number} AND WorkflowType = '{INCIDENT_WORKFLOW}'"
    async for execution in client.list_workflows(query, limit=1):
        return execution.id
    return None


async def _by_counter(client: Client, number: int) -> str | None:
    counter = client.get_workflow_handle(NUMBERS_ID)
    try:
        given = await counter.query("find", number, result_type=cast(type, Numbered | None), rpc_timeout=PATIENCE)
    except (RPCError, WorkflowQueryFailedError):
        return None
    return given.workflow_id if given else None


async def ask(handle: WorkflowHandle[Any, Any], query: str, kind: Any, what: str) -> Any:
    """Return a workflow's answer to a query.

    Raises:
        NotFound: the workflow does not exist.
        NoAnswer: no worker answered in time.
    """
    try:
        return await handle.query(query, result_type=kind, rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotFound(f"{what} does not exist.") from None
        if error.status in (
            RPCStatusCode.DEADLINE_EXCEEDED,
            RPCStatusCode.CANCELLED,
            RPCStatusCode.FAILED_PRECONDITION,
        ):
            raise NoAnswer(
                f"No worker answered for {what}. It is safe with Temporal and goes on when a worker is back;"
                " `incident list` works without one."
            ) from None
        raise


async def incident(client: Client, name: str) -> Incident:
    """Return the incident as it stands."""
    workflow_id = await find(client, name)
    handle = client.get_workflow_handle(workflow_id)
    found: Incident = await ask(handle, "incident", Incident, name)
    return found


async def listed(client: Client, *, everything: bool) -> list[WorkflowExecution]:
    """Return the open incidents, the newest first; with `everything`, also those that have ended."""
    query = f"WorkflowType = '{INCIDENT_WORKFLOW}'" + ("" if everything else " AND ExecutionStatus = 'Running'")
    found = [execution async for execution in client.list_workflows(query, limit=1000)]
    latest: dict[str, WorkflowExecution] = {}
    for execution in sorted(found, key=lambda e: e.start_time, reverse=True):
        if execution.status is None or execution.status.name != "CONTINUED_AS_NEW":
            latest.setdefault(f"{execution.id}/{execution.run_id}", execution)
    return list(latest.values())

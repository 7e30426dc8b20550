"""From what a responder types to the workflow run that they mean."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.problems import NoAnswer as NoAnswer
from incidents.client.problems import NotFound as NotFound
from incidents.names import FIND_NUMBER_QUERY, INCIDENT_QUERY, INCIDENT_WORKFLOW, NUMBERS_ID, POSTMORTEM_WORKFLOW
from incidents.search_attributes import NUMBER, POSTMORTEM, POSTMORTEM_DUE

if TYPE_CHECKING:  # models are slow to import, and `incident list` needs none
    from incidents.domain.incident.incident import Incident

PATIENCE = timedelta(seconds=5)
"""How long to wait for an answer of Temporal or of a worker."""
SEARCH = 3.0
"""Seconds to look for a number before saying that there is none: visibility is a moment late."""
MOST = 1000
"""How many incidents are listed at most."""
_PAUSE = 0.3
_FIRST_PAUSE = 0.25
"""Seconds until an unanswered query is sent again; then twice as long each time."""


async def find(client: Client, name: str) -> WorkflowExecutionDescription:
    """Return the incident's run that is called `42`, `INC-42`, or by its workflow id. It works without workers.

    A later incident of the same cause has the same workflow id. A number therefore leads to one run and its
    continuations, never to whatever runs under that id by now.

    Raises:
        NotFound: no incident of that number, also after `SEARCH` seconds; or no such workflow, or one that is none.
    """
    number = as_number(name)
    if number is None:
        run = await describe(client, name.strip())
    else:
        run = await _numbered(client, number)
    if run.workflow_type != INCIDENT_WORKFLOW:
        raise NotFound(f"{name} is no incident but a {run.workflow_type}.")
    return run


async def find_postmortem(client: Client, name: str) -> WorkflowExecutionDescription:
    """Return the run of an incident's post-mortem; `name` is what the incident is called, or the run's own id.

    Raises:
        NotFound: there is none.
    """
    number = as_number(name)
    if number is None:
        run = await describe(client, name.strip())
        if run.workflow_type == POSTMORTEM_WORKFLOW:
            return run
        number = run.typed_search_attributes.get(NUMBER)
    if number is None:
        raise NotFound(f"{name} has no number yet, and so no post-mortem.")
    try:
        return await describe(client, f"postmortem-{number}")
    except NotFound:
        raise NotFound(
            f"The post-mortem of INC-{number} does not exist: none is owed, or the incident is not resolved."
        ) from None


def as_number(name: str) -> int | None:
    """Return the number that a responder typed, or None if it is a workflow id."""
    match = re.fullmatch(r"(?:INC-)?(\d{1,9})", name.strip(), re.IGNORECASE)
    return int(match[1]) if match else None


def label(run: WorkflowExecution) -> str:
    """Return what people call the incident: `INC-42`, or its workflow id until it has a number."""
    number = run.typed_search_attributes.get(NUMBER)
    return f"INC-{number}" if number is not None else run.id


def is_open(run: WorkflowExecution) -> bool:
    """Tell whether that run goes on."""
    return run.status is WorkflowExecutionStatus.RUNNING


def handle_of(client: Client, run: WorkflowExecution) -> WorkflowHandle[Any, Any]:
    """Return the handle of exactly that run."""
    return client.get_workflow_handle(run.id, run_id=run.run_id)


async def describe(client: Client, workflow_id: str, run_id: str | None = None) -> WorkflowExecutionDescription:
    """Return what Temporal knows of a run (the latest one, if none is given), from its own record: never late.

    Raises:
        NotFound: there is none.
    """
    try:
        return await client.get_workflow_handle(workflow_id, run_id=run_id).describe(rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotFound(f"{workflow_id} does not exist.") from None
        raise


async def current(client: Client, run: WorkflowExecution) -> WorkflowExecutionDescription:
    """Return the run as it is now; after continue-as-new or a reset, the run in which it goes on."""
    now = await describe(client, run.id, run.run_id)
    while successor := now.raw_description.workflow_extended_info.reset_run_id:
        now = await describe(client, run.id, successor)
    if now.status is not WorkflowExecutionStatus.CONTINUED_AS_NEW:
        return now
    latest = await describe(client, run.id)
    return latest if latest.raw_info.first_run_id == now.raw_info.first_run_id else now


async def _numbered(client: Client, number: int) -> WorkflowExecutionDescription:
    """Look for a number: first in visibility, which answers without workers, then at the counter, which is not late."""
    clock = asyncio.get_running_loop().time
    until = clock() + SEARCH
    while (left := until - clock()) > 0:
        known = await _by_visibility(client, number)
        run = await current(client, known) if known else await _by_counter(client, number, timedelta(seconds=left))
        if run is not None:
            return run
        await asyncio.sleep(_PAUSE)
    raise NotFound(f"No incident {number} is known. `incident list --all` shows those that are.")


async def _by_visibility(client: Client, number: int) -> WorkflowExecution | None:
    query = f"{NUMBER.name} = {number} AND WorkflowType = '{INCIDENT_WORKFLOW}' AND ExecutionStatus != 'ContinuedAsNew'"
    found = [run async for run in client.list_workflows(query, limit=10, rpc_timeout=PATIENCE)]
    return max(found, key=lambda run: run.start_time, default=None)


async def _by_counter(client: Client, number: int, patience: timedelta) -> WorkflowExecutionDescription | None:
    from incidents.domain.numbering import Numbered

    counter = client.get_workflow_handle(NUMBERS_ID)
    try:
        given = await counter.query(
            FIND_NUMBER_QUERY, number, result_type=cast(type, Numbered | None), rpc_timeout=patience
        )
        latest = await describe(client, given.workflow_id) if given else None
    except (RPCError, WorkflowQueryFailedError, NotFound):
        return None
    return latest if given and latest and latest.raw_info.first_run_id == given.first_run_id else None


async def ask(handle: WorkflowHandle[Any, Any], query: str, kind: Any, what: str) -> Any:
    """Return a workflow's answer to a query; what passes by itself is tried again, for `PATIENCE` in all.

    Args:
        handle: The run to ask.
        query: The query's name.
        kind: The type of its answer.
        what: What people call the workflow.

    Raises:
        NotFound: the workflow does not exist, or does not know that query.
        NoAnswer: no worker answered in time, or the workflow was too busy all the while.
        RPCError: Temporal did not answer.
    """
    clock = asyncio.get_running_loop().time
    until, pause = clock() + PATIENCE.total_seconds(), _FIRST_PAUSE
    while True:
        try:
            left = timedelta(seconds=max(until - clock(), _FIRST_PAUSE))
            return await handle.query(query, result_type=kind, rpc_timeout=left)
        except (WorkflowQueryFailedError, RPCError) as error:
            if clock() + pause >= until or not _passes(error):
                raise _unanswered(error, what) from None
        await asyncio.sleep(pause)
        pause *= 2


def _passes(error: WorkflowQueryFailedError | RPCError) -> bool:
    """Tell whether the same query may be answered in a moment."""
    if isinstance(error, RPCError):
        return error.status in _PASSING
    return "retry" in error.message.lower()  # a failed query has no code of its own


def _unanswered(error: WorkflowQueryFailedError | RPCError, what: str) -> Exception:
    """Return what to raise for a query that was not answered, in words for people where we know what it means."""
    if isinstance(error, WorkflowQueryFailedError):
        if _passes(error):
            return NoAnswer(f"{what} is busy and did not answer. Try again in a moment.")
        return NotFound(f"{what} does not answer that question: {error.message.splitlines()[0]}")
    if error.status is RPCStatusCode.NOT_FOUND:
        return NotFound(f"{what} does not exist.")
    if error.status is RPCStatusCode.RESOURCE_EXHAUSTED:
        return NoAnswer(f"{what} is busy and did not answer. Try again in a moment.")
    if error.status in NO_WORKER:
        return NoAnswer(
            f"No worker answered for {what}. It is safe with Temporal and goes on when a worker is back;"
            " `incident list` works without one."
        )
    return error


async def incident(client: Client, name: str) -> Incident:
    """Return the incident as it stands."""
    from incidents.domain.incident.incident import Incident

    run = await find(client, name)
    found: Incident = await ask(handle_of(client, run), INCIDENT_QUERY, Incident, label(run))
    return found


NO_WORKER = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.FAILED_PRECONDITION)
"""How Temporal says that it is there, but that no worker is, or none that can cope."""
_PASSING = (*NO_WORKER, RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.UNAVAILABLE)
"""How it says that, that a query waits already ("buffer is full"), or that this one was dropped ("please retry")."""


async def listed(client: Client, *, everything: bool) -> list[WorkflowExecution]:
    """Return the open incidents, the newest first; with `everything`, also those that have ended. At most `MOST`."""
    which = "ExecutionStatus != 'ContinuedAsNew'" if everything else "ExecutionStatus = 'Running'"
    query = f"WorkflowType = '{INCIDENT_WORKFLOW}' AND {which}"
    found = [run async for run in client.list_workflows(query, limit=MOST, rpc_timeout=PATIENCE)]
    return _without_reset_ones(sorted(found, key=lambda run: run.start_time, reverse=True))


def _without_reset_ones(newest_first: list[WorkflowExecution]) -> list[WorkflowExecution]:
    """Return the runs without those that were terminated by a reset: the same incident goes on in a newer run."""
    kept: dict[tuple[str, int | str], WorkflowExecution] = {}
    for run in newest_first:
        kept.setdefault((run.id, run.typed_search_attributes.get(NUMBER) or run.run_id), run)
    return list(kept.values())


async def overdue(client: Client) -> list[WorkflowExecution]:
    """Return the post-mortems whose deadline has passed, the oldest deadline first."""
    query = f"WorkflowType = '{POSTMORTEM_WORKFLOW}' AND {POSTMORTEM.name} = 'overdue' AND ExecutionStatus = 'Running'"
    found = [run async for run in client.list_workflows(query, limit=MOST, rpc_timeout=PATIENCE)]
    return sorted(found, key=lambda run: run.typed_search_attributes.get(POSTMORTEM_DUE) or run.start_time)

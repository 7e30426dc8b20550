"""Find the workflow run for an incident number or workflow id, and query it."""

from __future__ import annotations

import asyncio
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

from incidents.client.asking import TIMEOUT, ask
from incidents.client.problems import NotFound
from incidents.client.references import FORMS, Choice, InvalidReference, Reference, parse_reference
from incidents.names import FIND_NUMBER_QUERY, INCIDENT_QUERY, INCIDENT_WORKFLOW, NUMBERS_ID, POSTMORTEM_WORKFLOW
from incidents.search_attributes import NUMBER, POSTMORTEM, POSTMORTEM_DUE, STATUS

if TYPE_CHECKING:  # models are slow to import, and `incident list` needs none
    from incidents.domain.incident.incident import Incident

SEARCH = 3.0
"""Seconds to search for a number before giving up: visibility lags."""
MOST = 1000
"""Most incidents in a list."""
OVER = ("resolved", "cancelled", "merged")
"""Values of the status of an incident that is over. Its workflow may still run, until its reopen window ends."""
_NAMED = 5
"""Open incidents that a refusal names."""
_NEWER = timedelta(seconds=1)
"""How long to ask the number counter for a newer incident than visibility knows."""
_PAUSE = 0.3


async def find(client: Client, name: str) -> WorkflowExecutionDescription:
    """Return the run of the incident that a person refers to (`references.py`). Works without a worker.

    A later incident of the same cause has the same workflow id. A number therefore resolves to one run and its
    continuations, never to a later run with that id.

    Raises:
        NotFound: nothing is found within `SEARCH` seconds, the reference is not clear, or it is not an incident.
    """
    run = await _resolve(client, reference_to(name))
    if run.workflow_type != INCIDENT_WORKFLOW:
        raise NotFound(f"{name} is not an incident but a {run.workflow_type}")
    return run


async def find_postmortem(client: Client, name: str) -> WorkflowExecutionDescription:
    """Return the run of an incident's post-mortem. `name`: refers to the incident, or the post-mortem's workflow id.

    Raises:
        NotFound: there is none.
    """
    reference = reference_to(name)
    number = reference.number
    if number is None:
        run = await _resolve(client, reference)
        if run.workflow_type == POSTMORTEM_WORKFLOW:
            return run
        number = run.typed_search_attributes.get(NUMBER)
    if number is None:
        raise NotFound(f"{name} has no number yet, so it has no post-mortem")
    try:
        return await describe(client, f"postmortem-{number}")
    except NotFound:
        raise _without_postmortem(number, await find(client, name)) from None


def _without_postmortem(number: int, run: WorkflowExecution) -> NotFound:
    start = f"`incident postmortem start {number}`."
    if not is_open(run):
        return NotFound(f"INC-{number} has no post-mortem. To start one: {start}")
    return NotFound(
        f"INC-{number} has no post-mortem yet. One that its severity requires starts once the incident is resolved and"
        f" its evidence is saved. To start one now: {start}"
    )


def reference_to(name: str) -> Reference:
    """Return what a name refers to.

    Raises:
        NotFound: it refers to nothing.
    """
    try:
        return parse_reference(name)
    except InvalidReference as error:
        raise NotFound(str(error)) from None


async def _resolve(client: Client, reference: Reference) -> WorkflowExecutionDescription:
    if reference.number is not None:
        return await _find_by_number(client, reference.number)
    if reference.choice is not None:
        return await _choose(client, reference.choice)
    try:
        return await describe(client, reference.workflow_id)
    except NotFound as error:
        raise NotFound(f"{error}. Use {FORMS}.") from None


async def _choose(client: Client, choice: Choice) -> WorkflowExecutionDescription:
    """Return the newest or the only open incident; where none is open, of those whose reopen window is open."""
    clock = asyncio.get_running_loop().time
    until = clock() + SEARCH
    while not (running := await list_incidents(client, everything=False)):
        if clock() >= until:
            raise NotFound("No incident is open. `incident list --all` shows all incidents.")
        await asyncio.sleep(_PAUSE)
    found = [run for run in running if run.typed_search_attributes.get(STATUS) not in OVER] or running
    if choice is Choice.ONLY and len(found) > 1:
        named = ", ".join(label(run) for run in found[:_NAMED])
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise NotFound(f"`.` is not clear: {len(found)} incidents are open ({named}{more}). Name one.")
    return await _newer(client, found[0]) if choice is Choice.LATEST else await current(client, found[0])


async def _newer(client: Client, run: WorkflowExecution) -> WorkflowExecutionDescription:
    """Return the incident that was opened after this one, if any: visibility lags, the number counter does not."""
    found = await current(client, run)
    while (number := found.typed_search_attributes.get(NUMBER)) is not None:
        later = await _by_counter(client, number + 1, _NEWER)
        if later is None or not is_open(later):
            break
        found = later
    return found


def label(run: WorkflowExecution) -> str:
    """Return the incident's display name: `INC-42`, or its workflow id until it has a number."""
    number = run.typed_search_attributes.get(NUMBER)
    return f"INC-{number}" if number is not None else run.id


def is_open(run: WorkflowExecution) -> bool:
    """Tell whether the run is open."""
    return run.status is WorkflowExecutionStatus.RUNNING


def handle_of(client: Client, run: WorkflowExecution) -> WorkflowHandle[Any, Any]:
    """Return a handle pinned to that run."""
    return client.get_workflow_handle(run.id, run_id=run.run_id)


async def describe(client: Client, workflow_id: str, run_id: str | None = None) -> WorkflowExecutionDescription:
    """Describe a run (by default the latest). Unlike visibility, this never lags.

    Raises:
        NotFound: there is none.
    """
    try:
        return await client.get_workflow_handle(workflow_id, run_id=run_id).describe(rpc_timeout=TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotFound(f"{workflow_id} not found") from None
        raise


async def current(client: Client, run: WorkflowExecution) -> WorkflowExecutionDescription:
    """Return the current description; after continue-as-new or a reset, that of the successor run."""
    now = await describe(client, run.id, run.run_id)
    while successor := now.raw_description.workflow_extended_info.reset_run_id:
        now = await describe(client, run.id, successor)
    if now.status is not WorkflowExecutionStatus.CONTINUED_AS_NEW:
        return now
    latest = await describe(client, run.id)
    return latest if latest.raw_info.first_run_id == now.raw_info.first_run_id else now


async def _find_by_number(client: Client, number: int) -> WorkflowExecutionDescription:
    """Find a number: first in visibility (works without a worker), then at the number counter (never lags)."""
    clock = asyncio.get_running_loop().time
    until = clock() + SEARCH
    while (left := until - clock()) > 0:
        known = await _by_visibility(client, number)
        run = await current(client, known) if known else await _by_counter(client, number, timedelta(seconds=left))
        if run is not None:
            return run
        await asyncio.sleep(_PAUSE)
    raise NotFound(f"INC-{number} not found. `incident list --all` shows all incidents.")


async def _by_visibility(client: Client, number: int) -> WorkflowExecution | None:
    query = f"{NUMBER.name} = {number} AND WorkflowType = '{INCIDENT_WORKFLOW}' AND ExecutionStatus != 'ContinuedAsNew'"
    found = [run async for run in client.list_workflows(query, limit=10, rpc_timeout=TIMEOUT)]
    return max(found, key=lambda run: run.start_time, default=None)


async def _by_counter(client: Client, number: int, give_up_after: timedelta) -> WorkflowExecutionDescription | None:
    from incidents.domain.numbering import Numbered

    counter = client.get_workflow_handle(NUMBERS_ID)
    try:
        given = await counter.query(
            FIND_NUMBER_QUERY, number, result_type=cast(type, Numbered | None), rpc_timeout=give_up_after
        )
        latest = await describe(client, given.workflow_id) if given else None
    except (RPCError, WorkflowQueryFailedError, NotFound):
        return None
    return latest if given and latest and latest.raw_info.first_run_id == given.first_run_id else None


async def incident(client: Client, name: str) -> Incident:
    """Return the incident's current state."""
    from incidents.domain.incident.incident import Incident

    run = await find(client, name)
    found: Incident = await ask(handle_of(client, run), INCIDENT_QUERY, Incident, label(run))
    return found


async def list_incidents(client: Client, *, everything: bool) -> list[WorkflowExecution]:
    """Return open incidents, newest first; with `everything`, closed ones too. At most `MOST`."""
    which = "ExecutionStatus != 'ContinuedAsNew'" if everything else "ExecutionStatus = 'Running'"
    query = f"WorkflowType = '{INCIDENT_WORKFLOW}' AND {which}"
    found = [run async for run in client.list_workflows(query, limit=MOST, rpc_timeout=TIMEOUT)]
    return without_reset_ones(sorted(found, key=lambda run: run.start_time, reverse=True))


def without_reset_ones(newest_first: list[WorkflowExecution]) -> list[WorkflowExecution]:
    """Drop runs that a reset terminated: the same incident continues in a newer run."""
    kept: dict[tuple[str, int | str], WorkflowExecution] = {}
    for run in newest_first:
        kept.setdefault((run.id, run.typed_search_attributes.get(NUMBER) or run.run_id), run)
    return list(kept.values())


async def list_closed(client: Client, limit: int) -> list[WorkflowExecution]:
    """Return the incidents that closed last, the newest first."""
    query = f"WorkflowType = '{INCIDENT_WORKFLOW}' AND ExecutionStatus NOT IN ('Running', 'ContinuedAsNew')"
    found = [run async for run in client.list_workflows(query, limit=limit, rpc_timeout=TIMEOUT)]
    return without_reset_ones(sorted(found, key=lambda run: run.close_time or run.start_time, reverse=True))


async def list_postmortems(client: Client) -> list[WorkflowExecution]:
    """Return the post-mortems that are not completed, the oldest deadline first."""
    return await _postmortems(client, "")


async def overdue(client: Client) -> list[WorkflowExecution]:
    """Return overdue post-mortems, oldest deadline first."""
    return await _postmortems(client, f" AND {POSTMORTEM.name} = 'overdue'")


async def _postmortems(client: Client, which: str) -> list[WorkflowExecution]:
    query = f"WorkflowType = '{POSTMORTEM_WORKFLOW}' AND ExecutionStatus = 'Running'{which}"
    found = [run async for run in client.list_workflows(query, limit=MOST, rpc_timeout=TIMEOUT)]
    return sorted(found, key=lambda run: run.typed_search_attributes.get(POSTMORTEM_DUE) or run.start_time)

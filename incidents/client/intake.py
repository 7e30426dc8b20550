"""Send alerts to their incidents: open one, or signal the one that is open, in one call that is durable at once."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.maintenance import recent_windows
from incidents.contracts import ALERT_FIRED, ALERT_RESOLVED, AlertBatch, IncidentInput, drill_queue
from incidents.cutting import cut_bytes
from incidents.domain.alerting.alert import Alert, grouped
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.opening import opening_from
from incidents.domain.incident.state import Opening
from incidents.names import INCIDENT_WORKFLOW, TITLE_MEMO
from incidents.priority import priority_of
from incidents.search_attributes import NUMBER, at_start

LARGEST = 512 * 1024
"""Largest payload in bytes. An incident's history holds facts, not dumps."""
NUMBER_TIMEOUT = timedelta(seconds=5)
"""How long to wait for a worker to number a new incident. The incident is durable without it."""
_ENDED_TIMEOUT = timedelta(seconds=1)
"""How long at most to wait for the number of an incident whose alerts ended."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
"""Seconds between two reads of the number: the first pause, and the longest."""
_AT_ONCE = 20
"""Incidents of one webhook that Temporal is told of at the same time."""
_RPC = timedelta(seconds=10)
_SUMMARY = 200
"""Bytes of a workflow's summary: the server takes 400, with quotes and escapes."""
_HOW_TO = """One incident, from its alert to the end of its reopen window. See **Current Details** for its state.

To act: `incident ack`, `assess`, `severity`, `update`, `approve`, `monitor`, `resolve` … (`incident --help`), or send
the signal of that name from here, with `{"by": "you"}`. Do not cancel or terminate the workflow: `incident cancel`
withdraws a false alarm and notifies everyone who was notified.
"""


class Started(BaseModel):
    """The result for the alerts of one incident.

    `number` is None until a worker has numbered it, or without waiting; so is `run_id` for resolved alerts. `created`
    is the server's answer: false if the answer to a first attempt was lost.
    """

    workflow_id: str
    run_id: str | None
    number: int | None
    created: bool
    action: str


async def intake(
    client: Client,
    alerts: Iterable[Alert],
    runbook: RunbookConfig,
    task_queue: str,
    *,
    give_up_after: timedelta = NUMBER_TIMEOUT,
) -> list[Started]:
    """Send alerts to their incidents; return one result per incident, in the order of the alerts.

    Raises:
        RPCError: Temporal did not accept them. Calling again is safe: nothing is duplicated.
    """
    alerts = tuple(alerts)
    groups = grouped(alerts, runbook.intake)
    windows = await recent_windows(client) if any(alert.firing for alert in alerts) else ()
    room = asyncio.Semaphore(_AT_ONCE)

    async def bring(key: str, group: tuple[Alert, ...]) -> Started:
        async with room:
            return await _bring(client, key, group, runbook, task_queue, windows, give_up_after)

    try:
        async with asyncio.TaskGroup() as tasks:
            brought = [tasks.create_task(bring(key, group)) for key, group in groups.items()]
    except ExceptionGroup as failures:  # the first one has cancelled the others, which would wait for their time-outs
        raise failures.exceptions[0] from None
    return [task.result() for task in brought]


async def _bring(
    client: Client,
    key: str,
    alerts: tuple[Alert, ...],
    runbook: RunbookConfig,
    task_queue: str,
    windows: tuple[MaintenanceWindow, ...],
    give_up_after: timedelta,
) -> Started:
    firing = tuple(alert for alert in alerts if alert.firing)
    ended = tuple(alert for alert in alerts if not alert.firing)
    workflow_id = f"incident-{key}"
    started = None
    if firing:
        opening = opening_from(firing, key, runbook).replace(maintenance=windows)
        started = await start(
            client, workflow_id, opening, runbook, task_queue, alerts=firing, give_up_after=give_up_after
        )
    if ended:
        updated = await _signal_ended(client, workflow_id, ended, min(give_up_after, _ENDED_TIMEOUT))
        started = started or updated
    assert started is not None  # a group holds at least one alert, firing or ended
    return started


async def start(
    client: Client,
    workflow_id: str,
    opening: Opening,
    runbook: RunbookConfig,
    task_queue: str,
    *,
    alerts: tuple[Alert, ...] = (),
    give_up_after: timedelta = NUMBER_TIMEOUT,
) -> Started:
    """Start the incident, or tell the one that runs, in one atomic call."""
    handle = await client.start_workflow(
        INCIDENT_WORKFLOW,
        IncidentInput(opening=opening, runbook=runbook, history_limit=runbook.durability.history_events),
        id=workflow_id,
        task_queue=drill_queue(task_queue) if opening.drill else task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=ALERT_FIRED,
        start_signal_args=[AlertBatch(alerts=alerts)],
        search_attributes=at_start(opening),
        memo={TITLE_MEMO: opening.title},
        priority=priority_of(runbook.rank(opening.severity)),
        static_summary=cut_bytes(f"{opening.severity} {opening.service}: {opening.title}", _SUMMARY),
        static_details=_HOW_TO,
        rpc_timeout=_RPC,
    )
    run_id, created = handle.result_run_id, _is_new(handle)
    # That run and no later one of the same id; its search attributes keep the number when it continues as new.
    number = await _number(client.get_workflow_handle(workflow_id, run_id=run_id), give_up_after)
    action = "opened" if created else "updated"
    return Started(workflow_id=workflow_id, run_id=run_id, number=number, created=created, action=action)


def _is_new(handle: WorkflowHandle[Any, Any]) -> bool:
    """Tell whether the start opened a new incident.

    The server's response says so. temporalio 1.35 keeps it on the handle, but not in public; the public way is a
    `describe` after each start, which took 18 % of the gateway's time.
    """
    response = handle._start_workflow_response
    return response is not None and response.started


async def _signal_ended(
    client: Client, workflow_id: str, alerts: tuple[Alert, ...], give_up_after: timedelta
) -> Started:
    """Tell a running incident that its alerts ended; without one, nothing is opened (behaviour 5)."""
    handle = client.get_workflow_handle(workflow_id)
    try:
        await handle.signal(ALERT_RESOLVED, AlertBatch(alerts=alerts), rpc_timeout=_RPC)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return Started(workflow_id=workflow_id, run_id=None, number=None, created=False, action="ignored")
    run = await _numbered(handle, give_up_after)
    run_id, number = (run.run_id, run.typed_search_attributes.get(NUMBER)) if run else (None, None)
    return Started(workflow_id=workflow_id, run_id=run_id, number=number, created=False, action="updated")


async def _number(handle: WorkflowHandle[Any, Any], give_up_after: timedelta) -> int | None:
    """Return the incident's number, once a worker has given it; None if none does in time."""
    run = await _numbered(handle, give_up_after)
    return run.typed_search_attributes.get(NUMBER) if run else None


async def _numbered(handle: WorkflowHandle[Any, Any], give_up_after: timedelta) -> WorkflowExecutionDescription | None:
    """Return what the server knows of the run, once that includes a number, or at the end of `give_up_after`.

    The number is a search attribute, so no worker is asked. None if that is zero, or the server does not answer.
    """
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + give_up_after.total_seconds(), _FIRST_PAUSE
    run = None
    while (left := until - loop.time()) > 0:
        try:
            run = await handle.describe(rpc_timeout=timedelta(seconds=left))
        except RPCError:  # it is with Temporal already: only its number is not known here
            return run
        if run.typed_search_attributes.get(NUMBER) is not None or run.status is not WorkflowExecutionStatus.RUNNING:
            return run
        await asyncio.sleep(min(pause, max(until - loop.time(), 0)))
        pause = min(pause * 2, _LONGEST_PAUSE)
    return run

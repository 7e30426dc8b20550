"""Send alerts to their incidents: open one, or signal the one that is open, in one call that is durable at once."""

import asyncio
import functools
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.alert_sources.payload import MOST_ALERTS
from incidents.client.delivery.gathering import Bounds, Gathering
from incidents.client.maintenance import recent_windows
from incidents.client.problems import ConnectionProblem
from incidents.contracts import ALERT_FIRED, ALERT_RESOLVED, AlertBatch, IncidentInput, drill_queue
from incidents.cutting import cut_bytes
from incidents.domain.alerting.alert import Alert, grouped
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
_LEAST_LEFT = 0.01
"""Seconds. In less nothing is read."""
_AT_ONCE = 20
"""Incidents of one webhook that Temporal is told of at the same time."""
_RPC = timedelta(seconds=10)
_MOST_RUNS = 10_000
"""Runs that a process remembers."""
_AWAY = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.UNAUTHENTICATED,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.NOT_FOUND,  # the namespace
        RPCStatusCode.UNKNOWN,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.ABORTED,
    }
)
"""Answers that say nothing about the alerts: any others would be answered so as well, or they pass."""
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


class AlertGathering(Gathering[Alert, Started]):
    """Gathers the alerts of a process by incident: those that come together are one signal.

    It remembers which runs it has signalled: while they are open, a signal is enough, without the runbook.
    """

    def __init__(self) -> None:
        super().__init__(Bounds(MOST_ALERTS, LARGEST, _size_of), is_away)
        self.runs: dict[str, str] = {}

    def remember(self, key: str, run_id: str | None) -> None:
        """Remember the run of an incident, and forget the one that was remembered first if there are too many."""
        if run_id is not None:
            self.runs[key] = run_id
        if len(self.runs) > _MOST_RUNS:
            del self.runs[next(iter(self.runs))]


def _size_of(alerts: tuple[Alert, ...]) -> int:
    """Return the bytes of alerts in a signal."""
    return sum(len(alert.model_dump_json().encode()) for alert in alerts)


def is_away(error: Exception) -> bool:
    """Tell whether Temporal is unreachable, or answers what says nothing about the alerts that it was sent."""
    if isinstance(error, RPCError):
        return error.status in _AWAY or lacks_attributes(error)
    return isinstance(error, ConnectionProblem)


def lacks_attributes(error: RPCError) -> bool:
    """Tell whether the namespace lacks our search attributes: a worker registers them when it starts."""
    return error.status is RPCStatusCode.INVALID_ARGUMENT and "search attribute" in error.message


async def intake(
    client: Client,
    alerts: Iterable[Alert],
    runbook: RunbookConfig,
    task_queue: str,
    *,
    give_up_after: timedelta = NUMBER_TIMEOUT,
    gathering: AlertGathering | None = None,
) -> list[Started]:
    """Send alerts to their incidents; return one result per incident, in the order of the alerts.

    Args:
        client: of Temporal.
        alerts: in the order in which they came.
        runbook: of the incidents that are opened.
        task_queue: of their workers.
        give_up_after: how long to wait for an incident's number; zero if nobody needs it.
        gathering: with it, alerts of an incident go in one signal with those of other calls that come meanwhile.

    Raises:
        RPCError: Temporal did not accept them. Calling again is safe: nothing is duplicated.
    """
    sending = _Sending(client, runbook, task_queue, gathering or AlertGathering())
    groups = [sending.add(key, group) for key, group in grouped(alerts, runbook.intake).items()]
    parts = [part for group in groups for part in group]
    try:
        await asyncio.gather(*parts)
    finally:
        for part in parts:  # after a failure the others are not sent: they would wait for their time-outs
            part.cancel()
    started = [group[0].result() for group in groups]
    return list(await asyncio.gather(*(_with_number(client, each, give_up_after) for each in started)))


class _Sending:
    """Sends the alerts of one call of `intake`."""

    def __init__(self, client: Client, runbook: RunbookConfig, task_queue: str, gathering: AlertGathering) -> None:
        self._client, self._runbook, self._queue, self._gathering = client, runbook, task_queue, gathering
        self._room = asyncio.Semaphore(_AT_ONCE)

    def add(self, key: str, alerts: tuple[Alert, ...]) -> list[asyncio.Future[Started]]:
        """Send the alerts of one incident: those that fire, and then those that ended."""
        firing = tuple(alert for alert in alerts if alert.firing)
        ended = tuple(alert for alert in alerts if not alert.firing)
        kinds = ((ALERT_FIRED, firing, self._send_firing), (ALERT_RESOLVED, ended, self._send_ended))
        return [
            self._gathering.add(key, kind, few, functools.partial(send, key), self._room)
            for kind, few, send in kinds
            if few
        ]

    async def _send_firing(self, key: str, parts: Sequence[tuple[Alert, ...]]) -> list[Started]:
        """Open the incident or signal it; only the first part can have opened it."""
        batch = _batch(parts)
        if (run_id := self._gathering.runs.get(key)) is not None:
            if await self._signal(key, ALERT_FIRED, batch, run_id):
                return [_updated(key, run_id)] * len(parts)
            self._gathering.runs.pop(key, None)
        opening = opening_from(batch.alerts, key, self._runbook).replace(maintenance=await recent_windows(self._client))
        first = await _signal_with_start(self._client, _id_of(key), opening, self._runbook, self._queue, batch)
        self._gathering.remember(key, first.run_id)
        return [first, *[_updated(key, first.run_id)] * (len(parts) - 1)]

    async def _send_ended(self, key: str, parts: Sequence[tuple[Alert, ...]]) -> list[Started]:
        """Signal a running incident that its alerts ended; without one, nothing is opened (behaviour 5)."""
        told = _updated(key, None)
        if not await self._signal(key, ALERT_RESOLVED, _batch(parts)):
            told = told.model_copy(update={"action": "ignored"})
        return [told] * len(parts)

    async def _signal(self, key: str, name: str, batch: AlertBatch, run_id: str | None = None) -> bool:
        """Signal an incident; tell whether there is an open one, of that run if it is given."""
        try:
            await self._client.get_workflow_handle(_id_of(key), run_id=run_id).signal(name, batch, rpc_timeout=_RPC)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True


def _id_of(key: str) -> str:
    return f"incident-{key}"


def _batch(parts: Sequence[tuple[Alert, ...]]) -> AlertBatch:
    return AlertBatch(alerts=tuple(alert for part in parts for alert in part))


def _updated(key: str, run_id: str | None) -> Started:
    return Started(workflow_id=_id_of(key), run_id=run_id, number=None, created=False, action="updated")


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
    started = await _signal_with_start(client, workflow_id, opening, runbook, task_queue, AlertBatch(alerts=alerts))
    return await _with_number(client, started, give_up_after)


async def _signal_with_start(
    client: Client, workflow_id: str, opening: Opening, runbook: RunbookConfig, task_queue: str, batch: AlertBatch
) -> Started:
    handle = await client.start_workflow(
        INCIDENT_WORKFLOW,
        IncidentInput(opening=opening, runbook=runbook, history_limit=runbook.durability.history_events),
        id=workflow_id,
        task_queue=drill_queue(task_queue) if opening.drill else task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=ALERT_FIRED,
        start_signal_args=[batch],
        search_attributes=at_start(opening),
        memo={TITLE_MEMO: opening.title},
        priority=priority_of(runbook.rank(opening.severity)),
        static_summary=cut_bytes(f"{opening.severity} {opening.service}: {opening.title}", _SUMMARY),
        static_details=_HOW_TO,
        rpc_timeout=_RPC,
    )
    created = _is_new(handle)
    action = "opened" if created else "updated"
    return Started(workflow_id=workflow_id, run_id=handle.result_run_id, number=None, created=created, action=action)


def _is_new(handle: WorkflowHandle[Any, Any]) -> bool:
    """Tell whether the start opened a new incident.

    The server's response says so. temporalio 1.35 keeps it on the handle, but not in public; the public way is a
    `describe` after each start, which took 18 % of the gateway's time.
    """
    response = handle._start_workflow_response
    return response is not None and response.started


async def _with_number(client: Client, started: Started, give_up_after: timedelta) -> Started:
    """Add the incident's number, once a worker has given it; where alerts only ended, the run, too.

    A run that is known is asked, and no later one of its id: it keeps the number when it continues as new.
    """
    if started.action == "ignored":
        return started
    within = give_up_after if started.run_id else min(give_up_after, _ENDED_TIMEOUT)
    handle = client.get_workflow_handle(started.workflow_id, run_id=started.run_id)
    run = await _numbered(handle, within, is_new=started.created)
    if run is None:
        return started
    number = run.typed_search_attributes.get(NUMBER)
    return started.model_copy(update={"run_id": started.run_id or run.run_id, "number": number})


async def _numbered(
    handle: WorkflowHandle[Any, Any], give_up_after: timedelta, *, is_new: bool
) -> WorkflowExecutionDescription | None:
    """Return what the server knows of the run, once that includes a number, or at the end of `give_up_after`.

    The number is a search attribute, so no worker is asked. None if that is zero, or the server does not answer.
    `is_new`: no worker can have numbered it yet, so it is not read at once.
    """
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + give_up_after.total_seconds(), _FIRST_PAUSE
    run = None
    if is_new:
        await asyncio.sleep(min(pause, give_up_after.total_seconds()))
    while (left := until - loop.time()) > _LEAST_LEFT:
        try:
            run = await handle.describe(rpc_timeout=timedelta(seconds=left))
        except RPCError:  # it is with Temporal already: only its number is not known here
            return run
        if run.typed_search_attributes.get(NUMBER) is not None or run.status is not WorkflowExecutionStatus.RUNNING:
            return run
        await asyncio.sleep(min(pause, max(until - loop.time(), 0)))
        pause = min(pause * 2, _LONGEST_PAUSE)
    return run

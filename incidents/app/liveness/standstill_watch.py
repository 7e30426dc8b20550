"""Looks for stuck workflows, and notifies the operators of each of them once. Every worker runs it beside its work.

Temporal's own records are read every `EVERY` seconds, without a worker or a query. Only an incident's
obligations need one (docs/temporal-notes.md#queries), so these are asked for seldom and slowly. Workers do not
coordinate: the id of
`StandstillWorkflow` makes sure that one notification is sent for each stuck run.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowQueryFailedError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from incidents import metrics
from incidents.app.telemetry.numbers import remember_numbers
from incidents.app.telemetry.sources import Sample
from incidents.client.failures import message_of
from incidents.client.watching.retries import is_failing
from incidents.contracts import StandstillInput
from incidents.domain.config.model import RunbookConfig
from incidents.domain.obligation import Obligation
from incidents.domain.operators.notifications import operators
from incidents.domain.standstill import (
    Look,
    PausedActivity,
    PendingTask,
    Reason,
    RunReading,
    Standstill,
    first_line,
    log_line,
    look_at,
    stuck_obligation,
    stuck_task,
    wants_look,
)
from incidents.names import AGENDA_QUERY, INCIDENT_WORKFLOW, STANDSTILL_WORKFLOW, WATCHED
from incidents.search_attributes import NUMBER

EVERY = 20.0
"""Seconds between two rounds over all open workflows."""
PACE = 0.02
"""Seconds between two reads of a round."""
QUERY_EVERY = 2.0
"""Seconds between two queries, of whichever incidents."""
BACK_OFF = 30.0
"""Seconds without queries after one that Temporal or the workers had no room for."""
_TIMEOUT = timedelta(seconds=5)
_EVENTS = 50
_RESET = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
_log = logging.getLogger("standstill")


async def open_runs(client: Client) -> AsyncIterator[RunReading]:
    """Yield what Temporal knows of each open workflow of ours. A run that ends meanwhile is left out."""
    async for described in describe_open_runs(client):
        yield reading(described)


async def describe_open_runs(client: Client) -> AsyncIterator[WorkflowExecutionDescription]:
    """Yield the description of each open workflow of ours. A run that ends meanwhile is left out."""
    kinds = ", ".join(f"'{kind}'" for kind in WATCHED)
    query = f"WorkflowType IN ({kinds}) AND ExecutionStatus = 'Running'"
    async for run in client.list_workflows(query, rpc_timeout=_TIMEOUT):
        if (found := await _describe(client, run.id, run.run_id)) is not None:
            yield found


async def read(client: Client, workflow_id: str, run_id: str) -> RunReading | None:
    """Return what Temporal's own record, which is never late, says of a run; None if it is not open."""
    described = await _describe(client, workflow_id, run_id)
    return reading(described) if described is not None else None


async def _describe(client: Client, workflow_id: str, run_id: str) -> WorkflowExecutionDescription | None:
    try:
        described = await client.get_workflow_handle(workflow_id, run_id=run_id).describe(rpc_timeout=_TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    return described if described.status is WorkflowExecutionStatus.RUNNING else None


def reading(described: WorkflowExecutionDescription) -> RunReading:
    """Return what a description says."""
    raw = described.raw_description
    pending = raw.pending_workflow_task
    since = pending.original_scheduled_time if pending.HasField("original_scheduled_time") else pending.scheduled_time
    paused = [activity for activity in raw.pending_activities if activity.paused]
    task = PendingTask(attempt=max(pending.attempt, 1), since=since.ToDatetime(UTC))
    is_incident = described.workflow_type == INCIDENT_WORKFLOW
    return RunReading(
        workflow_id=described.id,
        run_id=described.run_id,
        workflow_type=described.workflow_type,
        task_queue=described.task_queue,
        number=described.typed_search_attributes.get(NUMBER) if is_incident else None,
        task=task if raw.HasField("pending_workflow_task") else None,
        history=described.history_length,
        idle=not raw.pending_activities and not raw.pending_children,
        paused=tuple(sorted(map(_paused, paused), key=lambda activity: activity.since)),
        failing=tuple(activity.activity_type.name for activity in raw.pending_activities if is_failing(activity)),
    )


def _paused(activity: PendingActivityInfo) -> PausedActivity:
    return PausedActivity(
        activity_id=activity.activity_id,
        kind=activity.activity_type.name.replace("_", " "),
        since=activity.pause_info.pause_time.ToDatetime(UTC),
    )


async def stuck_run(client: Client, run: RunReading) -> Standstill | None:
    """Return that a run's workflow task is stuck, with the last failure; None if it is not."""
    stuck = stuck_task(run, datetime.now(UTC))
    return stuck.replace(failure=await last_failure(client, run)) if stuck else None


async def last_failure(client: Client, run: RunReading) -> str:
    """Return the first line of the failure that the history ends with, or "".

    Only a task's first failure is an event; the attempts after it, as the SDK does not report them, are time-outs.
    """
    request = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace,
        execution=Execution(workflow_id=run.workflow_id, run_id=run.run_id),
        maximum_page_size=_EVENTS,
    )
    answer = await client.workflow_service.get_workflow_execution_history_reverse(request, timeout=_TIMEOUT)
    found = ""
    for event in answer.history.events:
        failed = event.workflow_task_failed_event_attributes
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            break
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
            found = found or "The workflow task timed out"
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED and failed.cause != _RESET:
            kind, message = failed.failure.application_failure_info.type, await message_of(client, failed.failure)
            return first_line(f"{kind}: {message}" if kind else message)
    return found


class StandstillWatch:
    """One worker's watch. Nothing that happens to it ends the worker."""

    def __init__(self, client: Client, runbook: RunbookConfig, task_queue: str) -> None:
        """Start with nothing seen."""
        self._client, self._runbook, self._queue = client, runbook, task_queue
        self._notified: set[str] = set()
        self._incidents: dict[str, RunReading] = {}
        self._looks: dict[str, Look] = {}
        self._overdue: set[str] = set()
        self._samples: list[Sample] = []

    async def read(self) -> list[Sample]:
        """Return the metrics of the last complete round; nothing before the first one has ended."""
        return [*self._samples, Sample(metrics.OBLIGATIONS_OVERDUE, len(self._overdue))] if self._samples else []

    async def run(self) -> None:
        """Watch until cancelled."""
        await asyncio.gather(_for_ever(self.round, EVERY), _for_ever(self.look, QUERY_EVERY))

    async def round(self) -> None:
        """Read all open workflows once, and report those whose workflow task is stuck."""
        seen: dict[str, RunReading] = {}
        reasons = Counter(dict.fromkeys((Reason.FAILING, Reason.WAITING), 0))
        async for run in open_runs(self._client):
            seen[run.run_id] = run
            if (stuck := stuck_task(run, datetime.now(UTC))) is not None:
                reasons[stuck.reason] += 1
                if run.run_id not in self._notified:
                    await self.report(stuck.replace(failure=await last_failure(self._client, run)))
            await asyncio.sleep(PACE)
        self._overdue &= seen.keys()
        remember_numbers({run.workflow_id: run.number for run in seen.values() if run.number is not None})
        self._samples = _count(reasons, seen.values())
        self._incidents = {key: run for key, run in seen.items() if run.workflow_type == INCIDENT_WORKFLOW}
        self._looks = {key: look for key, look in self._looks.items() if key in seen}
        self._notified &= seen.keys()

    async def look(self) -> None:
        """Query the incident whose turn it is, if one may have an overdue obligation, and report that."""
        at = datetime.now(UTC)
        waiting = [run for run in self._incidents.values() if wants_look(run, self._looks.get(run.run_id), at)]
        waiting = [run for run in waiting if run.run_id not in self._notified or run.run_id in self._overdue]
        if not waiting:
            return
        run = min(waiting, key=self._last_look)
        try:
            await self._look_at(run)
        except (RPCError, WorkflowQueryFailedError) as error:
            _log.info("The agenda of %s was not read: %s", run.workflow_id, first_line(error.message))
            self._incidents.pop(run.run_id, None)  # the next round brings it back
            await asyncio.sleep(BACK_OFF)

    def _last_look(self, run: RunReading) -> datetime:
        look = self._looks.get(run.run_id)
        return look.at if look else datetime.min.replace(tzinfo=UTC)

    async def _look_at(self, known: RunReading) -> None:
        run = await read(self._client, known.workflow_id, known.run_id)
        if run is None:
            self._incidents.pop(known.run_id, None)
            return
        self._incidents[run.run_id] = run
        if run.task is not None:  # the query would wait for it, in a place that responders need
            return
        handle = self._client.get_workflow_handle(run.workflow_id, run_id=run.run_id)
        owed = await handle.query(AGENDA_QUERY, result_type=list[Obligation], rpc_timeout=_TIMEOUT)
        after = await read(self._client, run.workflow_id, run.run_id)
        if after is None or after.history != run.history:
            run = run.replace(idle=False)  # what is owed now may be pending by now
        at = datetime.now(UTC)
        look = look_at(run, owed, self._looks.get(run.run_id), self._runbook, at)
        self._looks[run.run_id] = look
        stuck = stuck_obligation(run, owed, look, self._runbook, at)
        if stuck is None:
            self._overdue.discard(run.run_id)
            return
        self._overdue.add(run.run_id)
        if run.run_id not in self._notified:
            await self.report(stuck)

    async def report(self, stuck: Standstill) -> None:
        """Log a stuck run and have the operators notified, unless that was done before by any worker."""
        notified = StandstillInput(
            stuck=stuck, operators=operators(self._runbook), retry_for=self._runbook.retry_for.others
        )
        try:
            await self._client.start_workflow(
                STANDSTILL_WORKFLOW,
                notified,
                id=f"standstill-{stuck.workflow_id}-{stuck.run_id}",
                task_queue=self._queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=f"{stuck.name} is stuck"[:200],
                rpc_timeout=_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            _log.debug("%s is stuck; the operators were notified before", stuck.name)
        else:
            _log.error(log_line(stuck))
        self._notified.add(stuck.run_id)


def _count(reasons: Mapping[Reason, int], runs: Iterable[RunReading]) -> list[Sample]:
    failing = Counter(activity for run in runs for activity in run.failing)
    return [
        *(Sample(metrics.STUCK, number, {"reason": str(reason)}) for reason, number in reasons.items()),
        *(Sample(metrics.OBLIGATIONS_FAILING, number, {"activity": name}) for name, number in failing.items()),
    ]


async def _for_ever(work: Callable[[], Awaitable[None]], pause: float) -> None:
    """Repeat the work. A failure is logged and does not stop the loop."""
    while True:
        try:
            await work()
        except Exception as error:  # any error: the worker and this watch must keep running
            _log.warning("The stuck-workflow watch failed and will retry: %s", first_line(f"{error!r}"))
        await asyncio.sleep(pause)


@contextlib.asynccontextmanager
async def watched(client: Client, runbook: RunbookConfig, task_queue: str) -> AsyncIterator[StandstillWatch]:
    """Watch for stuck workflows while the block runs; yield the watch."""
    if not any(operator.email for operator in operators(runbook)):
        _log.warning("people.operators in runbook.yaml names no e-mail address: stuck workflows are only logged")
    watch = StandstillWatch(client, runbook, task_queue)
    watching = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

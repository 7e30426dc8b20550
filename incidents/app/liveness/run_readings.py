"""What Temporal's own records say of open workflows. No worker and no query is needed."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta

from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.failures import message_of
from incidents.client.watching.retries import is_failing
from incidents.domain.standstill import PausedActivity, PendingTask, RunReading, Standstill, first_line, stuck_task
from incidents.names import INCIDENT_WORKFLOW, WATCHED
from incidents.search_attributes import NUMBER

TIMEOUT = timedelta(seconds=5)
"""How long a read may take."""
_EVENTS = 50
_RESET = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW


async def open_runs(client: Client) -> AsyncIterator[RunReading]:
    """Yield what Temporal knows of each open workflow of ours. A run that ends meanwhile is left out."""
    async for described in describe_open_runs(client):
        yield reading(described)


async def describe_open_runs(client: Client) -> AsyncIterator[WorkflowExecutionDescription]:
    """Yield the description of each open workflow of ours. A run that ends meanwhile is left out."""
    async for run in client.list_workflows(are_open(WATCHED), rpc_timeout=TIMEOUT):
        if (found := await _describe(client, run.id, run.run_id)) is not None:
            yield found


def are_open(kinds: Iterable[str]) -> str:
    """Return the condition of visibility that open workflows of these types meet."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return f"WorkflowType IN ({listed}) AND ExecutionStatus = 'Running'"


async def read(client: Client, workflow_id: str, run_id: str) -> RunReading | None:
    """Return what Temporal's own record, which is never late, says of a run; None if it is not open."""
    described = await _describe(client, workflow_id, run_id)
    return reading(described) if described is not None else None


async def _describe(client: Client, workflow_id: str, run_id: str) -> WorkflowExecutionDescription | None:
    try:
        described = await client.get_workflow_handle(workflow_id, run_id=run_id).describe(rpc_timeout=TIMEOUT)
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
    answer = await client.workflow_service.get_workflow_execution_history_reverse(request, timeout=TIMEOUT)
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

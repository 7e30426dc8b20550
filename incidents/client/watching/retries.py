"""The vendor calls of an incident that failed and are tried again: what only Temporal knows while they are."""

import re
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import AwareDatetime
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError

from incidents.client.asking import TIMEOUT
from incidents.domain.core.base import Frozen
from incidents.domain.core.errors import POLLS, VENDOR_ERRORS
from incidents.domain.core.text.untrusted import one_line

_LONGEST = 200
"""Characters of a failure."""
_PAGE, _PAGES = 500, 4
"""Events of the history that are read at a time, from its end, and how often."""
_ADDRESS = re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+")


class Retry(Frozen):
    """An activity that failed and is tried again.

    `summary`: what it does. `attempts`: how many failed so far. `failure`: why the last one did, in one line without
    addresses. `next_at`: when the next one begins; None while it is running. `gives_up_at`: when it fails for good;
    None if never.
    """

    summary: str
    attempts: int
    failure: str
    next_at: AwareDatetime | None
    gives_up_at: AwareDatetime | None


class RetryReader:
    """Reads the retries of a run from its description. Needs no worker.

    A description does not say what an activity does. The history does: it is read from its end, once for each activity
    that failed.
    """

    def __init__(self, client: Client) -> None:
        """Read by that client."""
        self._client = client
        self._summaries: dict[tuple[str, str], str] = {}

    async def read(self, run: WorkflowExecutionDescription) -> tuple[Retry, ...]:
        """Return the activities of the run that failed and are tried again, the next one first."""
        failing = [activity for activity in run.raw_description.pending_activities if _is_failing(activity)]
        unknown = [activity for activity in failing if (run.run_id, activity.activity_id) not in self._summaries]
        if unknown:
            await self._read_summaries(run, {activity.activity_id: activity.activity_type.name for activity in unknown})
        retries = [_retry(activity, self._summaries[run.run_id, activity.activity_id]) for activity in failing]
        return tuple(sorted(retries, key=lambda retry: (retry.next_at or run.start_time, retry.summary)))

    async def _read_summaries(self, run: WorkflowExecutionDescription, types: dict[str, str]) -> None:
        """Remember what those activities do; of one that is not found, the name of its type, given by its id."""
        found = {activity_id: name.replace("_", " ") for activity_id, name in types.items()}
        missing, token = set(types), b""
        for _ in range(_PAGES):
            try:
                page = await self._client.workflow_service.get_workflow_execution_history_reverse(
                    GetWorkflowExecutionHistoryReverseRequest(
                        namespace=self._client.namespace,
                        execution=WorkflowExecution(workflow_id=run.id, run_id=run.run_id),
                        maximum_page_size=_PAGE,
                        next_page_token=token,
                    ),
                    timeout=TIMEOUT,
                )
            except RPCError:
                break  # the names of the types have to do
            for event in page.history.events:
                activity_id = event.activity_task_scheduled_event_attributes.activity_id
                if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED and activity_id in missing:
                    missing.discard(activity_id)
                    found[activity_id] = await self._summary_of(event) or found[activity_id]
            token = page.next_page_token
            if not missing or not token:
                break
        self._summaries |= {(run.run_id, activity_id): summary for activity_id, summary in found.items()}

    async def _summary_of(self, event: HistoryEvent) -> str:
        if not event.user_metadata.HasField("summary"):
            return ""
        [summary] = await self._client.data_converter.decode([event.user_metadata.summary], [str])
        return one_line(summary, _LONGEST)


def _is_failing(activity: PendingActivityInfo) -> bool:
    """Tell whether an attempt failed. A poll that found nothing new is repeated as if it had, and did not."""
    polled = activity.last_failure.application_failure_info.type in POLLS
    return activity.attempt > 1 and activity.HasField("last_failure") and not polled


def _retry(activity: PendingActivityInfo, summary: str) -> Retry:
    waits = activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    at = activity.next_attempt_schedule_time if activity.HasField("next_attempt_schedule_time") else None
    ends = activity.expiration_time if activity.HasField("expiration_time") else None
    return Retry(
        summary=summary,
        attempts=activity.attempt - 1,
        failure=describe_failure(activity.last_failure),
        next_at=_utc(at or activity.scheduled_time) if waits else None,
        gives_up_at=_utc(ends) if ends is not None else None,
    )


def describe_failure(failure: Failure) -> str:
    """Return why an attempt failed. The text of an error that is not a vendor's may hold anything: only its class."""
    if failure.HasField("timeout_failure_info"):
        return "no result in time"
    kind = failure.application_failure_info.type
    if kind in VENDOR_ERRORS:
        return one_line(_ADDRESS.sub("…@…", failure.message), _LONGEST)
    return f"error in this program ({one_line(kind, _LONGEST) or 'unknown'})"


def _utc(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)

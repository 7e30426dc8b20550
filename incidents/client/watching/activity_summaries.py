"""What the activities of a run do: a description does not say it, the history does."""

from collections.abc import Iterable

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError

from incidents.client.asking import TIMEOUT
from incidents.domain.core.text.untrusted import one_line

_LONGEST = 200
"""Characters of a summary."""
_PAGE, _PAGES = 500, 4
"""Events of the history that are read at a time, from its end, and how often."""


class ActivitySummaries:
    """Reads summaries from the end of a history, once for each activity that it can read. Needs no worker."""

    def __init__(self, client: Client) -> None:
        """Read by that client."""
        self._client = client
        self._summaries: dict[tuple[str, str], str] = {}

    async def read(
        self, run: WorkflowExecutionDescription, activities: Iterable[PendingActivityInfo]
    ) -> dict[str, str]:
        """Return what those activities of the run do, by their ids; of one that is not found, the name of its type."""
        types = {activity.activity_id: activity.activity_type.name.replace("_", " ") for activity in activities}
        unknown = {activity_id for activity_id in types if (run.run_id, activity_id) not in self._summaries}
        if unknown:
            await self._read(run, unknown, types)
        return {
            activity_id: self._summaries.get((run.run_id, activity_id), name) for activity_id, name in types.items()
        }

    async def _read(self, run: WorkflowExecutionDescription, unknown: set[str], types: dict[str, str]) -> None:
        """Remember what those activities do; of one without a summary in the history, the name of its type.

        Nothing is remembered of what could not be read: the next call reads it.
        """
        missing, token = set(unknown), b""
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
                return
            for event in page.history.events:
                activity_id = event.activity_task_scheduled_event_attributes.activity_id
                if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED and activity_id in missing:
                    missing.discard(activity_id)
                    self._summaries[run.run_id, activity_id] = await self._summary_of(event) or types[activity_id]
            token = page.next_page_token
            if not missing or not token:
                break
        # Older than what is read: it is not looked for again.
        self._summaries |= {(run.run_id, activity_id): types[activity_id] for activity_id in missing}

    async def _summary_of(self, event: HistoryEvent) -> str:
        if not event.user_metadata.HasField("summary"):
            return ""
        [summary] = await self._client.data_converter.decode([event.user_metadata.summary], [str])
        return one_line(summary, _LONGEST)

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
    """Reads summaries from the end of a history, once for each activity. Needs no worker."""

    def __init__(self, client: Client) -> None:
        """Read by that client."""
        self._client = client
        self._summaries: dict[tuple[str, str], str] = {}

    async def read(
        self, run: WorkflowExecutionDescription, activities: Iterable[PendingActivityInfo]
    ) -> dict[str, str]:
        """Return what those activities of the run do, by their ids; the name of its type of one that is not found."""
        types = {activity.activity_id: activity.activity_type.name for activity in activities}
        unknown = {one: name for one, name in types.items() if (run.run_id, one) not in self._summaries}
        if unknown:
            await self._read(run, unknown)
        return {activity_id: self._summaries[run.run_id, activity_id] for activity_id in types}

    async def _read(self, run: WorkflowExecutionDescription, types: dict[str, str]) -> None:
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

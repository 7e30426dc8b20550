"""What every history of ours keeps to, whatever scenario wrote it."""

from collections.abc import AsyncIterator

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

LONGEST = 1000
"""Events of a run, at most: its replay must fit well into a workflow task."""

SCHEDULED, COMPLETED = EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
COMMANDS = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_TIMER_CANCELED,
    EventType.EVENT_TYPE_MARKER_RECORDED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
}
BOOKKEEPING = {
    EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
    EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED,  # it was given up before, by a command
    EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED,
}
"""Events by which a workflow of ours learns nothing."""
UNHANDLED = {"nothing"}
"""Signals of the tests, to which no workflow listens."""


def silent(history: WorkflowHistory) -> list[int]:
    """Return the workflow tasks, by the id of their end, that learned something and commanded nothing."""
    found, news = [], False
    events = list(history.events)
    for event, following in zip(events, [*events[1:], None], strict=True):
        if event.event_type == COMPLETED:
            if news and following is not None and following.event_type not in COMMANDS:
                found.append(event.event_id)
            news = False
        else:
            news = news or is_news(event, events)
    return found


def is_news(event: HistoryEvent, events: list[HistoryEvent]) -> bool:
    """Tell whether the workflow learns something by that event."""
    if event.event_type in COMMANDS | BOOKKEEPING or is_unhandled(event):
        return False
    ended = event.child_workflow_execution_completed_event_attributes
    if ended.workflow_execution.workflow_id.startswith("postmortem-"):
        return False  # nobody waits for it
    return not is_given_up(event, events)


def is_given_up(event: HistoryEvent, events: list[HistoryEvent]) -> bool:
    """Tell whether it is the end of an activity whose cancellation the workflow had requested: it does not wait."""
    ends = (
        event.activity_task_completed_event_attributes,
        event.activity_task_failed_event_attributes,
        event.activity_task_timed_out_event_attributes,
    )
    scheduled = {end.scheduled_event_id for end in ends} - {0}
    return any(
        each.activity_task_cancel_requested_event_attributes.scheduled_event_id in scheduled
        for each in events[: event.event_id]
    )


def is_unhandled(event: HistoryEvent) -> bool:
    """Tell whether it is a signal to which no workflow listens, or which `SignalGuard` drops for want of a payload."""
    if not event.HasField("workflow_execution_signaled_event_attributes"):
        return False
    signal = event.workflow_execution_signaled_event_attributes
    payloads = signal.input.payloads
    empty = len(payloads) != 1 or payloads[0].metadata.get("encoding") == b"binary/null"
    return signal.signal_name in UNHANDLED or empty


async def runs_of(client: Client, workflow_id: str, first: str | None = None) -> AsyncIterator[WorkflowHistory]:
    """Yield the histories of a workflow's runs, from `first` on; none if it does not exist."""
    run_id = first
    while True:
        try:
            history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return
        yield history
        ended = list(history.events)[-1].workflow_execution_continued_as_new_event_attributes
        if not ended.new_execution_run_id:
            return
        run_id = ended.new_execution_run_id


async def assert_sound(client: Client, workflow_id: str, first: str | None = None) -> None:
    """Hold a workflow's histories to what this module says."""
    async for history in runs_of(client, workflow_id, first):
        assert len(history.events) <= LONGEST, f"{workflow_id}: a run of {len(history.events)} events"
        found = [around(history, event_id) for event_id in silent(history)]
        assert not found, f"{workflow_id}: tasks that learned something and left no event: {found}"


def around(history: WorkflowHistory, event_id: int) -> list[str]:
    """Return the events around one, in words."""
    near = list(history.events)[max(event_id - 8, 0) : event_id + 2]
    return [f"{event.event_id} {EventType.Name(event.event_type).removeprefix('EVENT_TYPE_')}" for event in near]

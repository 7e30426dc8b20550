"""What an incident has learnt stands where it learnt it, in its history: every worker that reads it sees the same.

On the development server: what is tested is how its histories are read again.
"""

import itertools

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from runbook.commands import AddNote
from tests.replay.test_replay import replayer
from tests.workflows.world import World

SCHEDULED, COMPLETED = EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
COMMANDS = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_TIMER_CANCELED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
}


def silent(history: WorkflowHistory) -> list[int]:
    """The workflow tasks, by the id of their end, that commanded nothing."""
    events = list(history.events)
    after = itertools.pairwise(events)
    return [
        event.event_id
        for event, next_one in after
        if event.event_type == COMPLETED != next_one.event_type not in COMMANDS
    ]


async def test_each_step_leaves_a_trace_and_a_new_worker_sees_what_the_old_one_saw(empty_world: World) -> None:
    world = empty_world
    async with world.worker():
        await world.open()
        await world.tell(AddNote(by="ann", text="We look."))
        first = await world.incident()
    async with world.worker():
        assert await world.incident() == first, "to the microsecond"
        await world.handle.signal("add_note", AddNote(by="ann", text="We see."))
        await world.tell(AddNote(by="ann", text="We know."))
        second = await world.incident()
    async with world.worker():
        assert await world.incident() == second
    history = await world.handle.fetch_history()
    assert silent(history) == []
    await replayer().replay_workflow(history)

"""79: an incident that lives long goes on in a fresh run, and nothing is lost or doubled at the seam."""

from datetime import timedelta

from temporalio.client import WorkflowExecutionStatus

from runbook.commands import Acknowledge, AddNote, Resolve
from tests.workflows.world import World


async def test_79_duties_go_on_across_many_runs(world: World) -> None:
    await world.open(history_limit=120)
    await world.tell(Acknowledge(by="ann", id="ack-1"))
    first = (await world.handle.describe()).run_id
    await world.at(8 * 60 + 1)

    description = await world.handle.describe()
    assert description.status == WorkflowExecutionStatus.RUNNING
    assert description.run_id != first, "the incident continued as new"
    assert [m for m, _ in world.sent("publish_status", "update/")] == list(range(0, 8 * 60 + 1, 30))
    keys = [call.effect.key for call in world.hands.calls if call.name != "verify_region"]
    assert len(keys) == len(set(keys)), "no duty was done twice"
    assert [m for m, _ in world.sent("send_page", "/ceo/")] == [30]
    again = await world.handle.execute_update("acknowledge", Acknowledge(by="ann", id="ack-1"), result_type=dict)
    assert again["changed"] is False, "a command id is remembered across runs"


async def test_79_at_the_exact_due_instant_of_an_update(world: World) -> None:
    """A flood of notes drives history over the limit just when an update is due."""
    await world.open(history_limit=150)
    await world.tell(Acknowledge(by="ann"))
    for half_hour in range(1, 5):
        due = world.t0 + timedelta(minutes=30 * half_hour)
        await world.env.sleep(due - await world.now() - timedelta(seconds=1))
        for number in range(12):
            note = AddNote(by="ann", text=f"note {half_hour}.{number}")
            await world.handle.signal("add_note", note)
        await world.env.sleep(timedelta(seconds=2))
        await world.settled()
    assert [m for m, _ in world.sent("publish_status", "update/")] == [0, 30, 60, 90, 120]
    notes = [text for text in await world.said() if text.startswith("note ")]
    assert len(notes) == len(set(notes)) == 48
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    assert (await world.incident()).status == "resolved"

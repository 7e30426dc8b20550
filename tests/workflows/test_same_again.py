"""What an incident has learnt stands where it learnt it, in its history: every worker that reads it sees the same.

On the development server: what is tested is how its histories are read again.
"""

import pytest

from incidents.domain.incident.commands import AddNote
from tests.replay.test_replay import replayer
from tests.support.determinism import worker_modes as modes
from tests.support.determinism.histories import silent
from tests.support.determinism.worker_modes import Mode
from tests.support.environment import World


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", Mode)
async def test_each_step_leaves_an_event_and_a_new_worker_sees_what_the_old_one_saw(
    empty_world: World, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = empty_world
    world.safety = mode.safety
    reader = modes.apply(mode, world.env.client, monkeypatch)
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
    assert reader is None or reader.answers > 1, "it was queried between its tasks"

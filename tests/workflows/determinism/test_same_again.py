"""What an incident has learnt stands where it learnt it, in its history: every worker that reads it sees the same.

On the development server: what is tested is how its histories are read again.
"""

import asyncio

import pytest

from incidents.domain.incident.commands import AddNote
from tests.replay.test_replay import replayer
from tests.support.determinism import worker_modes as modes
from tests.support.determinism.histories import silent
from tests.support.determinism.worker_modes import Mode, Reader
from tests.support.environment import World


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", Mode)
async def test_each_step_leaves_an_event_and_a_new_worker_sees_what_the_old_one_saw(
    empty_world: World, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = empty_world
    world.safety = mode.safety
    reader = modes.apply(mode, world.env.client, monkeypatch)
    async with world.worker():
        await world.open()
    await assert_seen_again(world, "We look.", reader)
    await assert_seen_again(world, "We know.", reader)
    history = await world.handle.fetch_history()
    assert silent(history) == []
    await replayer().replay_workflow(history)


async def assert_seen_again(world: World, text: str, reader: Reader | None) -> None:
    """Hold that a new worker sees, to the microsecond, what the old one saw, after a signal and an update.

    A timer may fire between the two looks: then they are looks at another history, and are made again.
    """
    async with world.worker():
        await world.handle.signal("add_note", AddNote(by="ann", text=text))
        await world.tell(AddNote(by="bob", text=text))
        if reader is not None:
            await reader.answered.wait()
    while True:
        async with world.worker():
            events = await at_rest(world)
            before = await world.incident()
        async with world.worker():
            after = await world.incident()
            if await events_of(world) == events:
                assert after == before
                return


async def at_rest(world: World) -> int:
    """Wait until nothing is written for a while; return how many events there are."""
    events = await events_of(world)
    await asyncio.sleep(0.5)
    return events if await events_of(world) == events else await at_rest(world)


async def events_of(world: World) -> int:
    return len((await world.handle.fetch_history()).events)

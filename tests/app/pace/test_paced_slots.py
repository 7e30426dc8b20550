"""A slot is handed out when the bucket has a token; until then the worker asks Temporal for nothing."""

import asyncio
from dataclasses import dataclass
from typing import Any, cast

import pytest
from temporalio.worker import SlotMarkUsedContext, SlotPermit, SlotReleaseContext, SlotReserveContext

from incidents.app.pace.paced_slots import COUNT_EVERY, PacedSlots
from incidents.app.pace.token_bucket import TokenBucket

ASKED = cast("SlotReserveContext", None)


@dataclass
class Clock:
    """A clock that only the test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Used:
    """What the SDK says when a task came."""

    permit: SlotPermit


def slots_of(clock: Clock, burst: int, slots: int = 20, **more: Any) -> PacedSlots:
    """Slots with a token every 100 s: no test waits for it."""
    return PacedSlots(TokenBucket(burst, 0.01, clock()), slots, clock, **more)


def use(slots: PacedSlots, permit: SlotPermit) -> None:
    """A task came for that slot."""
    slots.mark_slot_used(cast("SlotMarkUsedContext", Used(permit)))


def release(slots: PacedSlots, permit: SlotPermit) -> None:
    """The task is done, or none came."""
    slots.release_slot(SlotReleaseContext(slot_info=None, permit=permit))


async def all_wait() -> None:
    """Let every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_burst_is_handed_out_and_then_no_more() -> None:
    slots = slots_of(Clock(), 3)
    for _ in range(3):
        use(slots, await slots.reserve_slot(ASKED))
    waiting = asyncio.create_task(slots.reserve_slot(ASKED))
    await all_wait()
    assert not waiting.done()
    waiting.cancel()


async def test_a_token_that_was_refilled_is_handed_out() -> None:
    clock = Clock()
    slots = slots_of(clock, 1)
    use(slots, await slots.reserve_slot(ASKED))
    clock.now = 100.0
    await slots.reserve_slot(ASKED)


async def test_a_waiting_poller_gets_the_token_when_it_is_refilled() -> None:
    slots = PacedSlots(TokenBucket(1, 50.0, 0.0), 20, clock := Clock())
    use(slots, await slots.reserve_slot(ASKED))
    waiting = asyncio.create_task(slots.reserve_slot(ASKED))
    await all_wait()
    assert not waiting.done()
    clock.now = 0.02
    await waiting


async def test_what_no_task_came_for_is_given_to_who_waits() -> None:
    slots = slots_of(Clock(), 1)
    permit = await slots.reserve_slot(ASKED)
    waiting = asyncio.create_task(slots.reserve_slot(ASKED))
    await all_wait()
    assert not waiting.done()
    await asyncio.to_thread(release, slots, permit)  # the SDK calls from threads of its own
    await waiting


async def test_the_token_of_a_task_is_not_given_back_with_its_slot() -> None:
    slots = slots_of(Clock(), 1)
    permit = await slots.reserve_slot(ASKED)
    use(slots, permit)
    release(slots, permit)
    waiting = asyncio.create_task(slots.reserve_slot(ASKED))
    await all_wait()
    assert not waiting.done()
    waiting.cancel()


async def test_no_more_run_at_once_than_there_are_slots() -> None:
    slots = slots_of(Clock(), 10, slots=2)
    permits = [await slots.reserve_slot(ASKED) for _ in range(2)]
    for permit in permits:
        use(slots, permit)
    waiting = asyncio.create_task(slots.reserve_slot(ASKED))
    await all_wait()
    assert not waiting.done()
    await asyncio.to_thread(release, slots, permits[0])
    await waiting


async def test_a_poller_that_is_shut_down_while_it_waits_leaves_nothing_reserved() -> None:
    slots = slots_of(Clock(), 1)
    permit = await slots.reserve_slot(ASKED)
    waiting = asyncio.create_task(slots.reserve_slot(ASKED))
    await all_wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    release(slots, permit)
    await slots.reserve_slot(ASKED)


async def test_a_slot_that_is_released_after_the_loop_is_closed_harms_nothing() -> None:
    slots = slots_of(Clock(), 1)

    def in_a_loop_that_ends() -> SlotPermit:
        loop = asyncio.new_event_loop()
        permit = loop.run_until_complete(slots.reserve_slot(ASKED))
        waiting = loop.create_task(slots.reserve_slot(ASKED))
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        assert not waiting.done()
        return permit

    permit = await asyncio.to_thread(in_a_loop_that_ends)
    release(slots, permit)
    await slots.reserve_slot(ASKED)


def test_nothing_starts_eagerly() -> None:
    assert slots_of(Clock(), 10).try_reserve_slot(ASKED) is None


async def test_the_bucket_is_shared_with_the_other_workers_and_counted_again_later() -> None:
    clock, workers = Clock(), [2, 0, 1]

    async def count() -> int:
        return workers.pop(0)

    slots = slots_of(clock, 4, count_workers=count)
    for _ in range(2):
        use(slots, await slots.reserve_slot(ASKED))
    waiting = asyncio.create_task(slots.reserve_slot(ASKED))
    await all_wait()
    assert not waiting.done(), "the other two are another worker's"
    waiting.cancel()
    assert workers == [0, 1], "one count serves all pollers for a while"
    clock.now = COUNT_EVERY
    waiting = asyncio.create_task(slots.reserve_slot(ASKED))
    await all_wait()
    assert not waiting.done(), "Temporal did not say: the share stays as it was"
    waiting.cancel()
    clock.now = 400.0
    for _ in range(2):
        use(slots, await slots.reserve_slot(ASKED))
    assert workers == []

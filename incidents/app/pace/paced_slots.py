"""Slots of a worker that asks Temporal for an activity only when its bucket has a token.

What has to wait stays in Temporal's queue, where the most urgent task is first, and not in this process, which could
die or take them in another order.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from temporalio.worker import (
    CustomSlotSupplier,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
)

from incidents.app.pace.token_bucket import TokenBucket

_SHORTEST_WAIT = 0.001
"""Seconds. A timer may fire a moment early: then it is not asked again at once, over and over."""


COUNT_EVERY = 30.0
"""Seconds after which the workers are counted again."""


async def _only_this_one() -> int:
    return 1


@dataclass(eq=False)
class _Permit(SlotPermit):
    """A reserved slot. `used`: for a task, which has its token."""

    used: bool = False


class PacedSlots(CustomSlotSupplier):
    """Reserves a slot when one is free and the bucket has a token for it.

    The SDK reserves slots on the event loop, and marks and releases them from threads of its own.
    """

    def __init__(
        self,
        bucket: TokenBucket,
        slots: int,
        clock: Callable[[], float] = time.monotonic,
        count_workers: Callable[[], Awaitable[int]] = _only_this_one,
    ) -> None:
        """Begin with all slots free.

        Args:
            bucket: of all workers together.
            slots: activities at once.
            clock: what the bucket began with.
            count_workers: returns how many share the bucket, 0 if that is not known now. Raises nothing.
        """
        self._bucket, self._free, self._clock, self._count_workers = bucket, slots, clock, count_workers
        self._lock, self._waiting = threading.Lock(), set[Callable[[], object]]()
        self._counted_at = float("-inf")

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        """Wait for a free slot and a token. Cancelled by the SDK, it leaves nothing reserved."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(changed.set)

        with self._lock:
            self._waiting.add(wake)
        try:
            while True:
                await self._share()
                changed.clear()
                wait = self._reserve()
                if not wait:
                    return _Permit()
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if wait == float("inf") else max(wait, _SHORTEST_WAIT)):
                        await changed.wait()
        finally:
            with self._lock:
                self._waiting.discard(wake)

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        """Start nothing eagerly: it would go before what waits in the queue."""
        return None

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        """Take the token of the activity that came."""
        if not isinstance(ctx.permit, _Permit):
            raise TypeError("a slot of another supplier")
        with self._lock:
            ctx.permit.used = True
            self._bucket.make(self._clock())
        self._wake_all()

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        """Take the slot back, and its token if no task came for it."""
        with self._lock:
            self._free += 1
            if isinstance(ctx.permit, _Permit) and not ctx.permit.used:
                self._bucket.give_back()
        self._wake_all()

    async def _share(self) -> None:
        """Count the workers now and then, and leave the others their parts of the bucket."""
        now = self._clock()
        if now - self._counted_at < COUNT_EVERY:
            return
        self._counted_at = now  # before it is known: the other pollers need not count, too
        if workers := await self._count_workers():
            with self._lock:
                self._bucket.share(workers, self._clock())

    def _reserve(self) -> float:
        """Reserve a slot and return 0, or return how many seconds to wait unless something changes before."""
        with self._lock:
            wait = self._bucket.reserve(self._clock()) if self._free else float("inf")
            if not wait:
                self._free -= 1
            return wait

    def _wake_all(self) -> None:
        with self._lock:
            waiting = tuple(self._waiting)
        for wake in waiting:
            wake()

"""Gather what comes for one key while a call for it is in progress, so that it goes together in the next call.

What comes while none is in progress is sent at once. Kinds keep their order: a call of one kind begins after the calls
of the other kinds that came before it have ended.
"""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

GATHER = 0.05
"""Seconds for which a call in progress holds back what comes after it; then that goes in a call beside it."""
_SIDE_BY_SIDE = 2
"""Calls of one key in progress, so that one that hangs delays no other. More would only wait for each other: the server
does one thing at a time to a workflow."""
Item = TypeVar("Item")
Result = TypeVar("Result")
Send = Callable[[Sequence[tuple[Item, ...]]], Awaitable[Sequence[Result]]]
"""Sends parts in one call, and returns the result of each. To call it again after a failure must be safe."""


@dataclass(frozen=True)
class Bounds(Generic[Item]):
    """How much goes in one call: items, and bytes as `size_of` counts them. A part is not divided."""

    items: int
    size: int
    size_of: Callable[[tuple[Item, ...]], int]


@dataclass(eq=False)
class _Part(Generic[Item, Result]):
    """What one caller sends."""

    kind: str
    items: tuple[Item, ...]
    size: int
    send: Send[Item, Result]
    room: asyncio.Semaphore | None
    result: asyncio.Future[Result]
    context: Context = field(default_factory=copy_context)


@dataclass(eq=False)
class _Lane(Generic[Item, Result]):
    """One key: the calls in progress, all of one kind; what waits; and the last call, while it holds that back."""

    kind: str = ""
    in_progress: set[asyncio.Task[None]] = field(default_factory=set)
    waiting: deque[_Part[Item, Result]] = field(default_factory=deque)
    holding: asyncio.Task[None] | None = None

    def may_begin(self, kind: str) -> bool:
        """Tell whether a call of that kind may begin now."""
        if self.holding is not None or len(self.in_progress) == _SIDE_BY_SIDE:
            return False
        return not self.in_progress or self.kind == kind


class Gathering(Generic[Item, Result]):
    """Sends parts by key. `is_shared`: tells whether a failure says nothing about the parts that were sent."""

    def __init__(
        self, bounds: Bounds[Item], is_shared: Callable[[Exception], bool], gather: float | None = None
    ) -> None:
        """Send calls of those bounds; `gather`: seconds instead of `GATHER`."""
        self._bounds, self._is_shared, self._gather = bounds, is_shared, gather
        self._lanes: dict[str, _Lane[Item, Result]] = {}

    def add(
        self,
        key: str,
        kind: str,
        items: tuple[Item, ...],
        send: Send[Item, Result],
        room: asyncio.Semaphore | None = None,
    ) -> asyncio.Future[Result]:
        """Send the items, behind all that was added for the key before; return the result to come.

        If a call fails for a reason that says nothing about its parts, what waits behind it fails with it, because it
        must not overtake it. After any other failure each part of the call is sent alone. To cancel the result takes
        back what was not sent yet, and nothing else.

        Args:
            key: parts of one key go together.
            kind: parts of different kinds go in calls of their own, in order.
            items: what is sent.
            send: sends them, together with parts that were added later.
            room: is held by the call.
        """
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        part = _Part(kind, items, self._bounds.size_of(items), send, room, result)
        self._lanes.setdefault(key, _Lane()).waiting.append(part)
        self._advance(key)
        return result

    def _advance(self, key: str) -> None:
        """Begin the next call of a key, if nothing holds it back; forget a key for which nothing is left."""
        lane = self._lanes[key]
        while lane.waiting and lane.waiting[0].result.done():  # taken back
            lane.waiting.popleft()
        if lane.waiting and lane.may_begin(lane.waiting[0].kind):
            self._begin(key, lane)
        elif not lane.waiting and not lane.in_progress:
            del self._lanes[key]

    def _begin(self, key: str, lane: _Lane[Item, Result]) -> None:
        parts = self._next_parts(lane.waiting)
        lane.kind, loop = parts[0].kind, asyncio.get_running_loop()
        call = loop.create_task(self._call(lane, parts), context=parts[0].context)
        lane.in_progress.add(call)
        lane.holding = call
        timer = loop.call_later(GATHER if self._gather is None else self._gather, self._release, key, call)

        def ended(_: object) -> None:
            timer.cancel()
            lane.in_progress.discard(call)
            self._release(key, call)

        call.add_done_callback(ended)

    def _next_parts(self, waiting: deque[_Part[Item, Result]]) -> list[_Part[Item, Result]]:
        """Take the parts that go together next: of one kind, within the bounds, at least one."""
        parts = [waiting.popleft()]
        count, size = len(parts[0].items), parts[0].size
        while waiting and waiting[0].kind == parts[0].kind:
            count, size = count + len(waiting[0].items), size + waiting[0].size
            if count > self._bounds.items or size > self._bounds.size:
                break
            parts.append(waiting.popleft())
        return parts

    def _release(self, key: str, call: asyncio.Task[None]) -> None:
        """Let what waits behind a call go on: the call has ended, or is in progress for long enough."""
        lane = self._lanes[key]
        if lane.holding is call:
            lane.holding = None
        self._advance(key)

    async def _call(self, lane: _Lane[Item, Result], parts: list[_Part[Item, Result]]) -> None:
        try:
            if (room := parts[0].room) is None:
                await self._send(lane, parts)
                return
            async with room:
                await self._send(lane, parts)
        finally:  # left open only if the process stops
            for part in parts:
                part.result.cancel()

    async def _send(self, lane: _Lane[Item, Result], parts: list[_Part[Item, Result]]) -> None:
        """Send parts, except those that were taken back, and give each its result."""
        if not (parts := [part for part in parts if not part.result.done()]):
            return
        try:
            results = await parts[0].send([part.items for part in parts])
        except Exception as error:
            if self._is_shared(error):
                _fail([*parts, *lane.waiting], error)
            elif len(parts) == 1:
                _fail(parts, error)
            else:
                for part in parts:
                    await self._send(lane, [part])
            return
        for part, result in zip(parts, results, strict=True):
            if not part.result.done():
                part.result.set_result(result)


def _fail(parts: Sequence[_Part[Item, Result]], error: Exception) -> None:
    for part in parts:
        if not part.result.done():
            part.result.set_exception(error)


class OneAtATime(Generic[Result]):
    """Asks what many want to know at once: one answer, or one failure, is for all who came before it was asked for.

    They go on in the order in which they came.
    """

    def __init__(self, ask: Callable[[], Awaitable[Result]]) -> None:
        self._ask = ask
        self._gathering: Gathering[None, Result] = Gathering(Bounds(0, 0, len), lambda _: True, math.inf)

    async def __call__(self) -> Result:
        """Ask; raises what asking raises."""
        return await self._gathering.add("", "", (), self._answer_all)

    async def _answer_all(self, askers: Sequence[tuple[None, ...]]) -> list[Result]:
        return [await self._ask()] * len(askers)

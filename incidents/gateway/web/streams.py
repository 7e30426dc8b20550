"""Server-sent events: they tell a page that it has changed, and the page reads itself again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from temporalio.service import RPCError

from incidents.client.problems import NotFound
from incidents.gateway.web.rendering import HEADERS

_LIFE = 600.0
"""Seconds after which a stream ends. The browser opens another one, and the gateway asks again who it is."""
_KEEP_ALIVE = 15.0
"""Seconds without an event after which a comment is sent, so that proxies keep the connection."""


@dataclass(frozen=True)
class Pulse:
    """What a stream looks at. `version`: changes with the page; `pause`: seconds until the next look."""

    version: str
    pause: float
    over: bool = False


class Streams:
    """The open streams. They end when the gateway stops, which otherwise would wait for them."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End every stream."""
        self._stopping.set()

    def answer(self, request: Request, look: Callable[[], Awaitable[Pulse]]) -> Response:
        """Return a stream of `changed` events, one at once if the page that asks is older than what there is now."""
        seen = request.headers.get("last-event-id") or request.query_params.get("version", "")
        headers = HEADERS | {"x-accel-buffering": "no"}
        return StreamingResponse(self._events(look, seen), media_type="text/event-stream", headers=headers)

    async def _events(self, look: Callable[[], Awaitable[Pulse]], seen: str) -> AsyncIterator[str]:
        clock = asyncio.get_running_loop().time
        ends, silent_since = clock() + _LIFE, clock()
        yield ": open\n\n"
        while clock() < ends and not self._stopping.is_set():
            try:
                pulse = await look()
            except (RPCError, NotFound):
                return  # the browser tries again, and the page itself says what is wrong
            if pulse.version != seen:
                seen, silent_since = pulse.version, clock()
                yield f"id: {seen}\nevent: changed\ndata: {seen}\n\n"
            elif clock() - silent_since >= _KEEP_ALIVE:
                silent_since = clock()
                yield ": quiet\n\n"
            if pulse.over:
                yield "event: over\ndata:\n\n"
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pulse.pause)

"""Ends the demo in order on a signal, or when its parent process has ended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

_EVERY = 0.5
"""Seconds between two looks at the parent process."""


class Stop:
    """Whether the demo was asked to stop. `expected`: it waits for that, so it is no failure. `by`: the signal."""

    def __init__(self) -> None:
        self.expected = False
        self.by: signal.Signals | None = None

    @property
    def status(self) -> int:
        """The exit status after a stop, as a shell gives it."""
        return 0 if self.expected or self.by is None else 128 + self.by


async def until_stopped(play: Callable[[Stop], Awaitable[int]]) -> int:
    """Play until the end, or until SIGINT, SIGTERM, SIGHUP or the end of the parent process; return the exit status.

    What is played is cancelled then, so that it stops what it has started. A second signal does not cut that short.
    """
    stop = Stop()
    playing = asyncio.ensure_future(play(stop))

    def request_stop(by: signal.Signals) -> None:
        if stop.by is None:
            stop.by = by
            playing.cancel()

    _listen(request_stop)
    _watch_parent(os.getppid(), lambda: request_stop(signal.SIGHUP))
    try:
        return await playing
    except asyncio.CancelledError:
        return stop.status


def _listen(told: Callable[[signal.Signals], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # by nohup
        asyncio.get_running_loop().add_signal_handler(number, told, number)


def _watch_parent(parent: int, gone: Callable[[], None]) -> None:
    """Call `gone` once this process has another parent: the end of a parent is no signal everywhere."""
    if os.getppid() != parent:
        gone()
        return
    asyncio.get_running_loop().call_later(_EVERY, _watch_parent, parent, gone)

"""Stops what the demo has started, if the demo itself cannot: a process of its own, which outlives it by a moment.

It imports nothing of ours, so that it is there at once, and it holds the lock of the demo's folder until it ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

_GRACE = 15.0
"""Seconds from SIGTERM to SIGKILL."""
_DONE = "done"


class Keeper:
    """The demo's end of the pipe. Its processes have groups of their own: the demo alone gets the terminal's Ctrl-C."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, words: list[str], **options: Any) -> subprocess.Popen[str]:
        """Start a process as `subprocess.Popen` does, and have it stopped when the demo is gone."""
        started = subprocess.Popen(words, process_group=0, stdin=subprocess.DEVNULL, **options)
        self._send(str(started.pid))
        return started

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()


@contextlib.contextmanager
def keeping(lock: int) -> Iterator[Keeper]:
    """Run a keeper, which holds that file descriptor open. At the end everything has been stopped already."""
    words = [sys.executable, "-I", __file__]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=(lock,), start_new_session=True, text=True
    )
    keeper = Keeper(process)
    try:
        yield keeper
    finally:
        with contextlib.suppress(BrokenPipeError):
            keeper._send(_DONE)
        process.communicate()


def keep(orders: Iterable[str]) -> None:
    """Read process groups, one a line, until the demo is done. If the input ends before, stop them all."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: list[int] = []
    for line in orders:
        if line.strip() == _DONE:
            return
        groups.append(int(line))
    stop_groups(groups)


def stop_groups(groups: list[int]) -> None:
    """End process groups gently, and firmly if that does not help."""
    until = time.monotonic() + _GRACE
    left = [group for group in groups if _sent(group, signal.SIGTERM)]
    while left and time.monotonic() < until:
        time.sleep(0.1)
        left = [group for group in left if _sent(group, 0)]
    for group in left:
        _sent(group, signal.SIGKILL)


def _sent(group: int, number: int) -> bool:
    """Send a signal to a group, 0 for none; tell whether a process of it is left."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    keep(sys.stdin)

"""Run one of Prometheus' programs (Prometheus, Alertmanager), which say alike when they are ready."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from sandbox.temporal_server import free_port, stop

_READY_WITHIN = 30.0
"""Seconds."""


@contextmanager
def running_program(words: Callable[[str], Sequence[str]], home: Path) -> Iterator[str]:
    """Run it and yield its URL once it is ready. `words`: its command line for an address. Its log is in `home`."""
    address, log = f"127.0.0.1:{free_port()}", home / "log"
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(words(address), stdout=out, stderr=out, text=True)
    try:
        _wait_until_ready(address, process, log)
        yield f"http://{address}"
    finally:
        stop(process)


def _wait_until_ready(address: str, process: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while True:
        try:
            httpx.get(f"http://{address}/-/ready", trust_env=False).raise_for_status()
            return
        except httpx.HTTPError:
            said = log.read_text(encoding="utf-8")
            assert process.poll() is None, f"it has ended: {said}"
            assert time.monotonic() < deadline, f"it is not ready: {said}"
            time.sleep(0.1)

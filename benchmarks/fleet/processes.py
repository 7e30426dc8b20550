"""Workers as processes, and what they cost."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from benchmarks.fleet.worker import READY


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has taken."""
    fields = _proc(pid, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _proc(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text(encoding="ascii")


class Worker:
    """A worker process."""

    def __init__(self, address: str) -> None:
        """Of that server."""
        self._address = address
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it polls."""
        words = [sys.executable, "-m", "benchmarks.fleet.worker", self._address]
        pipe, quiet = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(*words, stdout=pipe, stderr=quiet)
        assert self._process.stdout is not None
        if READY not in (await self._process.stdout.readline()).decode():
            raise RuntimeError("a worker did not start")

    async def kill(self) -> None:
        """Kill it (SIGKILL)."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    @property
    def cpu_seconds(self) -> float:
        """CPU time that it has taken."""
        return cpu_seconds(self._pid)

    @property
    def megabytes(self) -> float:
        """Memory that it holds."""
        return int(_proc(self._pid, "statm").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    @property
    def _pid(self) -> int:
        assert self._process is not None
        return self._process.pid


@contextlib.asynccontextmanager
async def working(address: str, count: int = 1) -> AsyncIterator[list[Worker]]:
    """So many worker processes; all are killed at the end."""
    found = [Worker(address) for _ in range(count)]
    try:
        await asyncio.gather(*(worker.start() for worker in found))
        yield found
    finally:
        await asyncio.gather(*(worker.kill() for worker in found))

"""The worker processes of a run: started, killed, stopped, continued."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.worker import READY

START_SECONDS = 60.0


@dataclass
class Workers:
    """Two workers of one task queue, in processes of their own."""

    address: str
    queue: str
    home: Path
    environment: dict[str, str]
    running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    started: int = 0

    def start(self) -> int:
        """Start one, and return its process id at once; it is ready when its log says so."""
        self.started += 1
        with self._log(self.started).open("wb") as log:
            words = ["-m", "tests.chaos.worker", self.address, self.queue, str(self.home / "ledger.jsonl")]
            process = subprocess.Popen([sys.executable, *words], env=self.environment, stdout=log, stderr=log)
        self.running[process.pid] = process
        return process.pid

    async def ready(self, count: int = 2) -> None:
        """Wait until so many of the running workers are ready."""
        deadline = time.monotonic() + START_SECONDS
        while sum(self._is_ready(pid) for pid in self.running) < count:
            if dead := [process.returncode for process in self.running.values() if process.poll() is not None]:
                raise RuntimeError(f"a worker ended by itself with {dead[0]}; its log is in {self.home}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"the workers are not ready within {START_SECONDS:.0f} s")
            await asyncio.sleep(0.05)

    def kill(self, pid: int) -> None:
        """Kill one (SIGKILL)."""
        process = self.running.pop(pid)
        process.kill()
        process.wait()

    @contextmanager
    def stopped(self, pid: int) -> Iterator[None]:
        """Keep one stopped (SIGSTOP), and let it go on afterwards."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def pick(self, holder: int | None, other: bool, chance: random.Random) -> int:
        """Return the worker that holds the incident or, with `other`, one that does not; else any."""
        wanted = [pid for pid in self.running if (pid == holder) is not other]
        return chance.choice(wanted or list(self.running))

    def end(self) -> None:
        """End them all."""
        for pid in list(self.running):
            self.kill(pid)

    def _log(self, number: int) -> Path:
        return self.home / f"worker-{number}.log"

    def _is_ready(self, pid: int) -> bool:
        said = f"{READY} {pid}\n".encode()
        return any(said in self._log(number).read_bytes() for number in range(1, self.started + 1))

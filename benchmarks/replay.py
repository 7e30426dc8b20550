"""How long a worker takes to read an incident from its start, by the length of its history.

That is what a worker that takes over has to do, within the ten seconds of a workflow task, and what a query costs.
"""

import statistics
import time

from rich.console import Console
from rich.table import Table
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from benchmarks.incidents import QUEUE, opened
from benchmarks.server import server
from benchmarks.shipped import runbook_at_our_pace
from incidents.app.composition.workers import make_worker
from incidents.domain.core.base import build_models
from incidents.domain.incident.commands import AddNote
from tests.support.fake_activities import FakeActivities
from workflows.registry import WORKFLOWS

LENGTHS = (250, 500, 1000)
"""Events. The limit of a run is set higher, so that none continues as new before."""
ROUNDS = 5


async def a_history(client: Client, length: int) -> WorkflowHistory:
    """Return the history of an incident to which people add notes until it has that many events."""
    runbook = runbook_at_our_pace()
    runbook = runbook.replace(durability=runbook.durability.replace(history_events=2000))
    handle = await opened(client, runbook, f"bench-{length}")
    history: WorkflowHistory = await handle.fetch_history()
    while len(history.events) < length:
        for _ in range(10):
            await handle.execute_update("add_note", AddNote(by="ann", text="We look."))
        history = await handle.fetch_history()
    await handle.terminate("measured")
    return history


async def measure(client: Client) -> Table:
    """Replay each history several times."""
    replayer = Replayer(
        workflows=WORKFLOWS, data_converter=pydantic_data_converter, workflow_runner=UnsandboxedWorkflowRunner()
    )
    table = Table("events", "kB", "replay, median ms", "in a second, one core")
    for length in LENGTHS:
        history = await a_history(client, length)
        took = []
        for _ in range(ROUNDS):
            before = time.process_time()
            await replayer.replay_workflow(history)
            took.append(time.process_time() - before)
        median = statistics.median(took)
        size = sum(event.ByteSize() for event in history.events) / 1000
        table.add_row(f"{len(history.events)}", f"{size:.0f}", f"{median * 1000:.0f}", f"{1 / median:.1f}")
    return table


async def main() -> None:
    """Measure and print."""
    console = Console()
    console.print(f"Replaying histories of about {', '.join(str(length) for length in LENGTHS)} events ...")
    build_models()
    async with server() as address:
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        async with make_worker(client, QUEUE, FakeActivities().methods(), sandboxed=False):
            console.print(await measure(client))

"""The first response of a P0 against the floor, in one run on the embedded server.

The floor is a minimal workflow that calls as many activities in the same three waves and does nothing else. Times on
a busy machine drift; the ratios and the counts are what is meant to be read.
"""

import asyncio
import statistics
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.table import Table
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.floor import WAVES, Floor, nothing
from incidents.app.runbook_file import load_runbook
from incidents.app.settings import load_settings
from incidents.app.worker import make_worker
from incidents.client.intake import start
from incidents.domain.incident.opening import opening_from
from sandbox.temporal_server import running_temporal
from tests.support.environment import an_alert
from tests.support.fake_activities import FakeActivities
from workflows.registry import WORKFLOWS

ROUNDS = 15
QUEUE = "bench"
QUIET = 1.5
"""Seconds after which a first response is surely done."""


async def floor(client: Client, number: int) -> tuple[float, int]:
    """Run the floor once: seconds, and events."""
    handle = await client.start_workflow(Floor.run, id=f"floor-{number}", task_queue=QUEUE)
    await handle.result()
    return measured(await handle.fetch_history())


async def incident(client: Client, number: int, *, leave_open: bool = False) -> tuple[float, int]:
    """Open one incident, as the starter does: seconds until its first response is done, and events by then."""
    runbook = load_runbook(load_settings())
    runbook = runbook.replace(
        chat=runbook.chat.replace(setup_per_minute=0)
    )  # our speed, not the pace that Slack allows
    alert = an_alert(datetime.now(UTC), service="flag-evaluation", environment=f"bench-{number}")
    opening = opening_from((alert,), f"bench-{number}", runbook)
    name = f"incident-bench-{number}"
    await start(client, name, opening, runbook, QUEUE, alerts=(alert,), give_up_after=timedelta())
    await asyncio.sleep(QUIET)
    handle = client.get_workflow_handle(name)
    history = await handle.fetch_history()
    if not leave_open:
        await handle.terminate("measured")
    return measured(history)


def measured(history: WorkflowHistory) -> tuple[float, int]:
    """Return the seconds from the start to the last activity of the first response, and the events by then.

    Times are the server's own, so that looking does not slow what is looked at.
    """
    done = 0
    for count, event in enumerate(history.events, 1):
        done += event.HasField("activity_task_completed_event_attributes")
        if done == sum(WAVES):
            took = event.event_time.ToDatetime() - history.events[0].event_time.ToDatetime()
            return took.total_seconds(), count
    raise RuntimeError(f"{done} activities instead of {sum(WAVES)}: adapt WAVES to the first response")


async def measure(client: Client) -> Table:
    """Measure both in turns, so that a noisy moment hits both."""
    floors, incidents = [], []
    for number in range(ROUNDS + 2):
        floors.append(await floor(client, number))
        incidents.append(await incident(client, number))
    floors, incidents = floors[2:], incidents[2:]  # the first two only warm up
    floor_time, incident_time = (statistics.median(row[0] for row in rows) for rows in (floors, incidents))
    floor_events, incident_events = (statistics.median(row[1] for row in rows) for rows in (floors, incidents))
    table = Table("first response of a P0", "floor", "incident", "ratio")
    table.add_row("all its activities done, median ms", *_row(floor_time * 1000, incident_time * 1000))
    table.add_row("events", *_row(floor_events, incident_events))
    return table


def _row(floor_value: float, value: float) -> tuple[str, str, str]:
    return f"{floor_value:.0f}", f"{value:.0f}", f"{value / floor_value:.2f}"


async def main() -> None:
    """Measure and print."""
    activities = FakeActivities()
    console = Console()
    console.print(f"Measuring {ROUNDS} rounds on the embedded server ...")
    with running_temporal() as (address, _):
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        async with make_worker(client, QUEUE, [*activities.methods(), nothing], (*WORKFLOWS, Floor)):
            console.print(await measure(client))

"""The first response of a P0 against the floor, in one run, alternating: its page, all its activities, and its events.

The floor is a minimal workflow that calls as many activities in the same three waves and does nothing else.
"""

import asyncio
import statistics
from datetime import UTC, datetime, timedelta

from rich.progress import track
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.floor import WAVES, Floor, nothing
from benchmarks.results import Row
from benchmarks.server import server
from benchmarks.shipped import CACHED, runbook_at_our_pace
from incidents.app.worker import make_worker
from incidents.client.intake import start
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.opening import opening_from
from tests.support.environment import an_alert
from tests.support.fake_activities import FakeActivities
from workflows.registry import WORKFLOWS

ROUNDS, WARM_UP = 25, 3
QUEUE = "bench"
TARGET = 1.25
PAGE = "send_page"
FEWEST_EVENTS = 3 * sum(WAVES)
LOOK_EVERY = 0.1
"""Seconds."""


async def floor(client: Client, number: int) -> WorkflowHistory:
    """Run the floor once, and return its history."""
    handle = await client.start_workflow(Floor.run, id=f"floor-{number}", task_queue=QUEUE)
    await handle.result()
    return await handle.fetch_history()


async def incident(client: Client, runbook: RunbookConfig, name: str, severity: str = "critical") -> None:
    """Open one incident, as the gateway does."""
    alert = an_alert(datetime.now(UTC), severity=severity, environment=name)
    opening = opening_from((alert,), name, runbook)
    await start(client, f"incident-{name}", opening, runbook, QUEUE, alerts=(alert,), give_up_after=timedelta())


async def responded(client: Client, name: str) -> WorkflowHistory:
    """Wait until an incident's first response is done, and return its history; the incident is ended.

    Looked at seldom, and at its length first, so that looking does not slow what is looked at.
    """
    handle = client.get_workflow_handle(f"incident-{name}")
    while True:
        await asyncio.sleep(LOOK_EVERY)
        if (await handle.describe()).history_length < FEWEST_EVENTS:
            continue
        history = await handle.fetch_history()
        if len(completed(history)) >= sum(WAVES):
            await handle.terminate("measured")
            return history


def completed(history: WorkflowHistory) -> list[float]:
    """Return when each activity had ended, in seconds from the start, by the server's clock."""
    return [_since_start(history, e) for e in history.events if e.HasField("activity_task_completed_event_attributes")]


def first_page(history: WorkflowHistory, name: str = PAGE) -> float:
    """Return the seconds from the start to the end of the first activity of that type."""
    pages = {
        event.event_id
        for event in history.events
        if event.activity_task_scheduled_event_attributes.activity_type.name == name
    }
    ends = (e for e in history.events if e.activity_task_completed_event_attributes.scheduled_event_id in pages)
    return _since_start(history, next(ends))


def _since_start(history: WorkflowHistory, event: object) -> float:
    took = event.event_time.ToDatetime() - history.events[0].event_time.ToDatetime()  # type: ignore[attr-defined]
    return float(took.total_seconds())


def events_until_done(history: WorkflowHistory) -> int:
    """Return the events until the last activity of the first response had ended."""
    done = 0
    for count, event in enumerate(history.events, 1):
        done += event.HasField("activity_task_completed_event_attributes")
        if done == sum(WAVES):
            return count
    raise RuntimeError(f"{done} activities instead of {sum(WAVES)}: adapt WAVES to the first response")


async def rows() -> list[Row]:
    """Measure both in turns, so that a noisy moment hits both."""
    floors, ours = [], []
    runbook = runbook_at_our_pace()
    async with server() as address:
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        methods = [*FakeActivities().methods(), nothing]
        async with make_worker(client, QUEUE, methods, (*WORKFLOWS, Floor), sandboxed=False, cached=CACHED):
            for number in track(range(ROUNDS + WARM_UP), "first response"):
                floors.append(await floor(client, number))
                await incident(client, runbook, f"bench-{number}")
                ours.append(await responded(client, f"bench-{number}"))
    return _rows(floors[WARM_UP:], ours[WARM_UP:])


def _rows(floors: list[WorkflowHistory], ours: list[WorkflowHistory]) -> list[Row]:
    pages = [first_page(one, nothing.__name__) for one in floors], [first_page(one) for one in ours]
    whole = [completed(one)[-1] for one in floors], [completed(one)[sum(WAVES) - 1] for one in ours]
    found = []
    for what, (least, mine) in (("alert to page", pages), ("alert to all first messages", whole)):
        found.append(Row(f"{what}, p50", _p(least, 50), _p(mine, 50), TARGET, "ms"))
        found.append(Row(f"{what}, p95", _p(least, 95), _p(mine, 95), TARGET, "ms"))
    counts = [statistics.median(events_until_done(one) for one in kind) for kind in (floors, ours)]
    return [*found, Row("events of the first response", counts[0], counts[1], 1.15)]


def _p(seconds: list[float], percent: int) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1000

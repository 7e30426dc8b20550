"""The first response of a P0 against the floor, in one run, alternating: its page, all its activities, and its events.

The floor is a minimal workflow that calls as many activities in the same three waves and does nothing else.
"""

import statistics

from rich.progress import track
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.floor import WAVES, Floor, nothing
from benchmarks.incidents import PAGE, QUEUE, completed, first_done, opened, responded
from benchmarks.results import Row
from benchmarks.server import server
from benchmarks.shipped import CACHED, runbook_at_our_pace
from incidents.app.composition.workers import make_worker
from tests.support.fake_activities import FakeActivities
from workflows.registry import WORKFLOWS

ROUNDS, WARM_UP = 25, 3
TARGET = 1.25


async def floor(client: Client, number: int) -> WorkflowHistory:
    """Run the floor once, and return its history."""
    handle = await client.start_workflow(Floor.run, id=f"floor-{number}", task_queue=QUEUE)
    await handle.result()
    return await handle.fetch_history()


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
                handle = await opened(client, runbook, f"bench-{number}")
                ours.append(await responded(handle))
    return _rows(floors[WARM_UP:], ours[WARM_UP:])


def _rows(floors: list[WorkflowHistory], ours: list[WorkflowHistory]) -> list[Row]:
    pages = _pages(floors, nothing.__name__), _pages(ours, PAGE)
    whole = [completed(one)[-1] for one in floors], [completed(one)[sum(WAVES) - 1] for one in ours]
    found = []
    for what, (least, mine) in (("alert to page", pages), ("alert to all first messages", whole)):
        found.append(Row(f"{what}, p50", _p(least, 50), _p(mine, 50), TARGET, "ms"))
        found.append(Row(f"{what}, p95", _p(least, 95), _p(mine, 95), TARGET, "ms"))
    counts = [statistics.median(events_until_done(one) for one in kind) for kind in (floors, ours)]
    return [*found, Row("events of the first response", counts[0], counts[1], 1.15)]


def _pages(histories: list[WorkflowHistory], activity: str) -> list[float]:
    return [seconds for one in histories if (seconds := first_done(one, activity)) is not None]


def _p(seconds: list[float], percent: int) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1000

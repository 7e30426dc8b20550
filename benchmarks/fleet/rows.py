"""Many incidents on one worker process, as shipped, against as many floors: throughput, CPU, memory and recovery."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable

from rich.progress import track
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.fleet.processes import Worker, working
from benchmarks.floor import Floor
from benchmarks.incidents import QUEUE, ended, opened, responded
from benchmarks.results import Row
from benchmarks.server import server
from benchmarks.shipped import runbook_at_our_pace
from incidents.names import INCIDENT_QUERY

EACH = 64
"""Incidents of a measurement."""
AT_ONCE = (1, 16, 64)
OPEN = int(os.environ.get("OPEN", "800"))
"""Incidents that are open when the worker is killed."""
ALONE = 16
"""Incidents of the measurement one by one, which takes long."""
TIMEOUT = 300
"""Seconds for all open incidents to answer. They take some tens."""


class Stand:
    """A server with one worker, and what is done on it."""

    def __init__(self, client: Client, worker: Worker) -> None:
        """Begin with number 0."""
        self.client, self.worker = client, worker
        self._runbook, self._number = runbook_at_our_pace(), 0

    async def floor(self) -> None:
        """Run one floor to its end, which is looked for as an incident's first response is."""
        self._number += 1
        await ended(await self.client.start_workflow(Floor.run, id=f"floor-{self._number}", task_queue=QUEUE))

    async def response(self) -> None:
        """Open one P0, and wait until its first response is done."""
        await responded(await opened(self.client, self._runbook, self._next()))

    async def stay_open(self) -> str:
        """Open one P3, which stays open; return its workflow id."""
        return (await opened(self.client, self._runbook, self._next(), "low")).id

    def _next(self) -> str:
        self._number += 1
        return f"fleet-{self._number}"


async def per_second(one: Callable[[], Awaitable[object]], count: int, at_once: int) -> float:
    """Do it so often, so many at once; return how many a second."""
    gate = asyncio.Semaphore(at_once)

    async def gated() -> None:
        async with gate:
            await one()

    began = time.monotonic()
    await asyncio.gather(*(gated() for _ in range(count)))
    return count / (time.monotonic() - began)


async def throughput(stand: Stand) -> list[Row]:
    """Incidents opened and responded to, a second, against floors."""
    found = []
    for at_once in AT_ONCE:
        count = ALONE if at_once == 1 else EACH
        least = await per_second(stand.floor, count, at_once)
        ours = await per_second(stand.response, count, at_once)
        target = 0.8 if at_once > 1 else None
        found.append(Row(f"first responses, {at_once} at once", least, ours, target, "/s", at_least=True))
    return found


async def cpu(stand: Stand) -> Row:
    """CPU of the worker for one P0's first response, against a floor."""
    spent = []
    for one in (stand.floor, stand.response):
        before = stand.worker.cpu_seconds
        await per_second(one, EACH, 4)
        spent.append((stand.worker.cpu_seconds - before) * 1000 / EACH)
    return Row("worker's CPU of a first response", spent[0], spent[1], 1.4, "ms")


async def memory_and_recovery(stand: Stand) -> list[Row]:
    """Memory of an open incident, and how long until all answer again after the worker was killed."""
    before, ids = stand.worker.megabytes, list[str]()
    gate = asyncio.Semaphore(32)

    async def one() -> None:
        async with gate:
            ids.append(await stand.stay_open())

    await asyncio.gather(*(one() for _ in range(OPEN)))
    await answers(stand.client, ids, "open incidents")
    each = (stand.worker.megabytes - before) / OPEN
    await stand.worker.kill()
    began = time.monotonic()
    await stand.worker.start()
    await answers(stand.client, ids, "after the kill")
    took = time.monotonic() - began
    return [
        Row("worker's memory of an open incident", None, each, 0.06, "MB"),
        Row(f"{OPEN} open, worker killed: all answer again", None, took, 20, "s"),
    ]


async def answers(client: Client, ids: list[str], what: str) -> None:
    """Ask each incident until it answers.

    Raises:
        SystemExit: they did not all answer within `TIMEOUT`: the worker probably stopped polling for workflow tasks.
    """
    gate = asyncio.Semaphore(64)

    async def ask(workflow_id: str) -> None:
        async with gate:
            while True:
                try:
                    await client.get_workflow_handle(workflow_id).query(INCIDENT_QUERY)
                except Exception:
                    await asyncio.sleep(0.2)
                else:
                    return

    try:
        asking = asyncio.as_completed([ask(each) for each in ids], timeout=TIMEOUT)
        for asked in track(asking, what, total=len(ids)):
            await asked
    except TimeoutError:
        raise SystemExit(f"Not all open incidents answered in {TIMEOUT} s: see docs/temporal-notes.md#slots") from None


async def rows() -> list[Row]:
    """Measure all on one server."""
    async with server() as address, working(address) as [worker]:
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        stand = Stand(client, worker)
        await per_second(stand.floor, 8, 4)  # warms up
        await per_second(stand.response, 8, 4)
        return [*await throughput(stand), await cpu(stand), *await memory_and_recovery(stand)]

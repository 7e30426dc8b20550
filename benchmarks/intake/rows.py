"""The intake of alerts by one gateway process, against bare signal-with-start calls; and two storms.

No worker runs: what is measured is how fast alerts become durable. Each alert comes in a webhook of its own. The floor
is a client of Temporal in the benchmark's own process: it starts or signals a workflow without input, a call an alert.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from rich.console import Console
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.fleet.processes import cpu_seconds
from benchmarks.incidents import QUEUE
from benchmarks.intake.gateway import Gateway, Poster, running_gateway
from benchmarks.intake.storms import Arrived, Storm
from benchmarks.results import Row
from benchmarks.server import server
from incidents.contracts import ALERT_FIRED

CLIENTS = 64
"""Clients that send one alert after the other."""
ALERTS, ROUNDS = 600, 5
"""Alerts of a measurement, and how often gateway and floor take turns; the first turn warms up."""
TARGET = 0.5
IN_A_STORM = 400
"""Clients that send a storm."""
STORMS = (Storm("few", alerts=10_000, outages=50), Storm("many", alerts=1_000, outages=1_000))


async def each(clients: Sequence[Callable[[int], Awaitable[object]]], count: int) -> float:
    """Let the clients send numbers up to `count`, each one after the other; return how many a second."""
    numbers = iter(range(count))

    async def send(client: Callable[[int], Awaitable[object]]) -> None:
        for number in numbers:
            await client(number)

    began = time.monotonic()
    await asyncio.gather(*(send(client) for client in clients))
    return count / (time.monotonic() - began)


async def floor(client: Client, storm: Storm) -> float:
    """Return how many alerts a second bare signal-with-start takes, from so many clients."""

    async def call(number: int) -> None:
        await client.start_workflow(
            "Floor",
            id=f"floor-{storm.name}-{number % storm.outages}",
            task_queue=QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=ALERT_FIRED,
            start_signal_args=[f"{storm.name}-{number}"],
        )

    return await each([call] * CLIENTS, storm.alerts)


async def ours(gateway: Gateway, storm: Storm, clients: int) -> tuple[float, list[dict[str, Any]]]:
    """Return how many alerts a second the gateway takes from so many clients, and its answers."""
    webhooks, answers = storm.webhooks, list[dict[str, Any]]()
    posters = [await Poster.connect(gateway.port) for _ in range(clients)]

    def posting(poster: Poster) -> Callable[[int], Awaitable[None]]:
        async def post(number: int) -> None:
            answers.extend(await poster.post(webhooks[number]))

        return post

    rate = await each([posting(poster) for poster in posters], storm.alerts)
    for poster in posters:
        poster.close()
    return rate, answers


async def rates(client: Client, gateway: Gateway) -> list[Row]:
    """Compare the rates, and the CPU of gateway and caller: for an incident each, and for alerts of 50 incidents."""
    found = []
    for outages, what in ((ALERTS, "an incident each"), (50, "of 50 incidents")):
        least, taken = list[float](), list[float]()
        spent = [0.0, 0.0]
        for turn in range(ROUNDS):
            storm = Storm(f"rate-{outages}-{turn}", ALERTS, outages)
            before = time.process_time(), cpu_seconds(gateway.pid)
            least.append(await floor(client, storm))
            spent[0] += time.process_time() - before[0]
            taken.append((await ours(gateway, storm, CLIENTS))[0])
            spent[1] += cpu_seconds(gateway.pid) - before[1]
        rate, bare = statistics.median(taken[1:]), statistics.median(least[1:])
        name = f"alerts, {what}, {CLIENTS} clients; floor: signal-with-start"
        found.append(Row(name, bare, rate, TARGET, "/s", at_least=True))
        cpu, bare_cpu = (seconds * 1000 / (ALERTS * ROUNDS) for seconds in reversed(spent))
        found.append(Row(f"gateway's CPU of an alert, {what}; floor: the caller's", bare_cpu, cpu, None, "ms"))
    return found


async def pass_storm(client: Client, gateway: Gateway, storm: Storm) -> tuple[Arrived, float]:
    """Let a storm pass; return what arrived, and alerts a second."""
    rate, answers = await ours(gateway, storm, IN_A_STORM)
    return await storm.arrived(client, (answer["workflow_id"] for answer in answers)), rate


def storm_rows(storm: Storm, arrived: Arrived, rate: float) -> list[Row]:
    """Return the rows of a storm."""
    name = f"{storm.alerts:,} alerts for {storm.outages:,} outages"
    return [
        Row(f"{name}: alerts", None, rate, None, "/s", note=f"{IN_A_STORM} clients"),
        Row(f"{name}: incidents", storm.outages, arrived.incidents, 1),
        Row(f"{name}: signals", storm.alerts, arrived.signals, None, note="floor: one an alert"),
        Row(f"{name}: alerts lost", None, arrived.lost, 0),
        Row(f"{name}: alerts doubled", None, arrived.doubled, 0),
    ]


async def rows() -> list[Row]:
    """Measure all on one server, with one gateway.

    Raises:
        SystemExit: an alert was lost or doubled, or an incident was.
    """
    Console(stderr=True).print(f"One gateway process, {CLIENTS} clients, and two storms from {IN_A_STORM} ...")
    async with server() as address, running_gateway(address) as gateway:
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        found = await rates(client, gateway)
        for storm in STORMS:
            arrived, rate = await pass_storm(client, gateway, storm)
            found += storm_rows(storm, arrived, rate)
            if (arrived.incidents, arrived.lost, arrived.doubled) != (storm.outages, 0, 0):
                raise SystemExit(f"{storm}: {arrived}")
    return found

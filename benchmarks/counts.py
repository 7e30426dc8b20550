"""Events and bytes of scripted incidents in virtual time, against a minimal workflow that does as much.

The floor of an incident calls as many activities, in the same waves at the same times, sleeps between them, and takes
as many signals and updates. It decides nothing, and its payloads are empty.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from benchmarks.floor import nothing
from benchmarks.results import Row
from incidents.app.composition.workers import THREADS
from incidents.app.encryption.codec import EncryptionCodec
from incidents.app.encryption.key_ring import KeyRing, PayloadKey
from incidents.app.encryption.payloads import payloads_in
from incidents.domain.incident.commands import Acknowledge, Assess, Resolve
from incidents.rehearsal.server import skipping_server
from tests.support.environment import World
from tests.support.fake_activities import FakeActivities

EVENTS_TARGET = 1.15
SIGNAL_EVENTS, UPDATE_EVENTS = 4, 5
"""Of one that comes alone (../docs/temporal-notes.md): with its workflow task."""
Script = Callable[[World], Awaitable[None]]


@dataclass(frozen=True)
class Scripted:
    """One incident: its alert's severity label, and what happens until it is looked at."""

    name: str
    label: str
    play: Script


async def _p2(world: World) -> None:
    await world.at(60)


async def _answered(world: World, hours: int) -> None:
    await world.at(3)
    await world.tell(Acknowledge(by="ann"))
    await world.tell(Assess(by="ann", impact="Evaluations fail in Europe."))
    await world.at(60 * hours - 1)
    await world.tell(Resolve(by="ann", text="It is over.", force=True, reason="measured"))


async def _p1(world: World) -> None:
    await _answered(world, 4)


async def _p0(world: World) -> None:
    await _answered(world, 8)


SCRIPTS = (
    Scripted("P2, 1 h, nobody answers", "warning", _p2),
    Scripted("P1, 4 h", "error", _p1),
    Scripted("P0, 8 h", "critical", _p0),
)


@workflow.defn
class Waves:
    """The floor: sleeps, and calls so many activities at once, again and again."""

    @workflow.run
    async def run(self, waves: list[tuple[float, int]]) -> None:
        """Do so. `waves`: seconds before each, and how many activities."""
        limit = timedelta(seconds=10)
        for pause, count in waves:
            if pause >= 1:
                await workflow.sleep(pause)
            calls = [workflow.execute_activity(nothing, "", start_to_close_timeout=limit) for _ in range(count)]
            await asyncio.gather(*calls)


@dataclass(frozen=True)
class Counts:
    """Of a history. `size`: bytes in clear text; `encrypted`: with payloads compressed and encrypted."""

    events: int
    size: int
    activities: int
    waves: tuple[tuple[float, int], ...]
    messages: int
    encrypted: int


async def counts(history: WorkflowHistory) -> Counts:
    """Count a history. Its waves are the activities that one workflow task ordered."""
    ordered: dict[int, int] = {}
    at: dict[int, float] = {}
    messages = 0
    for event in history.events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            task = event.activity_task_scheduled_event_attributes.workflow_task_completed_event_id
            ordered[task] = ordered.get(task, 0) + 1
            at.setdefault(task, event.event_time.ToDatetime().timestamp())
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            messages += SIGNAL_EVENTS
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            messages += UPDATE_EVENTS
    begun = history.events[0].event_time.ToDatetime().timestamp()
    waves, last = [], begun
    for task in sorted(ordered):
        waves.append((at[task] - last, ordered[task]))
        last = at[task]
    size = sum(event.ByteSize() for event in history.events)
    encrypted = size + await _added(history)
    return Counts(len(history.events), size, sum(ordered.values()), tuple(waves), messages, encrypted)


async def _added(history: WorkflowHistory) -> int:
    """Return how many bytes encryption would add to a history; fewer than none, because it compresses, too."""
    codec = EncryptionCodec(KeyRing((PayloadKey("bench", bytes(32)),)), "incident-bench")
    plain = [payload for event in history.events for payload in payloads_in(event)]
    sealed = await codec.encode(plain)
    return sum(payload.ByteSize() for payload in sealed) - sum(payload.ByteSize() for payload in plain)


async def incident(env: WorkflowEnvironment, scripted: Scripted) -> Counts:
    """Let the incident live, and count its history."""
    world = World(env, FakeActivities())
    async with world.worker():
        await world.open(scripted.label)
        await scripted.play(world)
        found = await counts(await world.handle.fetch_history())
        await world.handle.terminate("counted")
    return found


async def floor(env: WorkflowEnvironment, like: Counts, name: str) -> Counts:
    """Run the floor of an incident, and count its history."""
    threads = ThreadPoolExecutor(THREADS)
    async with Worker(
        env.client,
        task_queue="floor",
        workflows=[Waves],
        activities=[nothing],
        activity_executor=threads,
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handle = await env.client.start_workflow(Waves.run, list(like.waves), id=f"floor-{name}", task_queue="floor")
        await handle.result()
        return await counts(await handle.fetch_history())


async def measured(scripted: Scripted) -> list[Row]:
    """Return the rows of one incident."""
    async with skipping_server() as env:
        ours = await incident(env, scripted)
    async with skipping_server() as env:
        least = await floor(env, ours, scripted.label)
    events = least.events + ours.messages
    rows = [Row(f"{scripted.name}: events", events, ours.events, EVENTS_TARGET)]
    rows.append(Row(f"{scripted.name}: bytes", least.size, ours.size, None))
    rows.append(Row(f"{scripted.name}: bytes, with PAYLOAD_KEYS", least.encrypted, ours.encrypted, None))
    note = f"in {len(ours.waves)} waves"
    rows.append(Row(f"{scripted.name}: activities", least.activities, ours.activities, None, note=note))
    return rows


async def rows() -> list[Row]:
    """Measure all."""
    Console(stderr=True).print(f"{len(SCRIPTS)} incidents in virtual time, and the floor of each ...")
    return [row for scripted in SCRIPTS for row in await measured(scripted)]

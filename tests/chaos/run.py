"""One run of one seed: an incident, two workers, three readers, and the faults of the plan."""

import asyncio
import contextlib
import os
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.client import Client

from incidents.domain.evidence.archive import archived_entries, faults
from sandbox.temporal_server import connected, running_temporal
from tests.chaos.audit import Audit, Run
from tests.chaos.background import background
from tests.chaos.incident import duty_problems, open_incident, resolve
from tests.chaos.ledger import Ledger
from tests.chaos.plan import Action, Step, Target, plan
from tests.chaos.processes import Workers
from tests.chaos.readers import Readers, Responders, first_answer

QUEUE = "chaos"
REMEDY = "WORKER_QUERY_SAFETY"
"""The workers' setting that says what is done about queries that run ahead of history."""
ANSWER_WITHIN = 30.0
"""Seconds: a workflow task that died with its worker is given to another one after ten."""


@dataclass
class Result:
    """The figures of one run. `lost_seconds`: the longest wait for an answer after a kill."""

    seed: int
    kills: int = 0
    stops: int = 0
    events: int = 0
    longest: int = 0
    runs: int = 0
    workflows: int = 0
    answered: int = 0
    retried: dict[str, int] = field(default_factory=dict)
    failed_tasks: int = 0
    lost_seconds: float = 0.0
    replays: int = 0
    notes: int = 0
    updates: int = 0
    rollbacks: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


@dataclass
class FaultInjector:
    """Kills and stops the workers, step by step."""

    workers: Workers
    audit: Audit
    readers: Readers
    chance: random.Random
    killed_at: list[float] = field(default_factory=list)
    stops: int = 0

    async def do(self, step: Step) -> None:
        """Do one step."""
        await asyncio.sleep(step.pause)
        pid = self.workers.pick(await self.audit.holder(), step.target is Target.OTHER, self.chance)
        if step.action is Action.STOP:
            self.stops += 1
            self.audit.pauses = True
            with self.workers.stopped(pid):
                await self._burst(step)
                await asyncio.sleep(step.hold)
            return
        self.workers.kill(pid)
        self.killed_at.append(time.monotonic())
        restart = asyncio.create_task(self._restart(step.restart))
        await self._burst(step)
        if step.wait:
            await self.readers.answered_since(self.killed_at[-1], ANSWER_WITHIN)
        await restart
        await self.workers.ready(1)

    async def _restart(self, after: float) -> None:
        await asyncio.sleep(after)
        self.workers.start()

    async def _burst(self, step: Step) -> None:
        if step.burst:
            await self.readers.burst()

    def lost_seconds(self) -> float:
        """Return the longest wait for an answer after a kill."""
        waits = [first_answer(self.readers.answers, moment) for moment in self.killed_at]
        now = time.monotonic()
        return max(((now if w is None else w) - at for w, at in zip(waits, self.killed_at, strict=True)), default=0.0)


async def run_seed(
    seed: int, kills: int, remedy: str = "", home: Path | None = None, report: Callable[[str], None] = lambda _: None
) -> Result:
    """Run one seed. Logs and histories are kept in `home`, or else deleted; `report` is called with the progress."""
    result, began = Result(seed), time.monotonic()
    with contextlib.ExitStack() as stack:
        home = home or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home.mkdir(parents=True, exist_ok=True)
        server = running_temporal(home / "temporal.db")
        address, _ = await asyncio.to_thread(server.__enter__)
        stack.callback(server.__exit__, None, None, None)
        environment = {**os.environ, **({REMEDY: remedy} if remedy else {})}
        workers = Workers(address, QUEUE, home, environment)
        stack.callback(workers.end)
        await _run(result, kills, workers, report)
    result.seconds = time.monotonic() - began
    return result


async def _run(result: Result, kills: int, workers: Workers, report: Callable[[str], None]) -> None:
    """Open the incident, inject the faults, resolve it, and fill in the result."""
    client = await connected(workers.address)
    for _ in range(2):
        workers.start()
    await workers.ready()
    handle = await open_incident(client, QUEUE)
    readers, responders = Readers(client, handle.id), Responders(client, handle.id)
    audit = Audit(client, Run(handle.id, str(handle.first_execution_run_id)))
    faults = FaultInjector(workers, audit, readers, random.Random(result.seed))
    async with background(*(readers.read(number) for number in range(3))):
        async with background(responders.write_notes(), responders.acknowledge(readers)):
            for step in plan(result.seed, kills):
                await faults.do(step)
                report(f"{step.action} {len(faults.killed_at)}/{kills}, {sum(audit.events.values())} events")
                if not await audit.review(workers.home):
                    break
        if not audit.problems:
            report("resolving")
            await _end(result, client, workers, audit, responders.notes)
            await audit.review(workers.home)
    _fill_in(result, faults, responders.notes)


async def _end(result: Result, client: Client, workers: Workers, audit: Audit, notes: int) -> None:
    """Resolve the incident, and hold its state against the ledger."""
    await workers.ready()
    incident = await resolve(client, audit.first.workflow_id)
    if incident is None:
        result.problems.append("the incident could not be resolved")
        return
    result.updates, result.rollbacks = (
        len(incident.updates.published),
        sum(state.attempt for state in incident.rollback.clusters),
    )
    ledger, archive = Ledger(workers.home / "ledger.jsonl"), incident.evidence.archive
    result.problems += faults(archive, ledger.kept, right_store=True)
    result.problems += duty_problems(incident, ledger.effects(), notes, archived_entries(archive, ledger.kept))


def _fill_in(result: Result, faults: FaultInjector, notes: int) -> None:
    audit, readers = faults.audit, faults.readers
    result.kills, result.stops = len(faults.killed_at), faults.stops
    result.events, result.longest = sum(audit.events.values()), max(audit.events.values(), default=0)
    result.runs = sum(run.workflow_id == audit.first.workflow_id for run in audit.events)
    result.workflows = len(audit.events)
    result.answered, result.retried = len(readers.answers), dict(readers.retried)
    result.failed_tasks, result.replays = sum(audit.failed.values()), audit.replays
    result.lost_seconds, result.notes = round(faults.lost_seconds(), 1), notes
    result.problems = list(dict.fromkeys([*result.problems, *audit.problems, *readers.broken]))

"""One run: everything is started, an incident lives, the faults of a plan strike, and the checker judges the end."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from temporalio.client import Client
from temporalio.service import RPCError

from sandbox.temporal_server import connected
from tests.chaos.audit import Audit, Run
from tests.chaos.background import background
from tests.chaos.lifecycle.check import Outcome, check
from tests.chaos.lifecycle.effects import Row
from tests.chaos.lifecycle.injector import Injector, clear_vendor_faults
from tests.chaos.lifecycle.kill_points import KILLED_WORKER, KillPoint, kill_environment
from tests.chaos.lifecycle.plan import Fault
from tests.chaos.lifecycle.processes import Site
from tests.chaos.lifecycle.scenario import INCIDENT, STANDSTILL, Scenario, Stuck
from tests.chaos.readers import Readers

READERS = 2
Report = Callable[[str], None]


@dataclass
class Result:
    """The figures of one run. `faults`: by name. `repeats`: mails sent again. `late_seconds`: of an update."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    outage_seconds: float = 0.0
    effects: int = 0
    updates: int = 0
    repeats: int = 0
    late_seconds: float = 0.0
    histories: int = 0
    events: int = 0
    answers: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


async def undisturbed(site: Site, report: Report) -> Outcome:
    """Let an incident live without faults, and unread: answers are not what is compared."""
    result = Result(seed=0)
    outcome = await run_incident(result, Injector(site), [], report, readers=0)
    if outcome is None or result.problems:
        raise RuntimeError(f"the undisturbed run has failed: {'; '.join(result.problems)}")
    return outcome


async def run_seed(seed: int, faults: list[Fault], calm: Awaitable[Outcome], site: Site, report: Report) -> Result:
    """Let an incident live with these faults, and judge it."""
    return await _run_and_judge(Result(seed), Injector(site), faults, calm, report)


async def run_points(points: Sequence[KillPoint], calm: Awaitable[Outcome], home: Path, report: Report) -> Result:
    """Let an incident live whose workers are killed at each of these points once, and judge it."""
    site = Site(home, KILLED_WORKER, kill_environment(points, home))
    result = await _run_and_judge(Result(0), Injector(site, deaths_wanted=True), [], calm, report)
    result.problems += [f"never reached: {point}" for point in points if not point.flag(home).exists()]
    return result


async def _run_and_judge(
    result: Result, injector: Injector, faults: list[Fault], calm: Awaitable[Outcome], report: Report
) -> Result:
    began = time.monotonic()
    outcome = await run_incident(result, injector, faults, report)
    if outcome is not None:
        findings = check(outcome, await calm, result.outage_seconds, result.faults.total())
        result.problems += findings.problems
        result.repeats, result.late_seconds = findings.repeats, findings.late_seconds
        result.effects, result.updates = len(outcome.rows), outcome.incident.updates.published[-1].sequence
    result.seconds = time.monotonic() - began
    return result


async def run_incident(
    result: Result, injector: Injector, faults: list[Fault], report: Report, *, readers: int = READERS
) -> Outcome | None:
    """Start a site, let the incident live there, and return how it ended; None if it stood still."""
    site = injector.site
    try:
        report("starting")
        await site.start()
        client = await connected(site.address)
        scenario, asked = Scenario(client, site, report), Readers(client, INCIDENT)
        await scenario.prepare()
        try:
            await play(scenario, injector, asked, faults, report, count=readers)
        except Stuck as stuck:
            result.problems.append(str(stuck))
        result.faults, result.outage_seconds = injector.done, sum(injector.outages)
        result.answers = len(asked.answers)
        result.problems += [*asked.broken, *injector.deaths]
        return await _ended(result, client, scenario, site)
    finally:
        site.end()


async def play(
    scenario: Scenario,
    injector: Injector,
    readers: Readers,
    faults: list[Fault],
    report: Report,
    *,
    count: int = READERS,
) -> None:
    """Play the scenario, with the faults and `count` readers beside it. Faults that are left are done before its end.

    Raises:
        Stuck: a step was not reached in time, or the faults that were left were not done.
    """
    reading = (readers.read(number) for number in range(count))
    async with background(*reading, injector.watch()):
        injecting = asyncio.create_task(injector.inject(faults, report))
        try:
            await scenario.play()
            await _until_done(injecting, STANDSTILL * (len(faults) + 1))
            await clear_vendor_faults(scenario.site)
            await scenario.rest()
        finally:
            injecting.cancel()
            await asyncio.gather(injecting, return_exceptions=True)


async def _until_done(injecting: asyncio.Task[None], seconds: float) -> None:
    """Wait for the faults that are left. Their error is the run's; a moment that never comes ends it, too."""
    done, _ = await asyncio.wait([injecting], timeout=seconds)
    if not done:
        raise Stuck(f"the faults were not done within {seconds:.0f} s of the last step")
    await injecting


async def _ended(result: Result, client: Client, scenario: Scenario, site: Site) -> Outcome | None:
    """Replay all histories and return how the run ended; None if that cannot be asked."""
    home = site.home
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        rows = (await http.get(f"{site.sandbox_url}/_control/ledger")).json()
    try:
        first = (await client.get_workflow_handle(INCIDENT).describe()).raw_info.first_run_id
    except RPCError as error:  # why it was not reached is among the problems
        result.problems.append(f"there is no incident: {error.message}")
        return None
    audit = Audit(client, Run(INCIDENT, first), pauses=True)
    await audit.review(home)
    result.histories, result.events = audit.replays, sum(audit.events.values())
    result.problems += [*audit.problems, *await _unsound(site)]
    return await outcome_of(scenario, rows, result)


async def outcome_of(scenario: Scenario, rows: list[Row], result: Result) -> Outcome | None:
    """Return how the run ended; None if that cannot be asked, which is a problem of the result."""
    try:
        return Outcome(rows, await scenario.incident(), await scenario.postmortem())
    except Stuck as stuck:
        result.problems.append(f"its end is not known: {stuck}")
        return None


async def _unsound(site: Site) -> list[str]:
    """Return what our own checks of the evidence and of the timeline's hash chain find."""
    found = []
    for words in (("evidence", "verify", "1"), ("timeline", "1", "--verify")):
        checking = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "incidents.cli.main", *words, env=site.environment, stdout=PIPE, stderr=PIPE
        )
        out, err = await checking.communicate()
        if checking.returncode != 0:
            found.append(f"incident {' '.join(words)}: {out.decode()[-200:]}{err.decode()[-200:]}")
    return found

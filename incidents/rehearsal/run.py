"""Run a scenario: play its facts at their virtual times, and read back what reached whom."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import assert_never

from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from activities.numbers import Numbers
from incidents.app.composition.activities import build_activities
from incidents.app.composition.workers import make_worker
from incidents.app.liveness.query_safety import QuerySafety
from incidents.app.settings import load_settings
from incidents.client.problems import rejection
from incidents.domain.config.loading import RunbookFile
from incidents.domain.core.command import Command
from incidents.domain.customers.directory import CustomerDirectory
from incidents.domain.foresight.facts import AlertFact, Fact
from incidents.domain.foresight.rehearsal.effects import (
    AgendaThen,
    Effect,
    EffectKind,
    Owed,
    Rehearsed,
    ToldFact,
)
from incidents.domain.foresight.rehearsal.outside import Deployed, Inject, Outage
from incidents.domain.foresight.scenario import FilledScenario, Scenario
from incidents.domain.people.directory import PeopleDirectory
from incidents.rehearsal.fitting import fitted, variables
from incidents.rehearsal.isolation import only
from incidents.rehearsal.ledger import Reader
from incidents.rehearsal.outages import Outages
from incidents.rehearsal.server import VendorsClock, check_lateness, quiet_client, skipping_server
from incidents.rehearsal.stage import QUEUE, Stage
from sandbox.server import RunningSandbox, running_sandbox
from workflows.registry import WORKFLOWS

FIRST_START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
"""A Monday. Each rehearsal begins then, so that its texts are always the same; later, on the next Monday to come."""
_ATTEMPTS = 3
_LOOKS = 40
"""How often at least the agenda is looked at, besides at each fact."""
_SHORTEST = timedelta(minutes=5)


async def rehearse(scenario: Scenario, name: str, file: RunbookFile) -> Rehearsed:
    """Return what came of a scenario called `name` under that runbook.

    An attempt in which Temporal's test server stands still is discarded: its effects would be wrong.

    Raises:
        ScenarioError: the runbook lacks the scenario's severity, service or region.
        RPCError, TimeoutError: the server stood still in every attempt.
    """
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(RPCError, TimeoutError):
            return await _attempt(scenario, name, file)
    return await _attempt(scenario, name, file)


async def _attempt(scenario: Scenario, name: str, file: RunbookFile) -> Rehearsed:
    filled = scenario.filled(file.runbook)
    with running_sandbox() as sandbox, tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        try:
            with only(sandbox.url, variables(file.runbook, sandbox, Path(folder))):
                async with _standing(sandbox, file) as stage:
                    return await _Run(stage, filled, name, file).play()
        finally:
            sandbox.clock(None)


@asynccontextmanager
async def _standing(sandbox: RunningSandbox, file: RunbookFile) -> AsyncIterator[Stage]:
    """Yield a stage whose worker runs."""
    people = {contact.email: contact.name for contact in file.runbook.contacts.values() if contact.email}
    people |= {entry.email: name for name, entry in file.runbook.people.directory.items() if entry.email}
    sandbox.people(people)
    settings = load_settings()
    regions = tuple(region.replace(url=settings.probe_urls[region.name]) for region in file.runbook.regions)
    runbook = fitted(file.runbook.replace(regions=regions), sandbox)
    async with skipping_server() as env:
        directory = PeopleDirectory(runbook.people.directory)
        customers: CustomerDirectory = file.customers
        built = build_activities(settings, quiet_client(env.client), runbook, directory, customers)
        activities = type(built)(**{**vars(built), "numbers": Numbers(env.client, QUEUE)})
        async with make_worker(
            env.client,
            QUEUE,
            activities.methods(),
            WORKFLOWS,
            [VendorsClock(sandbox)],
            QuerySafety.NONE,  # one worker lives for ever and is asked all the time: evicting would replay each time
            sandboxed=False,
        ):
            yield Stage(env, sandbox, runbook)


@dataclass
class _Moment:
    """What is to be done at a virtual time. `fact`: None to look at the agenda only."""

    at: timedelta
    fact: Fact | None = None


class _Run:
    def __init__(self, stage: Stage, scenario: FilledScenario, name: str, file: RunbookFile) -> None:
        self._stage, self._scenario, self._name, self._file = stage, scenario, name, file
        self._outages = Outages(stage.sandbox, file.runbook)
        self._told: list[ToldFact] = []
        self._agendas: list[AgendaThen] = []

    async def play(self) -> Rehearsed:
        """Play all facts, and return what came of them."""
        early = [fact for fact in self._scenario.facts if fact.at < timedelta()]
        start = await self._begin(early)
        await self._stage.wait_until(start)
        await self._stage.open(self._scenario)
        self._told = [told.replace(at=fact.at) for told, fact in zip(self._told, early, strict=True)]
        await self._look(timedelta())
        for moment in self._moments(self._scenario.facts[len(early) :]):
            await self._stage.at(moment.at)
            self._outages.end(moment.at)
            if moment.fact is not None:
                await self._take_in(moment.fact, moment.at)
            await self._look(moment.at)
        await check_lateness(self._stage.env.client, self._stage.handle.id)
        return self._result()

    async def _begin(self, early: Sequence[Fact]) -> datetime:
        """Return when the alert comes, after the deployments that come before it."""
        start, now = FIRST_START, await self._stage.now()
        while start + (early[0].at if early else timedelta()) < now:
            start += timedelta(days=7)
        for fact in early:
            await self._stage.wait_until(start + fact.at)
            await self._take_in(fact, fact.at)
        return start

    def _moments(self, facts: Sequence[Fact]) -> Iterator[_Moment]:
        """Yield every fact, the end of each outage, and a look now and then, in order, up to the scenario's end."""
        until = self._scenario.until
        every = max(until / _LOOKS, _SHORTEST)
        looks = [_Moment(every * number) for number in range(1, int(until / every))]
        ends = [
            _Moment(fact.at + fact.what.lasts) for fact in facts if isinstance(fact.what, Outage) and fact.what.lasts
        ]
        moments = [*looks, *ends, *(_Moment(fact.at, fact) for fact in facts), _Moment(until)]
        return iter(sorted((each for each in moments if each.at <= until), key=lambda each: each.at))

    async def _take_in(self, fact: Fact, at: timedelta) -> None:
        told = ToldFact(at=at, name=str(fact.what), summary=fact.summary)
        match fact.what:
            case Command():
                told = told.replace(name=fact.what.name, by=fact.what.by)
                try:
                    await self._stage.tell(fact.what)
                except WorkflowUpdateFailedError as error:
                    told = told.replace(rejected=str(rejection(error, "The incident")))
            case AlertFact():
                await self._stage.change_alert(ended=fact.what is AlertFact.ENDED)
            case Outage():
                told = told.replace(name="outage")
                self._outages.begin(fact.what, at)
            case Deployed():
                told = told.replace(name="deploy")
                self._outages.deploy(fact.what)
            case Inject():
                told = told.replace(name="inject")
            case _:
                assert_never(fact.what)
        self._told.append(told)

    async def _look(self, at: timedelta) -> None:
        owed = [Owed(due=due - self._stage.start, summary=summary) for due, summary in await self._stage.owed()]
        self._agendas.append(AgendaThen(at=at, owed=tuple(sorted(owed, key=lambda each: each.due))))

    def _result(self) -> Rehearsed:
        sandbox, start, runbook = self._stage.sandbox, self._stage.start, self._file.runbook
        reader = Reader(runbook, sandbox.state()["slack"]["users"], start)
        sent = [effect for effect in reader.effects(sandbox.ledger()) if effect.at >= timedelta(seconds=-1)]
        refused = [
            Effect(at=told.at, kind=EffectKind.REJECTION, to=(told.by,), text=f"{told.summary}\n{told.rejected}")
            for told in self._told
            if told.rejected
        ]
        region = f" in {self._scenario.region}" if self._scenario.region else ""
        return Rehearsed(
            name=self._name,
            title=self._scenario.title,
            heading=f"{self._scenario.severity} of {self._scenario.service}{region}",
            start=start,
            until=self._scenario.until,
            facts=tuple(self._told),
            effects=tuple(sorted([*sent, *refused], key=lambda effect: effect.at)),
            agendas=tuple(self._agendas),
        )

"""A chaos run that could not be judged, or in which nothing happened, is no success."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from sandbox.server import RunningSandbox, running_sandbox
from tests.chaos.lifecycle import run, scenario
from tests.chaos.lifecycle.injector import Injector, clear_vendor_faults
from tests.chaos.lifecycle.plan import Fault
from tests.chaos.lifecycle.processes import Site
from tests.chaos.lifecycle.report import all_well
from tests.chaos.lifecycle.run import Result, outcome_of, play
from tests.chaos.lifecycle.scenario import INCIDENT, Scenario, Stuck
from tests.chaos.readers import Readers
from tests.support.servers.dev_server import DevServer


def _quiet(_: str) -> None:
    """Report nothing."""


class Short(Scenario):
    """A scenario in which nothing is done."""

    async def play(self) -> None:
        """Let the tasks beside it begin."""
        await asyncio.sleep(0.1)

    async def rest(self) -> None:
        """Rest at once."""


class Unwatched(Injector):
    """Its watch over the processes breaks."""

    async def watch(self) -> None:
        """Break."""
        raise OSError("no process can be started")


class Unread(Readers):
    """A reader breaks."""

    async def read(self, number: int) -> None:
        """Break."""
        raise OSError(f"reader {number} ended")


class Endless(Injector):
    """Waits for a moment that never comes."""

    async def inject(self, faults: list[Fault], report: Callable[[str], None]) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


@dataclass
class Stage:
    """A sandbox and a namespace without workflows."""

    client: Client
    site: Site

    async def play(self, injector: Injector | None = None, readers: Readers | None = None) -> None:
        """Play a short scenario without faults."""
        injector, readers = injector or Injector(self.site), readers or Readers(self.client, INCIDENT)
        await play(Short(self.client, self.site, _quiet), injector, readers, [], _quiet)


@pytest.fixture(scope="module")
def _sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
async def stage(_sandbox: RunningSandbox, dev_server: DevServer, tmp_path: Path) -> Stage:
    return Stage(await dev_server.client(), Site(tmp_path, sandbox_url=_sandbox.url))


async def test_what_breaks_beside_the_scenario_breaks_the_run(stage: Stage) -> None:
    await stage.play()
    with pytest.raises(OSError, match="no process can be started"):
        await stage.play(injector=Unwatched(stage.site))
    with pytest.raises(OSError, match="reader 0 ended"):
        await stage.play(readers=Unread(stage.client, INCIDENT))


async def test_faults_are_not_waited_for_without_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "STANDSTILL", 0.1)
    with pytest.raises(Stuck, match="the faults were not done"):
        await asyncio.wait_for(stage.play(injector=Endless(stage.site)), 30)


async def test_an_end_that_cannot_be_asked_is_a_problem(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenario, "STANDSTILL", 0.0)
    result = Result(1)
    assert await outcome_of(Scenario(stage.client, stage.site, _quiet), [], result) is None
    assert result.problems == ["its end is not known: not reached within 0 s: an answer"]


async def test_faults_that_cannot_be_cleared_are_an_error(stage: Stage) -> None:
    await clear_vendor_faults(stage.site)
    with pytest.raises(httpx.HTTPStatusError):
        await clear_vendor_faults(Site(stage.site.home, sandbox_url=f"{stage.site.sandbox_url}/nowhere"))


def test_that_nothing_was_run_is_no_success() -> None:
    assert all_well([Result(1), Result(2)])
    assert not all_well([Result(1), Result(2, problems=["missing: a page"])])
    assert not all_well([])

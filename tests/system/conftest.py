"""Real processes: the development server, the sandbox and a worker, as a person would run them."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.processes import WorkflowQueries
from incidents.client import lookup as finding
from incidents.client.problems import NoAnswer
from incidents.domain.incident.incident import Incident
from sandbox.server import RunningSandbox, running_sandbox
from sandbox.temporal_server import running_temporal, stop
from tests.conftest import NO_DEADLOCK_DETECTOR


@pytest.fixture(autouse=True)
def as_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of their own run with the SDK's deadlock detector."""
    monkeypatch.delenv(NO_DEADLOCK_DETECTOR)


@dataclass
class Stage:
    """Server and sandbox that run; workers come and go."""

    sandbox: RunningSandbox
    environment: dict[str, str]
    home: Path
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, *words: str, fails: bool = False, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run one of our programs; its exit status is as expected."""
        done = subprocess.run(
            [sys.executable, *words], env=self.environment, input=text, capture_output=True, text=True, timeout=50
        )
        assert (done.returncode != 0) is fails, f"{words}: {done.returncode}: {done.stdout}{done.stderr}"
        return done

    def incident(self, *words: str) -> Any:
        """Run a responder's command, with its answer as JSON."""
        return json.loads(self.run("-m", "incidents.cli.main", *words, "--json").stdout)

    def start(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Send an alert through starter.py."""
        answer: dict[str, Any] = json.loads(self.run("starter.py", "-", "--json", text=json.dumps(payload)).stdout)
        return answer

    def worker(self) -> subprocess.Popen[str]:
        """Start a worker, and wait until it is ready. It logs into a file: nobody would empty a pipe."""
        log = self.home / f"worker-{len(self.workers)}.log"
        with log.open("w", encoding="utf-8") as out:
            process = subprocess.Popen([sys.executable, "worker.py"], env=self.environment, stderr=out, text=True)
        self.workers.append(process)
        while "ready on task queue" not in log.read_text(encoding="utf-8"):
            assert process.poll() is None, f"the worker ended with {process.returncode}: {log.read_text('utf-8')}"
            time.sleep(0.05)
        return process

    def recorded(self, rounds: int = 3, seconds: float = 60) -> None:
        """Wait until the latency baseline recorder has enough samples."""
        asyncio.run(self._recorded(rounds, seconds))

    async def _recorded(self, rounds: int, seconds: float) -> None:
        client = await Client.connect(self.environment["TEMPORAL_ADDRESS"], data_converter=pydantic_data_converter)
        deadline = time.monotonic() + seconds
        while len((await WorkflowQueries(client).recording()).samples) < rounds * 2:  # two regions
            assert time.monotonic() < deadline, "the recorder does not run"
            await asyncio.sleep(0.2)

    def until(self, number: int, condition: Callable[[Incident], bool], seconds: float = 60) -> Incident:
        """Wait until the incident is so."""
        return asyncio.run(self._until(number, condition, seconds))

    async def _until(self, number: int, condition: Callable[[Incident], bool], seconds: float) -> Incident:
        client = await Client.connect(self.environment["TEMPORAL_ADDRESS"], data_converter=pydantic_data_converter)
        deadline = time.monotonic() + seconds
        while True:
            try:
                incident = await finding.incident(client, str(number))
            except NoAnswer:
                # A task that died with its worker is the server's until it times out, ten seconds later.
                assert time.monotonic() < deadline
                continue
            if condition(incident):
                return incident
            assert time.monotonic() < deadline, "\n".join(entry.text for entry in incident.timeline)
            await asyncio.sleep(0.1)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A fresh stage on a durable database."""
    with new_stage(tmp_path) as stage:
        yield stage


@contextmanager
def new_stage(home: Path) -> Iterator[Stage]:
    """Run a server and a sandbox, and stop them with all workers of the stage."""
    with running_temporal(home / "temporal.db") as (address, _), running_sandbox() as sandbox:
        stage = Stage(sandbox, stage_environment(address, sandbox, home), home)
        yield stage
        for worker in stage.workers:
            stop(worker)


def stage_environment(address: str, sandbox: RunningSandbox, home: Path) -> dict[str, str]:
    """The environment that points our programs at the stage."""
    return {
        **os.environ,
        **sandbox.environment(),
        "TEMPORAL_ADDRESS": address,
        "RUNBOOK_FILE": "sandbox/runbook.demo.yaml",
        "EVIDENCE_URL": (home / "evidence").as_uri(),
        "ALERT_SPOOL": str(home / "spool"),
    }


@pytest.fixture
def worker(stage: Stage) -> Iterator[subprocess.Popen[str]]:
    """A worker on the stage."""
    process = stage.worker()
    yield process
    stop(process)

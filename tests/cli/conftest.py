"""A real development server with a worker whose activities are stand-ins, and the command line run on it."""

import asyncio
import json
import os
import threading
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter

from incidents.app.composition.workers import make_worker
from incidents.cli import main as responder
from incidents.contracts import AlertBatch, IncidentInput, drill_queue
from incidents.domain.config.loading import parse_runbook
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import opening_from
from incidents.names import TITLE_MEMO
from incidents.search_attributes import at_start
from tests.support.environment import an_alert
from tests.support.fake_activities import FakeActivities
from tests.support.in_process import Said, runner
from tests.support.pauses import Pauses
from tests.support.servers.dev_server import DevServer
from workflows.incident import IncidentWorkflow

_REAL = parse_runbook(Path("runbook.yaml").read_text(encoding="utf-8"))
_REAL = _REAL.replace(chat=_REAL.chat.replace(setup_per_minute=0))
RUNBOOK = _REAL.replace(chat=_REAL.chat.replace(summary_every=timedelta(milliseconds=100)))
"""The real one, but an incident does not wait ten seconds for its summary before it closes."""
QUEUE, NOBODY = "incidents", "a-queue-without-a-worker"
T = TypeVar("T")


@dataclass
class Opened:
    """An incident of the test's own."""

    stage: "Stage"
    handle: WorkflowHandle[Any, Any]
    number: str = ""

    @property
    def id(self) -> str:
        return self.handle.id

    def state(self) -> Incident:
        """The incident as it stands."""
        return self.stage.do(self.handle.query(IncidentWorkflow.incident))

    def until(self, condition: Callable[[Incident], bool]) -> Incident:
        """Wait until it is so."""

        async def wait() -> Incident:
            pauses = Pauses(self.stage.client, self.id)
            while True:
                await pauses.next()
                incident: Incident = await self.handle.query(IncidentWorkflow.incident)
                if condition(incident):
                    return incident

        return self.stage.do(wait())


@dataclass
class Stage:
    """The server, in a loop of its own, so that commands can run their own loops."""

    loop: asyncio.AbstractEventLoop
    client: Client
    activities: FakeActivities = field(default_factory=FakeActivities)

    @property
    def address(self) -> str:
        """Where the server listens."""
        return self.client.service_client.config.target_host

    def do(self, work: Awaitable[T], seconds: float = 30) -> T:
        """Have something done in the server's loop."""

        async def bounded() -> T:
            async with asyncio.timeout(seconds):
                return await work

        return asyncio.run_coroutine_threadsafe(bounded(), self.loop).result()

    def begin(
        self,
        severity: str = "critical",
        *,
        queue: str = QUEUE,
        key: str = "",
        history_limit: int = 0,
        title: str = "",
        task_timeout: timedelta | None = None,
        drill: bool = False,
    ) -> Opened:
        """Let an alert open an incident, of which nobody need take notice."""
        alert = an_alert(datetime.now(UTC), severity=severity)
        alert = alert.replace(summary=title or alert.summary)
        opening = opening_from((alert,), key or f"{uuid.uuid4()}", RUNBOOK).replace(drill=drill)

        async def start() -> WorkflowHandle[Any, Any]:
            return await self.client.start_workflow(
                IncidentWorkflow.run,
                IncidentInput(opening=opening, runbook=RUNBOOK, history_limit=history_limit),
                id=f"incident-{opening.key}",
                task_queue=queue,
                start_signal="alert_fired",
                start_signal_args=[AlertBatch(alerts=(alert,))],
                search_attributes=at_start(opening),
                memo={TITLE_MEMO: opening.title},
                task_timeout=task_timeout,
            )

        handle = self.do(start())
        pinned = self.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        return Opened(self, pinned)

    def open(self, severity: str = "critical", **more: Any) -> Opened:
        """Let an alert open an incident, and wait until it has its number and its first update is out."""
        opened = self.begin(severity, **more)
        incident = opened.until(
            lambda i: i.number is not None and i.ledger.settled("channel") and bool(i.updates.published)
        )
        opened.number = str(incident.number)
        return opened


@pytest.fixture(autouse=True)
def always_patient(patient: None) -> None:
    """Every command waits long enough for a busy machine."""


@pytest.fixture(scope="module")
def stage(dev_server: DevServer) -> Iterator[Stage]:
    """A namespace with a worker."""
    with standing(dev_server, pydantic_data_converter) as stage:
        yield stage


@contextmanager
def standing(dev_server: DevServer, converter: DataConverter) -> Iterator[Stage]:
    """A namespace with a worker that reads and writes payloads by that converter."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    ready: asyncio.Queue[Stage] = asyncio.Queue()
    over = asyncio.Event()
    serving = asyncio.run_coroutine_threadsafe(_serve(dev_server, ready, over, converter), loop)
    getting = asyncio.run_coroutine_threadsafe(ready.get(), loop)
    serving.add_done_callback(lambda done: getting.cancel() if done.exception() else None)
    yield getting.result(40)
    loop.call_soon_threadsafe(over.set)
    serving.result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


async def _serve(
    dev_server: DevServer, ready: asyncio.Queue[Stage], over: asyncio.Event, converter: DataConverter
) -> None:
    stage = Stage(asyncio.get_running_loop(), await dev_server.client(converter))
    methods = stage.activities.methods()
    async with (
        make_worker(stage.client, QUEUE, methods, sandboxed=False),
        make_worker(stage.client, drill_queue(QUEUE), methods, sandboxed=False),
    ):
        await ready.put(stage)
        await over.wait()


Incidental = Callable[..., Said]


@pytest.fixture
def incident(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Incidental:
    """The command line as `incident(...)`, in this process: only the end of the process is replaced."""

    run = runner(monkeypatch, capsys)
    return lambda *words: run(responder.app, *words)


@pytest.fixture
def on_stage(stage: Stage, incident: Incidental, monkeypatch: pytest.MonkeyPatch) -> Incidental:
    """The command line, pointed at the stage."""
    point_at(monkeypatch, stage.address, stage.client.namespace)
    return incident


def point_at(monkeypatch: pytest.MonkeyPatch, address: str, namespace: str = "default") -> None:
    """Point the command line at a server, and at nothing else that this machine's environment may name."""
    for name in [name for name in os.environ if name.startswith("TEMPORAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", namespace)
    monkeypatch.setenv("COLUMNS", "100")


def changed(said: Said) -> str:
    """The message of a command that did something."""
    assert (said.status, said.err) == (0, "")
    answer = said.document
    assert set(answer) == {"message", "changed", "queued", "revision"}
    assert (answer["changed"], answer["queued"]) == (True, False)
    assert answer["revision"] > 0
    message: str = answer["message"]
    return message


def refused(said: Said) -> str:
    """The line with which a command was refused."""
    assert (said.status, said.out) == (1, "")
    return reason(said)


def reason(said: Said) -> str:
    """What is said of an error, as a line or as a JSON object."""
    if said.why.startswith("{"):
        error = json.loads(said.why)
        assert set(error) == {"error", "code"}
        message: str = error["error"]
        return message
    assert said.why.startswith("error: ")
    return said.why.removeprefix("error: ")


def numbered(opened: Opened) -> str:
    """The incident's number, as soon as it has one."""
    return str(opened.until(lambda incident: incident.number is not None).number)

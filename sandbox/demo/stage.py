"""The demo's driver: runs the real programs, and prints what happens."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text
from temporalio.client import Client

from activities.processes import WorkflowQueries
from incidents.client.lookup import describe
from incidents.client.watching.watched_run import WatchedRun, state
from incidents.domain.incident.incident import Incident
from sandbox.demo.files import HOME, ROOT, shown
from sandbox.server import RunningSandbox

CLI = ("-m", "incidents.cli.main")
"""The responders' command line, `incident`."""
BAD, GOOD, REGION = "v2.15.0-bad", "v2.14.0", "eu"
TIMEOUT = 60.0
ROUNDS = 3
"""Recorder rounds for a baseline of ten samples (five per round), plus one spare."""
MACHINE = ("system", "Alertmanager")
"""Actors of timeline entries that are no person."""


class DemoFailed(Exception):
    """The demo failed. The message is one line and names the logs."""


class Demo:
    """The running demo: sandbox, environment, console and the current incident. `verbose`: print the whole timeline."""

    sandbox: RunningSandbox
    environment: dict[str, str]

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self.console, self.verbose = console, verbose
        self.number = 0
        self.began = self.started = datetime.now(UTC)
        self.incident: Incident | None = None
        self.people_only = False
        self._printed = 0
        self._progress: Status | None = None

    def attach(self, sandbox: RunningSandbox, environment: Mapping[str, str], progress: Status | None) -> None:
        """Take what is running, once it is."""
        self.sandbox, self.environment, self._progress = sandbox, dict(environment), progress

    # --- showing --------------------------------------------------------------------------------------------------

    def say(self, text: str, at: datetime | None = None) -> None:
        """Print one line of what happens, after the time since the demo began (or that of `at`)."""
        self.console.print(timed((at or datetime.now(UTC)) - self.began, text), highlight=False)

    def note(self, text: str) -> None:
        """Print what only the long form shows."""
        if self.verbose:
            self.console.print(text, highlight=False)

    @contextlib.contextmanager
    def progress(self, what: str) -> Iterator[Status | None]:
        """Show what is waited for: a moving line on a terminal, else one line of text."""
        if not self.console.is_terminal:
            self.console.print(f"{what} ...")
            yield None
            return
        with self.console.status(f"{what} ...") as status:
            yield status

    def wait_for(self, what: str) -> None:
        """Say in the moving line what is waited for now."""
        if self._progress is not None:
            self._progress.update(f"{what} ...")

    async def follow(self, client: Client, workflow_id: str) -> None:
        """Keep `incident` current until cancelled, and print its timeline: all of it, or what people did."""
        watched = WatchedRun(client, await describe(client, workflow_id))
        while True:
            with contextlib.suppress(Exception):  # it may lag; `until` decides how the demo proceeds
                if (found := await watched.refresh(state)) is not None:
                    self.incident = found[0]
                    self._print_new(self.incident)
            await asyncio.sleep(0.4)

    def skip_timeline(self) -> None:
        """Print from now on what people do, and nothing of what was before."""
        self.people_only = True
        self._printed = max(self._printed, len(self.incident.timeline) if self.incident else 0)

    def _print_new(self, incident: Incident) -> None:
        for entry in incident.timeline[self._printed :]:
            if self.verbose or (self.people_only and entry.actor not in MACHINE):
                line = timed(entry.at - self.began, f"{entry.actor}: {entry.text}", markup=False)
                self.console.print(line, highlight=False)
        self._printed = len(incident.timeline)

    # --- doing ----------------------------------------------------------------------------------------------------

    async def run(self, *words: str) -> str:
        """Run one of our programs; return its output."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            out, err = await process.communicate()
        finally:
            if process.returncode is None:  # the demo is stopped meanwhile
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise DemoFailed(f"{' '.join(words)} exited with status {process.returncode} ({err.decode().strip()})")
        return out.decode()

    async def responder(self, who: str, command: str, *words: str) -> None:
        """Run a responder's command through the real command line."""
        typed = " ".join(f'"{word}"' if " " in word else word for word in words)
        self.say(f"[bold]{who}$[/bold] incident {command} {self.number} {typed}".rstrip())
        answer = await self.run(*CLI, command, str(self.number), *words, "--by", who)
        self.note(f"     [dim]{answer.strip()}[/dim]")

    async def alert(self, *, ended: bool) -> dict[str, Any]:
        """Send an Alertmanager webhook through starter.py."""
        path = HOME / ("alert-resolved.json" if ended else "alert-firing.json")
        path.write_text(json.dumps(alertmanager_payload(self.started, ended=ended), indent=1), encoding="utf-8")
        said = await self.run(str(ROOT / "starter.py"), str(path), "--json")
        answer: dict[str, Any] = json.loads(said)
        return answer

    async def until(self, what: str, condition: Callable[[Incident], bool], seconds: float = TIMEOUT) -> None:
        """Wait until the incident meets a condition."""
        self.wait_for(f"Waiting for {what}")
        deadline = time.monotonic() + seconds
        while self.incident is None or not condition(self.incident):
            if time.monotonic() > deadline:
                raise DemoFailed(f"Timed out after {seconds:.0f} s waiting for {what}. Logs: {shown(HOME)}/")
            await asyncio.sleep(0.1)

    async def baseline(self, client: Client) -> None:
        """Wait until the latency baseline recorder has enough samples."""
        self.wait_for("Measuring the normal latency")
        deadline = time.monotonic() + TIMEOUT
        while len((await WorkflowQueries(client).recording()).samples) < ROUNDS * 2:  # in each of two regions
            if time.monotonic() > deadline:
                raise DemoFailed(f"The latency baseline recorder is not running. Logs: {shown(HOME)}/")
            await asyncio.sleep(0.3)

    async def probe(self) -> str:
        """Probe the region; it must be healthy."""
        base = json.loads(self.environment["PROBE_URLS"])[REGION]
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
            health = await http.get(f"{base}/health")
            evaluation = await http.post(
                f"{base}/v1/evaluate",
                json={"flag_key": "probe", "context": {"key": "demo"}},
                headers={"X-API-Key": self.environment["PROBE_API_KEY"]},
            )
        if (health.status_code, evaluation.status_code) != (200, 200):
            raise DemoFailed(f"{REGION} answers {health.status_code} and {evaluation.status_code} after the rollback")
        return f"GET /health {health.status_code}, POST /v1/evaluate {evaluation.status_code}"


def timed(elapsed: timedelta, text: str, *, markup: bool = True) -> Table:
    """Return a line that begins with a time, whose further lines stand below its text."""
    minutes, seconds = divmod(max(round(elapsed.total_seconds()), 0), 60)
    line = Table.grid(padding=(0, 1))
    line.add_column(width=4, justify="right", style="dim")
    line.add_column()
    line.add_row(f"{minutes}:{seconds:02}", text if markup else Text(text))
    return line


def alertmanager_payload(started: datetime, *, ended: bool) -> dict[str, Any]:
    """An Alertmanager webhook, version 4, as Prometheus' alert on the product's errors would send it."""
    labels = {"alertname": "EvaluationErrors", "service": "flag-evaluation", "severity": "critical", "region": REGION}
    annotations = {"summary": f"Evaluation errors in {REGION} above 5 %"}
    alert = {
        "status": "resolved" if ended else "firing",
        "labels": labels,
        "annotations": annotations,
        "startsAt": started.isoformat(),
        "endsAt": datetime.now(UTC).isoformat() if ended else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": "d3m0d3m0d3m0d3m0",
    }
    return {
        "version": "4",
        "groupKey": '{}:{service="flag-evaluation"}',
        "truncatedAlerts": 0,
        "status": alert["status"],
        "receiver": "incident-runbook",
        "groupLabels": {"service": "flag-evaluation"},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "http://alertmanager.example",
        "alerts": [alert],
    }

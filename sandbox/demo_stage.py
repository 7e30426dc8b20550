"""The demo's driver: runs the real programs, and shows the incident."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live
from temporalio.client import Client

from activities.processes import WorkflowQueries
from incidents.cli.output.screen import IncidentScreen
from incidents.client.lookup import describe
from incidents.client.watching.watched_run import WatchedRun, state
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from sandbox.server import RunningSandbox

HOME = Path(".demo")
CLI = ("-m", "incidents.cli.main")
"""The responders' command line, `incident`."""
BAD, GOOD, REGION = "v2.15.0-bad", "v2.14.0", "eu"
TIMEOUT = 60.0
ROUNDS = 3
"""Recorder rounds for a baseline of ten samples (five per round), plus one spare."""


class DemoFailed(Exception):
    """The demo failed. The message is one line and names the logs."""


class Demo:
    """The running demo: sandbox, environment, console and the current incident."""

    def __init__(self, sandbox: RunningSandbox, environment: dict[str, str], console: Console) -> None:
        self.sandbox, self.environment, self.console = sandbox, environment, console
        self.number = 0
        self.started = datetime.now(UTC)
        self.incident: Incident | None = None
        self._printed = 0

    # --- showing --------------------------------------------------------------------------------------------------

    def announce(self, text: str) -> None:
        """Print what happens next."""
        self.console.print(f"[bold cyan]▸[/bold cyan] {text}")

    async def show(self, client: Client, workflow_id: str, live: Live | None) -> None:
        """Keep the screen current until cancelled; without a terminal, print the timeline as it grows."""
        watched = WatchedRun(client, await describe(client, workflow_id))
        obligations: list[Obligation] = []
        while True:
            with contextlib.suppress(Exception):  # the screen may lag; `until` decides how the demo proceeds
                if (found := await watched.refresh(state)) is not None:
                    self.incident, obligations = found
                if self.incident is not None and live is not None:
                    rows = max(self.console.height - 12, 20)  # rows for the announcements above
                    live.update(IncidentScreen(self.incident, obligations, datetime.now(UTC), rows=rows))
                elif self.incident is not None:
                    self._print_new(self.incident)
            await asyncio.sleep(0.4)

    def print_rest(self) -> None:
        """Print the timeline entries that were not printed yet."""
        if self.incident is not None:
            self._print_new(self.incident)

    def _print_new(self, incident: Incident) -> None:
        for entry in incident.timeline[self._printed :]:
            self.console.print(f"  {entry.at:%H:%M:%S} {entry.actor}: {entry.text}", highlight=False, markup=False)
        self._printed = len(incident.timeline)

    # --- doing ----------------------------------------------------------------------------------------------------

    async def run(self, *words: str) -> str:
        """Run one of our programs; return its output."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = await process.communicate()
        if process.returncode != 0:
            raise DemoFailed(f"{' '.join(words)} exited with status {process.returncode} ({err.decode().strip()})")
        return out.decode()

    async def responder(self, who: str, command: str, *words: str) -> None:
        """Run a responder's command through the real command line."""
        typed = " ".join(f'"{word}"' if " " in word else word for word in words)
        self.announce(f"[bold]{who}[/bold] runs `incident {command} {self.number} {typed}".rstrip() + "`")
        answer = await self.run(*CLI, command, str(self.number), *words, "--by", who)
        self.console.print(f"  [dim]{answer.strip()}[/dim]", highlight=False)

    async def alert(self, *, ended: bool) -> dict[str, Any]:
        """Send an Alertmanager webhook through starter.py."""
        path = HOME / ("alert-resolved.json" if ended else "alert-firing.json")
        path.write_text(json.dumps(alertmanager_payload(self.started, ended=ended), indent=1), encoding="utf-8")
        said = await self.run("starter.py", str(path), "--json")
        answer: dict[str, Any] = json.loads(said)
        return answer

    async def until(self, what: str, condition: Callable[[Incident], bool]) -> None:
        """Wait until the incident meets a condition."""
        deadline = time.monotonic() + TIMEOUT
        while self.incident is None or not condition(self.incident):
            if time.monotonic() > deadline:
                raise DemoFailed(f"Timed out after {TIMEOUT:.0f} s waiting for {what}. Logs: {HOME}/")
            await asyncio.sleep(0.1)

    async def baseline(self, client: Client) -> None:
        """Wait until the latency baseline recorder has enough samples."""
        deadline = time.monotonic() + TIMEOUT
        while len((await WorkflowQueries(client).recording()).samples) < ROUNDS * 2:  # in each of two regions
            if time.monotonic() > deadline:
                raise DemoFailed(f"The latency baseline recorder is not running. Logs: {HOME}/")
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

    @contextlib.contextmanager
    def live(self) -> Iterator[Live | None]:
        """Show a live screen if there is a terminal."""
        if not self.console.is_terminal:
            yield None
            return
        with Live(console=self.console, refresh_per_second=4, vertical_overflow="crop") as live:
            yield live


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

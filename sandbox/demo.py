"""`make demo`: a whole incident against the embedded Temporal server and the sandbox, told as it happens."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from temporalio.client import Client, WorkflowHandle

from connection import connect, run_and_exit
from runbook.incident import Incident
from runbook.rollback_states import RollbackStatus
from sandbox.server import RunningSandbox, running_sandbox
from sandbox.temporal_server import free_port, running_temporal, stop
from settings import load_settings
from terminal.views import incident_view
from terminal.watch import state

HOME = Path(".demo")
BAD, REGION = "v2.15.0-bad", "eu"
PATIENCE = 40.0


class DemoFailed(Exception):
    """The demo did not go as it should. One line says where, and where the logs are."""


class Demo:
    """The stage: what runs, and who says what when."""

    def __init__(self, sandbox: RunningSandbox, environment: dict[str, str], console: Console) -> None:
        self.sandbox, self.environment, self.console = sandbox, environment, console
        self.number = 0
        self.incident: Incident | None = None
        self._told = 0

    # --- telling --------------------------------------------------------------------------------------------------

    def tell(self, text: str) -> None:
        """Say what happens next."""
        self.console.print(f"[bold cyan]▸[/bold cyan] {text}")

    async def show(self, handle: WorkflowHandle[Any, Any], live: Live | None) -> None:
        """Keep the screen current until cancelled; without a terminal, print the timeline as it grows."""
        while True:
            with contextlib.suppress(Exception):  # the picture may lag; the story's own waits decide
                self.incident, duties = await state(handle, f"INC-{self.number}")
                if live is not None:
                    rows = max(self.console.height - 12, 20)  # room for the story above
                    live.update(incident_view(self.incident, duties, datetime.now(UTC), rows=rows))
                else:
                    self._print_new(self.incident)
            await asyncio.sleep(0.4)

    def _print_new(self, incident: Incident) -> None:
        for entry in incident.timeline[self._told :]:
            self.console.print(f"  {entry.at:%H:%M:%S} {entry.actor}: {entry.text}", highlight=False, markup=False)
        self._told = len(incident.timeline)

    # --- doing ----------------------------------------------------------------------------------------------------

    async def run(self, *words: str) -> str:
        """Run one of our programs as a person would; what it prints."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = await process.communicate()
        if process.returncode != 0:
            raise DemoFailed(f"{' '.join(words)} ended with status {process.returncode}: {err.decode().strip()}")
        return out.decode()

    async def responder(self, who: str, command: str, *words: str) -> None:
        """Let a responder type a command into the real command line."""
        typed = " ".join(f'"{word}"' if " " in word else word for word in words)
        self.tell(f"[bold]{who}[/bold] types: incident {command} {self.number} {typed}".rstrip())
        answer = await self.run("responder.py", command, str(self.number), *words, "--by", who)
        self.console.print(f"  [dim]{answer.strip()}[/dim]", highlight=False)

    async def alert(self, *, ended: bool) -> dict[str, Any]:
        """Send an Alertmanager webhook through starter.py."""
        path = HOME / ("alert-resolved.json" if ended else "alert-firing.json")
        path.write_text(json.dumps(alertmanager_payload(self.started, ended=ended), indent=1), encoding="utf-8")
        said = await self.run("starter.py", str(path), "--json")
        answer: dict[str, Any] = json.loads(said)
        return answer

    async def until(self, what: str, condition: Callable[[Incident], bool]) -> None:
        """Wait until the incident is as the story needs it."""
        deadline = time.monotonic() + PATIENCE
        while self.incident is None or not condition(self.incident):
            if time.monotonic() > deadline:
                raise DemoFailed(f"not within {PATIENCE:.0f} s: {what}. The logs are in {HOME}/")
            await asyncio.sleep(0.1)

    # --- the story ------------------------------------------------------------------------------------------------

    async def play(self, client: Client) -> None:
        """Tell the whole incident."""
        self.tell(f"Somebody deploys [red]{BAD}[/red] to {REGION}. Evaluations begin to fail there.")
        self.sandbox.deploy(REGION, BAD)
        self.started = datetime.now(UTC)
        self.tell("Prometheus notices; Alertmanager's webhook goes to starter.py.")
        opened = await self.alert(ended=False)
        self.number = opened["number"]
        self.tell(f"Incident [bold]INC-{self.number}[/bold] is open as workflow {opened['workflow_id']}.")
        handle = client.get_workflow_handle(opened["workflow_id"])
        with self._live() as live:
            showing = asyncio.create_task(self.show(handle, live))
            try:
                await self._respond()
                await self._recover()
                await self._end()
            finally:
                showing.cancel()
        if live is None and self.incident is not None:
            self._print_new(self.incident)

    @contextlib.contextmanager
    def _live(self) -> Iterator[Live | None]:
        if not self.console.is_terminal:
            yield None
            return
        with Live(console=self.console, refresh_per_second=4, vertical_overflow="crop") as live:
            yield live

    async def _respond(self) -> None:
        await self.until("the channel, the war room and the first updates", lambda i: len(i.fulfilled) > 12)
        await asyncio.sleep(2)
        await self.responder("ann", "ack")
        impact = "About half of all flag evaluations in Europe fail."
        await self.responder("ann", "assess", impact, "--customers", "ACME", "--title", "Evaluation errors in Europe")
        await self.until("the rollback's offer", lambda i: bool(i.rollbacks))
        self.tell("The runbook offers a rollback and waits for a person. The next status update comes by itself.")
        await self.until("the first scheduled update", lambda i: any(u.kind == "scheduled" for u in i.updates))

    async def _recover(self) -> None:
        await self.responder("ann", "approve")
        await self.until("a verified rollback", lambda i: any(r.status == RollbackStatus.HEALTHY for r in i.rollbacks))
        self.tell(f"Rolled back, and proven on the product's own endpoints: {await self._looks()}")
        self.tell("Alertmanager says that the alert has ended.")
        await self.alert(ended=True)
        await self.responder("ann", "confirm", "--customer", "ACME", "--note", "flags evaluate again")
        await self.until("the stability window", lambda i: i.stable_since is not None)

    async def _looks(self) -> str:
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

    async def _end(self) -> None:
        await self.responder("ann", "resolve", "Service is back to normal. A faulty release was reverted.")
        await self.until("the post-mortem's start", lambda i: any(key.startswith("postmortem/") for key in i.fulfilled))
        for _ in range(100):
            found = json.loads(await self.run("responder.py", "postmortem", "show", str(self.number), "--json"))
            if found["draft_url"]:
                break
        else:
            raise DemoFailed("the post-mortem's draft was not written")
        self.tell(
            f"The post-mortem's draft is written; it is due {found['due'][:16]} UTC, 48 hours after the resolution."
        )
        self.console.print(await self.run("responder.py", "postmortem", "show", str(self.number)), highlight=False)


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


@contextlib.contextmanager
def running_worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A worker; at the end it drains."""
    with (HOME / "worker.log").open("w", encoding="utf-8") as log:
        worker = subprocess.Popen(
            [sys.executable, "worker.py"], env=environment, stdout=log, stderr=subprocess.STDOUT, text=True
        )
        try:
            yield worker
        finally:
            status = stop(worker)
            if status != 0:
                print(f"the worker ended with status {status}: see {HOME}/worker.log", file=sys.stderr)


def links(console: Console, demo: Demo, ui: str, *, kept: bool) -> None:
    """Say where everything can be looked at."""
    record = HOME / "evidence" / f"INC-{demo.number}"
    lines = [
        f"Temporal Web UI   {ui}",
        f"What people saw   {demo.sandbox.url}/",
        f"Evidence folder   {record}  (record, timeline, post-mortem draft)",
    ]
    if not kept:
        lines.append("Everything is stopped again. `make demo KEEP=1` leaves it up for looking around.")
    console.print(Panel("\n".join(lines), title="Look", title_align="left"), highlight=False)


def fresh_home() -> None:
    """Forget the demo before this one."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir()


async def main(*, keep: bool, pause: Callable[[], Awaitable[None]]) -> int:
    """Play the demo; with `keep`, wait at the end until somebody has seen enough."""
    console = Console()
    began = time.monotonic()
    fresh_home()
    ui_port = free_port()
    console.print("Starting the embedded Temporal server, the sandbox and a worker ...")
    with (
        (HOME / "temporal.log").open("w", encoding="utf-8") as log,
        running_temporal(HOME / "temporal.db", ui_port=ui_port, log=log) as (address, _),
        running_sandbox() as sandbox,
    ):
        environment = {
            **os.environ,
            **sandbox.environment(),
            "TEMPORAL_ADDRESS": address,
            "RUNBOOK_FILE": "sandbox/runbook.demo.yaml",
            "EVIDENCE_URL": (HOME / "evidence").absolute().as_uri(),
        }
        os.environ.update({name: environment[name] for name in ("TEMPORAL_ADDRESS", "RUNBOOK_FILE")})
        ui = f"http://127.0.0.1:{ui_port}"
        console.print(f"Temporal Web UI: {ui}   sandbox: {sandbox.url}/", highlight=False)
        demo = Demo(sandbox, environment, console)
        with running_worker(environment):
            await demo.play(await connect(load_settings()))
            console.print(f"The incident took {time.monotonic() - began:.0f} s from nothing to the draft.")
            links(console, demo, ui, kept=keep)
            if keep:
                console.print("Press Ctrl-C to stop everything.")
                await pause()
    return 0


async def until_stopped() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything up at the end")
    arguments = parser.parse_args()
    run_and_exit(main(keep=arguments.keep, pause=until_stopped), (DemoFailed,))

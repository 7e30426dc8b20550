"""`make demo`: one incident, live, against the embedded Temporal server and the sandbox."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import yaml
from rich.console import Console
from rich.panel import Panel

from incidents.app.connection import connect, run_and_exit
from incidents.app.settings import load_settings
from sandbox.demo_stage import HOME, Demo, DemoFailed
from sandbox.demo_stories import SCENARIOS, Scenario, play
from sandbox.server import running_sandbox
from sandbox.temporal_server import free_port, running_temporal, stop


@contextlib.contextmanager
def running_worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a worker; shut it down gracefully at the end."""
    with (HOME / "worker.log").open("w", encoding="utf-8") as log:
        worker = subprocess.Popen(
            [sys.executable, "worker.py"], env=environment, stdout=log, stderr=subprocess.STDOUT, text=True
        )
        try:
            yield worker
        finally:
            status = stop(worker)
            if status != 0:
                print(f"the worker exited with status {status}; see {HOME}/worker.log", file=sys.stderr)


def links(console: Console, demo: Demo, ui: str, *, kept: bool) -> None:
    """Print where to look."""
    record = HOME / "evidence" / f"INC-{demo.number}"
    lines = [f"Evidence folder   {record}  (record, timeline, post-mortem draft)"]
    if kept:
        lines.append(f"Temporal Web UI   {ui}")
        lines.append(f"Vendor sandbox    {demo.sandbox.url}/  (Slack, pages, mail, status page)")
    else:
        lines.append("All processes are stopped. `make demo KEEP=1` keeps them running, with the Temporal Web UI.")
    console.print(Panel("\n".join(lines), title="Explore", title_align="left"), highlight=False)


def fresh_home() -> None:
    """Delete the previous demo's files."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir()


def write_runbook(scenario: Scenario) -> Path:
    """Write runbook.yaml with the scenario's rollback policy for a P0; return its path."""
    runbook = yaml.safe_load(Path("sandbox/runbook.demo.yaml").read_text(encoding="utf-8"))
    runbook["severities"]["P0"]["rollback"] = scenario.policy
    path = HOME / "runbook.yaml"
    path.write_text(yaml.safe_dump(runbook, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


async def main(scenario: Scenario, *, keep: bool, pause: Callable[[], Awaitable[None]]) -> int:
    """Play a scenario; with `keep`, wait for Ctrl-C at the end."""
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
            "RUNBOOK_FILE": str(write_runbook(scenario)),
            "EVIDENCE_URL": (HOME / "evidence").absolute().as_uri(),
        }
        os.environ.update({name: environment[name] for name in ("TEMPORAL_ADDRESS", "RUNBOOK_FILE")})
        ui = f"http://127.0.0.1:{ui_port}"
        console.print(f"Temporal Web UI {ui}   vendor sandbox {sandbox.url}/", highlight=False)
        demo = Demo(sandbox, environment, console)
        with running_worker(environment):
            await play(demo, scenario, await connect(load_settings()))
            console.print(f"Done in {time.monotonic() - began:.0f} s, from startup to the post-mortem draft.")
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
    parser.add_argument("--keep", action="store_true", help="keep everything running at the end")
    parser.add_argument("--scenario", choices=SCENARIOS, default="automatic", help="scenario (default: automatic)")
    arguments = parser.parse_args()
    run_and_exit(main(SCENARIOS[arguments.scenario], keep=arguments.keep, pause=until_stopped), (DemoFailed,))

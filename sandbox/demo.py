"""`make demo`: a whole incident against the embedded Temporal server and the sandbox, told as it happens."""

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
from sandbox.demo_stories import STORIES, Story, play
from sandbox.server import running_sandbox
from sandbox.temporal_server import free_port, running_temporal, stop


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


def write_runbook(story: Story) -> Path:
    """Write the demo's runbook with the story's rollback policy for a P0; return where it is."""
    runbook = yaml.safe_load(Path("sandbox/runbook.demo.yaml").read_text(encoding="utf-8"))
    runbook["severities"]["P0"]["rollback"] = story.policy
    path = HOME / "runbook.yaml"
    path.write_text(yaml.safe_dump(runbook, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


async def main(story: Story, *, keep: bool, pause: Callable[[], Awaitable[None]]) -> int:
    """Play a story; with `keep`, wait at the end until somebody has seen enough."""
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
            "RUNBOOK_FILE": str(write_runbook(story)),
            "EVIDENCE_URL": (HOME / "evidence").absolute().as_uri(),
        }
        os.environ.update({name: environment[name] for name in ("TEMPORAL_ADDRESS", "RUNBOOK_FILE")})
        ui = f"http://127.0.0.1:{ui_port}"
        console.print(f"Temporal Web UI: {ui}   sandbox: {sandbox.url}/", highlight=False)
        demo = Demo(sandbox, environment, console)
        with running_worker(environment):
            await play(demo, story, await connect(load_settings()))
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
    parser.add_argument("--scenario", choices=STORIES, default="automatic", help="what happens (default: automatic)")
    arguments = parser.parse_args()
    run_and_exit(main(STORIES[arguments.scenario], keep=arguments.keep, pause=until_stopped), (DemoFailed,))

"""`make demo`: one incident, live, against the embedded Temporal server and the sandbox.

`--keep` stops before the first response and leaves the P0 to you; `--play` opens the gateway's pages, too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console

from incidents.app.connection import connect, run_and_exit
from incidents.app.settings import load_settings
from sandbox.demo.files import HOME, ROOT, fresh_home, shown, write_env, write_runbook
from sandbox.demo.playground import Addresses, leave_to_you
from sandbox.demo.stage import TIMEOUT, Demo, DemoFailed
from sandbox.demo.stories import SCENARIOS, begin, finish
from sandbox.demo.summary import summary
from sandbox.server import RunningSandbox, running_sandbox
from sandbox.temporal_server import free_port, running_temporal, stop, wait_for_port


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line. `port`: of the gateway's pages; None for no gateway."""

    scenario: str
    keep: bool
    verbose: bool
    port: int | None


@contextlib.contextmanager
def running(name: str, words: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run one of our programs; shut it down gracefully at the end."""
    path = HOME / f"{name}.log"
    with path.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, *words], env=environment, stdout=log, stderr=subprocess.STDOUT, text=True
        )
        try:
            yield process
        finally:
            if (status := stop(process)) != 0:
                print(f"the {name} exited with status {status}; see {shown(path)}", file=sys.stderr)


@contextlib.contextmanager
def running_gateway(demo: Demo, port: int | None) -> Iterator[str]:
    """Run the gateway, to which the sandbox's Slack sends signed clicks; yield its URL, "" without a port."""
    if port is None:
        yield ""
        return
    words = ["-m", "incidents.gateway.main", "--port", str(port)]
    # Without the app token Slack sends by HTTP, signed, and not by Socket Mode.
    environment = {name: value for name, value in demo.environment.items() if name != "SLACK_APP_TOKEN"}
    with running("gateway", words, environment) as gateway:
        wait_for_port(port, gateway, TIMEOUT)
        url = f"http://127.0.0.1:{port}"
        demo.sandbox.options(slack_request_url=f"{url}/slack")
        yield url


def surroundings(sandbox: RunningSandbox, address: str, options: Options) -> dict[str, str]:
    """Return the variables by which our programs reach the demo."""
    policy = "approve" if options.keep else SCENARIOS[options.scenario].policy
    return {
        **sandbox.environment(),
        "TEMPORAL_ADDRESS": address,
        "RUNBOOK_FILE": str(write_runbook(policy, for_a_person=options.keep)),
        "EVIDENCE_URL": (HOME / "evidence").as_uri(),
        "ALERT_SPOOL": str(HOME / "spool"),
    }


async def main(options: Options) -> int:
    """Play a scenario to its end; or up to the response, which is left to whoever plays, until Ctrl-C."""
    console, ui_port = Console(), free_port()
    demo = Demo(console, verbose=options.verbose)
    fresh_home()
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(demo.progress("Starting a Temporal server, the stand-ins and a worker"))
        log = stack.enter_context((HOME / "temporal.log").open("w", encoding="utf-8"))
        address, _ = stack.enter_context(running_temporal(HOME / "temporal.db", ui_port=ui_port, log=log))
        sandbox = stack.enter_context(running_sandbox())
        ours = surroundings(sandbox, address, options)
        os.environ.update({name: ours[name] for name in ("TEMPORAL_ADDRESS", "RUNBOOK_FILE")})
        demo.attach(sandbox, os.environ | ours, progress)
        stack.enter_context(running("worker", [str(ROOT / "worker.py")], demo.environment))
        gateway = stack.enter_context(running_gateway(demo, options.port))
        client = await connect(load_settings())
        async with begin(demo, SCENARIOS[options.scenario], client):
            if options.keep:
                places = Addresses(f"http://127.0.0.1:{ui_port}", sandbox.url, gateway)
                await leave_to_you(demo, write_env(ours), places, until_stopped())
            else:
                await finish(demo, SCENARIOS[options.scenario])
                console.print(summary(demo))
        demo.wait_for("Stopping everything")
    return 0


async def until_stopped() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()


def parse(words: list[str]) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave a live P0 to you, until Ctrl-C")
    parser.add_argument("--play", action="store_true", help="as --keep, with the gateway's pages")
    parser.add_argument("--port", type=int, default=0, help="port of the gateway's pages (default: a free one)")
    parser.add_argument("--scenario", choices=SCENARIOS, default="automatic", help="scenario (default: automatic)")
    parser.add_argument("--verbose", action="store_true", help="print the whole timeline")
    found = parser.parse_args(words)
    port = (found.port or free_port()) if found.play else None
    return Options(found.scenario, found.keep or found.play, found.verbose, port)


if __name__ == "__main__":
    run_and_exit(main(parse(sys.argv[1:])), (DemoFailed,))

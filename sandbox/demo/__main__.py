"""`make demo`: one incident, live, against the embedded Temporal server and the sandbox.

`--keep` stops before the first response and leaves the P0 to you; `--play` opens the gateway's pages, too.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from dataclasses import dataclass

from rich.console import Console

from incidents.app.connection import connect, run_and_exit
from incidents.app.settings import load_settings
from sandbox.demo.files import HOME, ROOT, FolderInUse, own_home, write_env, write_runbook
from sandbox.demo.keeper import Keeper, keeping
from sandbox.demo.playground import Addresses, leave_to_you
from sandbox.demo.programs import check_port, running, running_gateway, running_server
from sandbox.demo.stage import Demo, DemoFailed
from sandbox.demo.stopping import Stop, until_stopped
from sandbox.demo.stories import SCENARIOS, begin, finish
from sandbox.demo.summary import summary
from sandbox.environment import without_vendors
from sandbox.server import RunningSandbox, running_sandbox
from sandbox.temporal_server import free_port


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line. `port`: of the gateway's pages; None for no gateway."""

    scenario: str
    keep: bool
    verbose: bool
    port: int | None


def surroundings(sandbox: RunningSandbox, address: str, options: Options) -> dict[str, str]:
    """Return the variables by which our programs reach the demo. No others of ours are set: none reaches a vendor."""
    policy = "approve" if options.keep else SCENARIOS[options.scenario].policy
    return {
        **sandbox.environment(),
        "TEMPORAL_ADDRESS": address,
        "TEMPORAL_NAMESPACE": "default",
        "RUNBOOK_FILE": str(write_runbook(policy, for_a_person=options.keep)),
        "EVIDENCE_URL": (HOME / "evidence").as_uri(),
        "ALERT_SPOOL": str(HOME / "spool"),
    }


def set_environment(variables: dict[str, str]) -> None:
    """Let this process, and those that it starts, see these variables alone."""
    os.environ.clear()
    os.environ.update(variables)


async def main(options: Options) -> int:
    """Play a scenario to its end; or up to the response, which is left to whoever plays, until Ctrl-C."""
    if options.port is not None:
        check_port(options.port)
    with own_home() as lock, keeping(lock) as keeper:
        return await until_stopped(lambda stop: play(options, keeper, stop))


async def play(options: Options, keeper: Keeper, stop: Stop) -> int:
    """Start everything, play, and stop everything."""
    demo = Demo(Console(), verbose=options.verbose)
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(demo.progress("Starting a Temporal server, the stand-ins and a worker"))
        set_environment(without_vendors(os.environ))
        address, ui = stack.enter_context(running_server(keeper))
        sandbox = stack.enter_context(running_sandbox())
        ours = surroundings(sandbox, address, options)
        set_environment({**os.environ, **ours})
        demo.attach(sandbox, os.environ, progress)
        stack.enter_context(running("worker", [str(ROOT / "worker.py")], demo.environment, keeper))
        gateway = stack.enter_context(running_gateway(demo, options.port, keeper))
        client = await connect(load_settings())
        async with begin(demo, SCENARIOS[options.scenario], client):
            if options.keep:
                stop.expected = True
                await leave_to_you(demo, write_env(ours), Addresses(ui, sandbox.url, gateway))
            else:
                await finish(demo, SCENARIOS[options.scenario])
                demo.console.print(summary(demo))
        demo.wait_for("Stopping everything")
    return 0


def port_number(typed: str) -> int:
    """Return a port that was typed; 0 for a free one."""
    if not typed.isdecimal() or not int(typed) < 65536:
        raise argparse.ArgumentTypeError(f"{typed!r} is not a port: 1 to 65535")
    return int(typed)


def parse(words: list[str]) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave a live P0 to you, until Ctrl-C")
    parser.add_argument("--play", action="store_true", help="as --keep, with the gateway's pages")
    parser.add_argument("--port", type=port_number, default=0, help="port of the gateway's pages (default: a free one)")
    parser.add_argument("--scenario", choices=SCENARIOS, default="automatic", help="scenario (default: automatic)")
    parser.add_argument("--verbose", action="store_true", help="print the whole timeline")
    found = parser.parse_args(words)
    port = (found.port or free_port()) if found.play else None
    return Options(found.scenario, found.keep or found.play, found.verbose, port)


if __name__ == "__main__":
    run_and_exit(main(parse(sys.argv[1:])), (DemoFailed, FolderInUse))

"""`make upgrade-test`: incidents begun by another release's workers and gateway, and finished by this one's.

python -m tests.upgrade --release COMMIT [--jobs 1] [--save DIR]
"""

import argparse
import asyncio
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from temporalio.runtime import Runtime, TelemetryConfig

from tests.chaos.lifecycle.check import doubled, recorded_failures, unkept_claims, wrong_ends
from tests.chaos.lifecycle.injector import Injector
from tests.chaos.lifecycle.plan import Fault
from tests.chaos.lifecycle.processes import Site
from tests.chaos.lifecycle.report import all_well, as_table, verdict
from tests.chaos.lifecycle.run import Report, Result, run_incident
from tests.chaos.lifecycle.scenario import DRAFT, OFFERED, VERIFIED
from tests.upgrade.release import install_release

MOMENTS = {
    "open": (OFFERED, 0.0),
    "rollback": (VERIFIED, 4.0),
    "post-mortem": (DRAFT, 0.0),
}
"""When the workers are replaced: the step that the scenario waits for by then, and seconds after it began to."""
UPGRADED = "upgrade"


@dataclass
class Upgrader(Injector):
    """Replaces the other release by this one, once, at its moment."""

    pause: float = 0.0
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def inject(self, faults: list[Fault], report: Report) -> None:
        """Wait for the moment and upgrade."""
        await self.reached.wait()
        await asyncio.sleep(self.pause)
        report("upgrading")
        await self.site.upgrade()
        self.done[UPGRADED] += 1


async def run_upgrade(moment: str, release: Path, home: Path, report: Report) -> Result:
    """Let an incident live that is taken over at that moment, and judge its end."""
    step, pause = MOMENTS[moment]
    result, upgrader, began = Result(0), Upgrader(Site(home, release=release), pause=pause), time.monotonic()

    def reporting(doing: str) -> None:
        report(doing)
        if doing == step:
            upgrader.reached.set()

    outcome = await run_incident(result, upgrader, [], reporting)
    if outcome is not None:
        checks = (doubled, unkept_claims, wrong_ends, recorded_failures)
        result.problems += [problem for check in checks for problem in check(outcome)]
        result.effects = len(outcome.rows)
    if not result.faults[UPGRADED]:
        result.problems.append("it was never upgraded")
    result.seconds = time.monotonic() - began
    return result


async def run_all(args: argparse.Namespace, home: Path, console: Console) -> dict[str, Result]:
    """Install the release, and run every moment."""
    release = await asyncio.to_thread(install_release, args.release, home)
    slots, began = asyncio.Semaphore(args.jobs), time.monotonic()

    async def one(moment: str) -> Result:
        def report(doing: str) -> None:
            console.print(f"{time.monotonic() - began:5.0f} s  {moment}: {doing}", highlight=False, markup=False)

        async with slots:
            return await run_upgrade(moment, release, home / moment, report)

    return dict(zip(MOMENTS, await asyncio.gather(*map(one, MOMENTS)), strict=True))


def main() -> int:
    """Run, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade", description=__doc__)
    parser.add_argument("--release", required=True, help="the commit or tag to upgrade from")
    parser.add_argument("--jobs", type=int, default=1, help="incidents at a time (1)")
    parser.add_argument("--save", type=Path, help="keep logs and failing histories in this directory")
    args = parser.parse_args()
    logging.disable(logging.ERROR)  # the SDK logs each failed replay; the table says it
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=None)))
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # asyncio ends well, and all processes
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        try:
            results = asyncio.run(run_all(args, (args.save or Path(folder)).absolute(), console))
        except subprocess.CalledProcessError as error:
            console.print(f"{args.release} cannot be installed: {error.stderr.decode().strip()}", markup=False)
            return 1
    rows = [
        [moment, str(one.histories), str(one.events), str(one.effects), f"{one.seconds:.0f} s", verdict(one)]
        for moment, one in results.items()
    ]
    for moment, one in results.items():
        for problem in one.problems:
            console.print(f"{moment}: {problem}", markup=False)
    columns = ("taken over while", "histories", "events", "effects", "time", "result")
    console.print(as_table(f"Upgrade from {args.release}", columns, rows))
    return 0 if all_well(results.values()) else 1


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # a client of Temporal may crash while the interpreter shuts down (connection.run_and_exit)

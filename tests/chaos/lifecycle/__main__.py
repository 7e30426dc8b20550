"""`make chaos` and `make chaos-steps`: whole incidents while processes are killed and stopped and vendors fail.

python -m tests.chaos.lifecycle [--seeds 4] [--first 1] [--faults 14] [--jobs 2] [--minutes 10] [--markdown] ...
python -m tests.chaos.lifecycle --steps [--together] [--only redeploy] ...
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from temporalio.runtime import Runtime, TelemetryConfig

from tests.chaos.lifecycle.check import Outcome
from tests.chaos.lifecycle.kill_points import STEPS, KillPoint, Side
from tests.chaos.lifecycle.plan import plan
from tests.chaos.lifecycle.postgresql import missing, passable_folder
from tests.chaos.lifecycle.processes import Site
from tests.chaos.lifecycle.report import (
    CAPTION,
    COLUMNS,
    all_well,
    as_markdown,
    as_table,
    chaos_rows,
    fault_rows,
    step_rows,
)
from tests.chaos.lifecycle.run import Report, Result, run_points, run_seed, undisturbed

Job = TypeVar("Job")
RUN_SECONDS = 150.0
"""What one run is taken to need until one has ended."""


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.lifecycle", description=__doc__)
    parser.add_argument("--seeds", type=int, default=4, help="how many seeds (4)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--faults", type=int, default=14, help="faults per seed (14)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (2)")
    parser.add_argument("--minutes", type=float, default=10, help="start no run that would end later (10; 0: all)")
    parser.add_argument("--steps", action="store_true", help="kill the worker before and after each step instead")
    parser.add_argument("--together", action="store_true", help="with --steps: all of one side in one incident")
    parser.add_argument("--only", default="", help="with --steps: steps with this in their name")
    parser.add_argument("--postgresql", action="store_true", help="Temporal is its own server on PostgreSQL")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--save", type=Path, help="keep logs, databases and failing histories in this directory")
    args = parser.parse_args()
    if args.postgresql and (absent := missing()):
        parser.error(f"--postgresql needs {absent} (tests/chaos/lifecycle/postgresql.py)")
    return args


class Runs:
    """Runs of one command: at most so many at a time, and none that would end after the time is up."""

    def __init__(self, args: argparse.Namespace, home: Path, console: Console) -> None:
        self._slots, self._home, self._console = asyncio.Semaphore(args.jobs), home, console
        self._postgresql = args.postgresql
        self._began, self._limit, self._longest = time.monotonic(), args.minutes * 60, 0.0

    def site(self, home: Path) -> Site:
        """Return the processes of a run that keeps its files in `home`."""
        return Site(home, postgresql=self._postgresql)

    def calm(self) -> asyncio.Task[Outcome]:
        """Begin an undisturbed run, and return how it ends."""
        return asyncio.create_task(self._calm())

    async def _calm(self) -> Outcome:
        async with self._slots:
            return await undisturbed(self.site(self._home / "undisturbed"), self._report("undisturbed"))

    async def all(
        self, jobs: Sequence[Job], run: Callable[[Job, Path, Report], Awaitable[Result]]
    ) -> dict[Job, Result]:
        """Run all jobs, and return their results; those for which there is no time are left out."""
        ended = await asyncio.gather(*(self._one(job, run) for job in jobs))
        return {job: result for job, result in zip(jobs, ended, strict=True) if result is not None}

    async def _one(self, job: Job, run: Callable[[Job, Path, Report], Awaitable[Result]]) -> Result | None:
        name = f"seed-{job}" if isinstance(job, int) else str(job)
        async with self._slots:
            began = time.monotonic()
            if self._limit and began - self._began + (self._longest or RUN_SECONDS) > self._limit:
                self._say(name, "not run: the time is up (--minutes)")
                return None
            try:
                result = await run(job, self._home / name.replace(":", "-"), self._report(name))
            except Exception as error:  # the run's own fault is this job's failure, and the others go on
                result = Result(0, problems=[f"the run broke: {type(error).__name__}: {error}"])
            self._longest = max(self._longest, time.monotonic() - began)
            self._say(name, "; ".join(result.problems) or "ok")
            return result

    def _report(self, name: str) -> Report:
        return lambda doing: self._say(name, doing)

    def _say(self, name: str, doing: str) -> None:
        at = time.monotonic() - self._began
        self._console.print(f"{at:5.0f} s  {name}: {doing}", highlight=False, markup=False)


async def run_chaos(args: argparse.Namespace, runs: Runs, console: Console) -> bool:
    """Run the seeds and print their tables; tell whether all went well."""
    calm = runs.calm()
    seeds = range(args.first, args.first + args.seeds)
    found = await runs.all(
        seeds, lambda seed, home, report: run_seed(seed, plan(seed, args.faults), calm, runs.site(home), report)
    )
    results = list(found.values())
    show(args, console, f"Chaos: {len(results)} of {len(seeds)} seeds", COLUMNS, chaos_rows(results), CAPTION)
    show(args, console, "Faults", ("fault", "times"), fault_rows(results))
    return all_well(results)


async def run_steps(args: argparse.Namespace, runs: Runs, console: Console) -> bool:
    """Kill the worker at each step and print the table; tell whether all went well."""
    calm = runs.calm()
    points = [KillPoint(side, step) for step in STEPS if args.only in step for side in Side]
    found: dict[KillPoint, Result] = {}
    if args.together:
        sides = {side: [point for point in points if point.side is side] for side in Side}
        ended = await runs.all(list(sides), lambda side, home, report: run_points(sides[side], calm, home, report))
        found = {point: result for side, result in ended.items() for point in sides[side]}
    else:
        found = await runs.all(points, lambda point, home, report: run_points([point], calm, home, report))
    show(args, console, "Worker killed at a step", ("step", *Side), step_rows(found))
    return all_well(found.values())


def show(
    args: argparse.Namespace,
    console: Console,
    title: str,
    columns: Sequence[str],
    rows: list[list[str]],
    under: str = "",
) -> None:
    """Print a table."""
    if args.markdown:
        print(f"\n{as_markdown(columns, rows)}\n")
    else:
        console.print(as_table(title, columns, rows, under))


def main() -> int:
    """Run, print, and return the exit status."""
    args = arguments()
    logging.disable(logging.ERROR)  # the SDK logs each failed replay; the table says it
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=None)))
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # asyncio ends well, and all processes
    console = Console(stderr=args.markdown)
    if not console.is_terminal:
        console.width = 150
    with passable_folder() as folder:
        runs = Runs(args, args.save or folder, console)
        good = asyncio.run((run_steps if args.steps else run_chaos)(args, runs, console))
    return 0 if good else 1


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # a client of Temporal may crash while the interpreter shuts down (connection.run_and_exit)

"""`make chaos`: incidents whose workers are killed and paused while people read them.

python -m tests.chaos --seeds 20 --kills 15 [--first 1] [--jobs 3] [--remedy none] [--json FILE] [--save DIR]
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from temporalio.runtime import Runtime, TelemetryConfig

from tests.chaos.run import Result, run_seed

COLUMNS = (
    "seed",
    "kills",
    "stops",
    "events",
    "runs",
    "all",
    "answers",
    "retries",
    "failed",
    "lost",
    "replays",
    "time",
    "result",
)
CAPTION = (
    "stops: SIGSTOPs · runs: of the incident, all: and of its children · answers, retries: queries · failed: workflow"
    " tasks · lost: longest wait for an answer after a kill"
)


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds (20)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--kills", type=int, default=15, help="SIGKILLs per seed (15)")
    parser.add_argument("--jobs", type=int, default=3, help="seeds at a time (3)")
    parser.add_argument("--remedy", choices=["evict", "no-cache", "none"], default="", help="the workers' setting")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--save", type=Path, help="keep logs, ledgers and failing histories in this directory")
    return parser.parse_args()


def table(results: list[Result]) -> Table:
    """Return the figures, a row for each seed."""
    shown = Table(
        *COLUMNS, title="Chaos", title_justify="left", caption=CAPTION, caption_justify="left", padding=(0, 0)
    )
    for result in results:
        shown.add_row(*_cells(result), style="red" if result.problems else "")
    shown.add_section()
    lost = max((result.lost_seconds for result in results), default=0.0)
    failed = sum(bool(result.problems) for result in results)
    sums = [sum(figures) for figures in zip(*(_counts(result) for result in results), strict=True)]
    shown.add_row("all", *map(str, sums[:8]), f"{lost:.1f} s", str(sums[8]), "", f"{failed} failed")
    return shown


def _counts(result: Result) -> tuple[int, ...]:
    retried = sum(result.retried.values())
    asked = (result.answered, retried, result.failed_tasks)
    return (result.kills, result.stops, result.events, result.runs, result.workflows, *asked, result.replays)


def _cells(result: Result) -> list[str]:
    counts = [str(count) for count in _counts(result)]
    verdict = "failed" if result.problems else "ok"
    lost, took = f"{result.lost_seconds:.1f} s", f"{result.seconds:.0f} s"
    return [str(result.seed), *counts[:8], lost, counts[8], took, verdict]


async def run_all(args: argparse.Namespace, progress: Progress) -> list[Result]:
    """Run every seed, some at a time."""
    slots = asyncio.Semaphore(args.jobs)
    everything = progress.add_task("seeds", total=args.seeds, doing="")

    async def one(seed: int) -> Result:
        async with slots:
            task = progress.add_task(f"seed {seed}", total=None, doing="starting")
            home = args.save / f"seed-{seed}" if args.save else None
            result = await _guarded(seed, args, home, lambda doing: progress.update(task, doing=doing))
            progress.remove_task(task)
            progress.advance(everything)
            progress.console.print(_line(result), style="red" if result.problems else "", highlight=False)
            return result

    return list(await asyncio.gather(*(one(seed) for seed in range(args.first, args.first + args.seeds))))


async def _guarded(seed: int, args: argparse.Namespace, home: Path | None, tell: Callable[[str], None]) -> Result:
    """Run a seed; an error of the run itself is that seed's failure, and the others go on."""
    try:
        return await run_seed(seed, args.kills, args.remedy, home, tell)
    except Exception as error:
        return Result(seed, problems=[f"the run broke: {type(error).__name__}: {error}"])


def _line(result: Result) -> str:
    verdict = "; ".join(result.problems) or "ok"
    return f"seed {result.seed}: {result.kills} kills, {result.events} events, {result.seconds:.0f} s: {verdict}"


def main() -> int:
    """Run, print, and return the exit status."""
    args = arguments()
    logging.disable(logging.ERROR)  # the SDK logs each failed replay; the table says it
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=None)))
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[doing]}"))
    console = Console()
    if not console.is_terminal:
        console.width = 120
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        results = asyncio.run(run_all(args, progress))
    console.print(table(results))
    if args.json:
        args.json.write_text(json.dumps([asdict(result) for result in results], indent=1), encoding="utf-8")
    return int(any(result.problems for result in results))


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # a client of Temporal may crash while the interpreter shuts down (connection.run_and_exit)

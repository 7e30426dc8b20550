"""`make bench`, `make bench BENCH=storm` and so on, and BENCH=all, which writes benchmarks/results.md."""

import asyncio
import sys
from collections.abc import Callable

from rich.console import Console
from temporalio.runtime import Runtime, TelemetryConfig

from benchmarks import counts, first_response, models, queries, replay, startup, storm
from benchmarks.fleet import load
from benchmarks.fleet import rows as fleet
from benchmarks.intake import rows as intake
from benchmarks.results import RESULTS, Row, show, write
from benchmarks.server import NAME
from benchmarks.shipped import LEFT_OUT

MEASURED: dict[str, tuple[str, Callable[[], list[Row]]]] = {
    "response": ("The first response of a P0", lambda: asyncio.run(first_response.rows())),
    "fleet": ("Many incidents on one worker", lambda: asyncio.run(fleet.rows())),
    "intake": ("The intake of alerts", lambda: asyncio.run(intake.rows())),
    "storm": ("A P0 in a storm", lambda: asyncio.run(storm.rows())),
    "counts": ("Events and bytes of whole incidents", lambda: asyncio.run(counts.rows())),
    "startup": ("The command line", startup.rows),
}
"""Those with a floor and a target, in the order of the results: their title, and what measures them."""
OTHERS: dict[str, Callable[[], bool | None]] = {
    "load": lambda: asyncio.run(load.main()),
    "queries": lambda: asyncio.run(queries.main()),
    "replay": lambda: asyncio.run(replay.main()),
    "models": models.main,
}


def main(words: list[str]) -> int:
    """Run the benchmark that is named, `response` if none is; return the exit status."""
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=None)))  # incidents are ended in mid-task
    name = words[0] if words else "response"
    known = (*MEASURED, *OTHERS, "all")
    if len(words) > 1 or name not in known:
        print(f"usage: python -m benchmarks [{'|'.join(known)}]", file=sys.stderr)
        return 2
    if name in OTHERS:
        return 1 if OTHERS[name]() is False else 0
    found = {}
    for title, measure in MEASURED.values() if name == "all" else [MEASURED[name]]:
        found[title] = measure()
        show(title, found[title])
    if name == "all":
        write(found, (f"The server is {NAME}.", *LEFT_OUT))
        Console(stderr=True).print(f"Written: {RESULTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

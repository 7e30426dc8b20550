"""`make bench`, `make bench BENCH=storm` and so on: each prints ratios and counts of one run."""

import asyncio
import sys
from collections.abc import Callable

from benchmarks import first_response, load, models, queries, replay, startup, storm

BENCHMARKS: dict[str, Callable[[], None]] = {
    "response": lambda: asyncio.run(first_response.main()),
    "queries": lambda: asyncio.run(queries.main()),
    "replay": lambda: asyncio.run(replay.main()),
    "load": lambda: asyncio.run(load.main()),
    "storm": lambda: asyncio.run(storm.main()),
    "models": models.main,
    "startup": startup.main,
}


def main(words: list[str]) -> int:
    """Run the benchmark that is named, `response` if none is; return the exit status."""
    name = words[0] if words else "response"
    if len(words) > 1 or name not in BENCHMARKS:
        print(f"usage: python -m benchmarks [{'|'.join(BENCHMARKS)}]", file=sys.stderr)
        return 2
    BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

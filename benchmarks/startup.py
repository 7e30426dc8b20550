"""How long a responder waits for the command line, against what no client of Temporal can do without: its import."""

import os
import statistics
import subprocess
import sys
import time

from benchmarks.results import Row
from sandbox.temporal_server import running_temporal

ROUNDS = 9
FLOOR = ("-c", "import temporalio.client")
CLI = ("-m", "incidents.cli.main")
PROGRAMS = {
    "incident --help": (*CLI, "--help"),
    "incident list": (*CLI, "list"),
    "incident list --json": (*CLI, "list", "--json"),
    "incident ack --help": (*CLI, "ack", "--help"),
}


def seconds(words: tuple[str, ...], environment: dict[str, str]) -> float:
    """Return how long one run of the program takes."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def rows() -> list[Row]:
    """Measure each program's median; they take turns, so that load meets all alike."""
    programs = {"import temporalio.client": FLOOR, **PROGRAMS}
    with running_temporal() as (address, _):
        environment = {**os.environ, "TEMPORAL_ADDRESS": address}
        for words in programs.values():  # compiles what was not compiled yet
            seconds(words, environment)
        rounds = [{name: seconds(words, environment) for name, words in programs.items()} for _ in range(ROUNDS)]
    floor, *ours = (statistics.median(each[name] for each in rounds) * 1000 for name in programs)
    return [Row(name, floor, median, 1.5, "ms") for name, median in zip(PROGRAMS, ours, strict=True)]

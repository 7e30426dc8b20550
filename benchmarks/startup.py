"""How long a responder waits for the command line, against what no client of Temporal can do without: its import."""

import os
import statistics
import subprocess
import sys
import time

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


def main() -> None:
    """Print each program's median and its ratio to the floor; the programs take turns, so that load meets all alike."""
    programs = {"import temporalio.client": FLOOR, **PROGRAMS}
    with running_temporal() as (address, _):
        environment = {**os.environ, "TEMPORAL_ADDRESS": address}
        for words in programs.values():  # compiles what was not compiled yet
            seconds(words, environment)
        rounds = [{name: seconds(words, environment) for name, words in programs.items()} for _ in range(ROUNDS)]
    floor = statistics.median(each["import temporalio.client"] for each in rounds)
    for name in programs:
        median = statistics.median(each[name] for each in rounds)
        print(f"{name:25} {median * 1000:5.0f} ms  {median / floor:4.2f} x")

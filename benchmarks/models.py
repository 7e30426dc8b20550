"""What each run of an incident costs for the schema of its input, with models built before and without.

The SDK makes a converter for each run of a workflow and keeps it with the run. So does this, in a process for each.
"""

import json
import subprocess
import sys
import time
import tracemalloc
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter

from incidents.app.runbook_file import load_runbook
from incidents.app.settings import load_settings
from incidents.contracts import IncidentInput
from incidents.domain.core.base import build_models
from incidents.domain.incident.opening import opening_from

RUNS = 40
"""Runs of incidents that are begun."""


def main() -> None:
    """Measure and print."""
    console = Console()
    console.print(f"Decoding the input of {RUNS} runs, in a process without built models and in one with them ...")
    payload = an_input()
    lazy, built = (_measured(name, payload) for name in ("lazy", "built"))
    table = Table("per run of an incident", "without", "with models built", "ratio")
    for unit in lazy:
        table.add_row(unit, f"{lazy[unit]:.2f}", f"{built[unit]:.2f}", f"{built[unit] / lazy[unit]:.3f}")
    console.print(table)


def an_input() -> bytes:
    """Return what the starter sends for an incident."""
    from tests.support.environment import an_alert

    runbook = load_runbook(load_settings())
    opening = opening_from((an_alert(datetime.now(UTC)),), "bench", runbook)
    payload = PydanticPayloadConverter().to_payload(IncidentInput(opening=opening, runbook=runbook))
    return payload.SerializeToString()


def _measured(name: str, payload: bytes) -> dict[str, float]:
    words = [sys.executable, "-m", "benchmarks.models", name]
    done = subprocess.run(words, input=payload, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(payload: Payload, *, built: bool) -> dict[str, float]:
    """Decode an incident's input as each run does: CPU time, then, apart from it, the memory that is kept."""
    load_runbook(load_settings())
    if built:
        build_models()

    def begin() -> PydanticPayloadConverter:
        converter = PydanticPayloadConverter()
        converter.from_payload(payload, IncidentInput)
        return converter

    begin()
    before = time.process_time()
    kept = [begin() for _ in range(RUNS)]
    cpu = time.process_time() - before
    tracemalloc.start()
    kept += [begin() for _ in range(RUNS)]
    size, _ = tracemalloc.get_traced_memory()
    return {"CPU ms": cpu * 1000 / RUNS, "kB of Python objects kept": size / 1024 / RUNS}


if __name__ == "__main__":
    print(json.dumps(measure(Payload.FromString(sys.stdin.buffer.read()), built=sys.argv[1] == "built")))

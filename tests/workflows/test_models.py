"""Contract models: built by a worker before it polls, and by nobody who only gives commands."""

import subprocess
import sys

from temporalio.contrib.pydantic import PydanticPayloadConverter

from incidents.contracts import RecorderInput
from incidents.domain.core.base import build_models
from tests.support.environment import RUNBOOK

WORKER = """
import asyncio, os, shutil, sys
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from incidents.domain.core.base import Frozen
from incidents.app.composition.workers import make_worker
from tests.support.fake_activities import FakeActivities

def unbuilt(model):
    return ([] if model.__pydantic_complete__ else [model]) + [m for s in model.__subclasses__() for m in unbuilt(s)]

async def main():
    assert len(unbuilt(Frozen)) > 100, "or this test shows nothing"
    path = shutil.which("temporal")
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=path) as env:
        make_worker(env.client, "q", FakeActivities().methods())
    assert unbuilt(Frozen) == []

asyncio.run(main())
sys.stdout.flush()
os._exit(0)  # a client of temporalio 1.35 may crash while the interpreter shuts down
"""
COMMAND_LINE = """
import incidents.cli.main
from incidents.domain.incident.incident import Incident
assert not Incident.__pydantic_complete__
"""


def run(program: str) -> None:
    """Run a program of its own: in this one, other tests have built models already."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr


def test_a_worker_builds_every_model_before_it_polls() -> None:
    run(WORKER)


def test_the_command_line_builds_only_what_it_uses() -> None:
    run(COMMAND_LINE)


def test_a_fresh_converter_uses_what_is_built() -> None:
    """The SDK makes one for each run of a workflow."""
    build_models()
    value = RecorderInput(regions=RUNBOOK.regions, rules=RUNBOOK.rollback.recorder)
    before = RecorderInput.__pydantic_core_schema__
    converter = PydanticPayloadConverter()
    [payload] = converter.to_payloads([value])
    assert converter.from_payloads([payload], [RecorderInput]) == [value]
    [json_converter] = [c for c in converter.converters.values() if hasattr(c, "_type_adapter")]
    assert json_converter._type_adapter(RecorderInput).core_schema is before

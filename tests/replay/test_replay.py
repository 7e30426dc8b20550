"""78: incidents that are open survive a change of the code: recorded histories replay with it."""

import gzip
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import NondeterminismError

from workflows.registry import WORKFLOWS

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*/*.json.gz"))


def replayer() -> Replayer:
    """Replays with the workflows' own modules inside the sandbox, unlike the worker: a clock or a die would show."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(
        "incidents", "activities", "dateutil", "icalendar", "pygal"
    )
    runner = SandboxedWorkflowRunner(restrictions=restrictions)
    return Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter, workflow_runner=runner)


def read(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()


def test_there_are_histories_of_every_kind() -> None:
    kinds = {path.name.split(".")[1] for path in HISTORIES}
    assert kinds == {"incident", "postmortem", "rollback"}


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.name)
async def test_a_recorded_history_replays(path: Path) -> None:
    await replayer().replay_workflow(WorkflowHistory.from_json(path.name, read(path)))


async def test_a_history_that_does_not_fit_is_noticed() -> None:
    [path] = [path for path in HISTORIES if path.name.startswith("severities")]
    other = read(path).replace('"publish_status"', '"publish_nothing"')
    with pytest.raises(NondeterminismError):
        await replayer().replay_workflow(WorkflowHistory.from_json(path.name, other))

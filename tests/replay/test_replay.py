"""78: incidents that are open survive a change of the code: recorded histories replay with it."""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    assert kinds == {"incident", "maintenance", "postmortem", "rollback"}


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.name)
async def test_a_recorded_history_replays(path: Path) -> None:
    await replayer().replay_workflow(WorkflowHistory.from_json(path.name, read(path)))


INPUTS = {
    "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
    "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
    "EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED",
}


@pytest.mark.parametrize("path", [path for path in HISTORIES if ".incident." in path.name], ids=lambda path: path.name)
def test_the_runbook_is_only_in_the_inputs_of_workflows(path: Path) -> None:
    """Not in the requests of activities, of which there are hundreds. A post-mortem's draft is made from it."""
    events = json.loads(read(path))["events"]
    carry = [event["eventType"] for event in events if any(RUNBOOK in data for data in payloads(event))]
    assert carry
    assert set(carry) <= INPUTS
    assert len(carry) == len(set(carry)), "once in each"


RUNBOOK = b'"severities":{'


def payloads(value: Any) -> Iterator[bytes]:
    """The data of every payload in an event."""
    if isinstance(value, dict):
        if isinstance(data := value.get("data"), str):
            yield base64.b64decode(data)
        for inner in value.values():
            yield from payloads(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from payloads(inner)


async def test_a_history_that_does_not_fit_is_noticed() -> None:
    [path] = [path for path in HISTORIES if path.name.startswith("severities")]
    other = read(path).replace('"publish_status"', '"publish_nothing"')
    with pytest.raises(NondeterminismError):
        await replayer().replay_workflow(WorkflowHistory.from_json(path.name, other))

"""Every history of a run, fetched and replayed: each run of the incident, and each workflow that it started."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from workflows.registry import WORKFLOWS

LONGEST_HISTORY = 1000
"""Events of one run. Replaying more takes seconds on a busy worker, and a workflow task has ten."""

HARMLESS = frozenset(
    {
        # A message arrived while the worker ended the run or continued it as new: the task is done again with it.
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_STICKY_TASK_QUEUE,
    }
)
"""Causes of a failed workflow task that are part of normal operation."""
DEADLOCK = "[TMPRL1101]"
"""How the SDK says that workflow code took over two seconds. It counts the time of a pause of its process too, so
it proves nothing about a task that a SIGSTOP met: the next attempt does it."""


CLOSED = frozenset({"completed", "failed", "timed_out", "canceled", "terminated", "continued_as_new"})
"""How a run ends, in the names of events."""


@dataclass(frozen=True, order=True)
class Run:
    """One run of one workflow."""

    workflow_id: str
    run_id: str


@dataclass
class Audit:
    """The histories so far. By run, `events` counts all and `failed` the failed tasks.

    `pauses`: workers have been paused, so that a task may have met that.
    """

    client: Client
    first: Run
    pauses: bool = False
    events: dict[Run, int] = field(default_factory=dict)
    failed: dict[Run, int] = field(default_factory=dict)
    replays: int = 0
    problems: list[str] = field(default_factory=list)
    _open: list[Run] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._open = [self.first]

    async def review(self, save_to: Path) -> bool:
        """Fetch and replay every run that was still open at the last review, and those that came of it.

        A history that does not pass is written into `save_to`. Tell whether all is well.
        """
        waiting, self._open = self._open, []
        while waiting:
            run = waiting.pop(0)
            history = await self._fetch(run)
            found = await self._examine(run, history)
            if found:
                name = f"{run.workflow_id}.{run.run_id}.json".replace(":", "-")
                (save_to / name).write_text(history.to_json(), encoding="utf-8")
                self.problems += found
            if not _ended(history):
                self._open.append(run)
            known = {*self.events, *waiting, *self._open}
            waiting += [next_run for next_run in dict.fromkeys(descendants(run, history)) if next_run not in known]
        return not self.problems

    async def _fetch(self, run: Run) -> WorkflowHistory:
        for _ in range(10):
            try:
                return await self.client.get_workflow_handle(run.workflow_id, run_id=run.run_id).fetch_history()
            except RPCError:
                await asyncio.sleep(0.5)
        raise RuntimeError(f"the history of {run.workflow_id} cannot be fetched")

    async def _examine(self, run: Run, history: WorkflowHistory) -> list[str]:
        self.events[run] = len(history.events)
        name = f"{run.workflow_id} (run {run.run_id[:8]}, {len(history.events)} events)"
        failed = list(failed_tasks(history, pauses=self.pauses))
        self.failed[run] = len(failed)
        problems = [f"{name}: {text}" for text in failed]
        if len(history.events) > LONGEST_HISTORY:
            problems.append(f"{name}: longer than {LONGEST_HISTORY} events")
        self.replays += 1
        if why := await replay_failure(history):
            problems.append(f"{name}: {why}")
        return problems

    async def holder(self) -> int | None:
        """Return the process id of the worker that took the incident's last workflow task; None if none did yet."""
        request = GetWorkflowExecutionHistoryReverseRequest(namespace=self.client.namespace, maximum_page_size=50)
        request.execution.workflow_id = self.first.workflow_id
        try:
            answer = await self.client.workflow_service.get_workflow_execution_history_reverse(request)
        except RPCError:
            return None
        for event in answer.history.events:
            if event.HasField("workflow_task_started_event_attributes"):
                return int(event.workflow_task_started_event_attributes.identity.partition("@")[0])
        return None


def _ended(history: WorkflowHistory) -> bool:
    last = history.events[-1].WhichOneof("attributes") or ""
    return last.removeprefix("workflow_execution_").removesuffix("_event_attributes") in CLOSED


def descendants(run: Run, history: WorkflowHistory) -> Iterator[Run]:
    """Yield the next run, if it continued as new, and the first run of every child."""
    for event in history.events:
        if event.HasField("workflow_execution_continued_as_new_event_attributes"):
            continued = event.workflow_execution_continued_as_new_event_attributes
            yield Run(run.workflow_id, continued.new_execution_run_id)
        if event.HasField("child_workflow_execution_started_event_attributes"):
            child = event.child_workflow_execution_started_event_attributes.workflow_execution
            yield Run(child.workflow_id, child.run_id)


def failed_tasks(history: WorkflowHistory, *, pauses: bool = False) -> Iterator[str]:
    """Yield every failed workflow task that is a fault, with its cause."""
    for event in history.events:
        if event.HasField("workflow_task_failed_event_attributes") and not _is_harmless(event, pauses):
            failed = event.workflow_task_failed_event_attributes
            cause = WorkflowTaskFailedCause.Name(failed.cause).removeprefix("WORKFLOW_TASK_FAILED_CAUSE_")
            yield f"failed task at event {event.event_id}: {cause}: {failed.failure.message}"[:300]


def _is_harmless(event: HistoryEvent, pauses: bool) -> bool:
    failed = event.workflow_task_failed_event_attributes
    return failed.cause in HARMLESS or (pauses and failed.failure.message.startswith(DEADLOCK))


async def replay_failure(history: WorkflowHistory) -> str:
    """Replay a history with the code that is here; return why that failed, or ""."""
    # Unsandboxed, for speed: tests/replay replays in the sandbox.
    replayer = Replayer(
        workflows=WORKFLOWS, data_converter=pydantic_data_converter, workflow_runner=UnsandboxedWorkflowRunner()
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    return f"replay: {_in_short(str(result.replay_failure))}" if result.replay_failure is not None else ""


def _in_short(failure: str) -> str:
    """Return the message that core has wrapped into its own structures; else the beginning of what it says."""
    message = re.search(r'message: "([^"]+)"', failure)
    return (message[1] if message else failure)[:300]

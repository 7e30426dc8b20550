"""Reset a stuck workflow to the last workflow task that this code can replay.

Imports every workflow, which is slow, so only `incident reset` imports this module.
"""

import contextlib
import functools
import logging
import uuid
from collections.abc import Iterator

from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.enums.v1 import EventType, ResetReapplyType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.worker import Replayer, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import _Definition as Definition

from incidents.app.encryption.payloads import payloads_in
from incidents.client.asking import TIMEOUT
from workflows.registry import WORKFLOWS, sandbox_runner

_TASK_ENDS = (
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
)
"""Events that a run can be reset to. It continues from the start of that task, and the task runs again."""


async def last_good_task(history: WorkflowHistory, converter: DataConverter) -> HistoryEvent | None:
    """Return the last workflow task up to which the history replays with this code; None if there is none.

    A history that fails to replay up to one event fails for every later event, so the event is found by bisection.
    `converter`: reads the history's payloads.

    Raises:
        Undecryptable: it cannot, for which no code is at fault.
    """
    if converter.payload_codec is not None:
        await converter.payload_codec.decode([payload for event in history.events for payload in payloads_in(event)])
    ends = [place for place, event in enumerate(history.events) if event.event_type in _TASK_ENDS]
    good, bad = -1, len(ends)
    while good + 1 < bad:
        # The last one first: once the fix is deployed, nothing that was done needs doing again.
        middle = bad - 1 if bad == len(ends) else (good + bad) // 2
        if await replays(WorkflowHistory(history.workflow_id, history.events[: ends[middle]]), converter):
            good = middle
        else:
            bad = middle
    return history.events[ends[good]] if good >= 0 else None


async def replays(history: WorkflowHistory, converter: DataConverter) -> bool:
    """Tell whether the workflows of this code replay that history to its end."""
    runner = _RecordingRunner(sandbox_runner())
    replayer = Replayer(
        workflows=WORKFLOWS,
        data_converter=converter,
        workflow_runner=runner,
        runtime=_quiet_runtime(),
    )
    with _silenced(logging.getLogger("temporalio")):
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    return result.replay_failure is None and not runner.failed


async def reset(client: Client, workflow_id: str, run_id: str, to: HistoryEvent, reason: str) -> str:
    """Reset a run to the start of that task, reapplying later signals and updates; return the new run's id."""
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=Execution(workflow_id=workflow_id, run_id=run_id),
        reason=reason,
        workflow_task_finish_event_id=to.event_id,
        request_id=f"{uuid.uuid4()}",
        reset_reapply_type=ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
    )
    return (await client.workflow_service.reset_workflow_execution(request, timeout=TIMEOUT)).run_id


class _RecordingRunner(WorkflowRunner):
    """Records whether a workflow task failed: the replayer reports only nondeterminism, not other exceptions."""

    def __init__(self, inner: WorkflowRunner) -> None:
        self._inner = inner
        self.failed = False

    def prepare_workflow(self, defn: Definition) -> None:
        self._inner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        instance = self._inner.create_instance(det)
        activate = instance.activate

        def recorded(act: WorkflowActivation) -> WorkflowActivationCompletion:
            completion = activate(act)
            self.failed = self.failed or completion.HasField("failed")
            return completion

        instance.activate = recorded  # type: ignore[method-assign]  # less of the SDK's inside than a class around it
        return instance


@functools.cache
def _quiet_runtime() -> Runtime:
    """Return a runtime without logs: failing tasks are expected here, and their warnings would mix with our output."""
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=TelemetryFilter("OFF", "OFF"))))


@contextlib.contextmanager
def _silenced(logger: logging.Logger) -> Iterator[None]:
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)

"""Keep a workflow run that has answered a query from ever taking a workflow task.

Temporal's SDK core can apply events to a cached run that the server has not yet handed out in a workflow task, if a
query brings them: it answers the query from that state and keeps it. The next workflow task then records commands that
no replay can produce (TMPRL1100), and the workflow is stuck forever. Looking at an incident in the Web UI is
enough. docs/upstream/queries-run-ahead.md has the mechanism and a program that shows it.

The remedy is chosen here, once. `evict` (the default) has core forget the run before the query is answered: the next
workflow task replays it from its history. It was chosen over the cache switched off by measurement: both kept every
history replayable, but without a cache every workflow task replays, not only those after a query (`make bench
BENCH=queries` prints the cost of both). Two narrower guards, failing the next task or the query, did not hold.
"""

import logging
import re
from collections.abc import Callable
from enum import StrEnum
from inspect import isfunction

import temporalio.bridge.worker
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import (
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerConfig,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info
from typing_extensions import Unpack

from incidents.app.liveness.eviction import EvictableInstance, EvictableRunner

_log = logging.getLogger(__name__)

_ATTACHED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The id of a query that came with a workflow task is the server's UUID. A query that came alone has a name of core's
instead, and whatever is not surely attached counts as alone."""


class QuerySafety(StrEnum):
    """What keeps queries from running ahead of history. `NONE` is for showing the fault."""

    EVICT = "evict"
    NO_CACHE = "no-cache"
    NONE = "none"


def missing_private_name() -> str:
    """Return the private name that `evict` needs and this version of temporalio lacks, or ""."""
    if not callable(getattr(temporalio.bridge.worker.Worker, "request_workflow_eviction", None)):
        return "temporalio.bridge.worker.Worker.request_workflow_eviction"
    methods = [method for method in vars(Worker).values() if isfunction(method)]
    if not any("_bridge_worker" in method.__code__.co_names for method in methods):
        return "temporalio.worker.Worker._bridge_worker"
    return ""


def available(wanted: QuerySafety) -> tuple[QuerySafety, str]:
    """Return the remedy to use, and one line to log if it is not the wanted one, or none at all."""
    if wanted is QuerySafety.NONE:
        return wanted, "WORKER_QUERY_SAFETY=none: a query can leave an incident stuck forever. For tests only."
    if wanted is QuerySafety.EVICT and (name := missing_private_name()):
        return QuerySafety.NO_CACHE, (
            f"This temporalio has no {name}: the workflow cache is off instead, so that queries stay harmless."
            " Workflows cost more CPU; nothing else changes."
        )
    return wanted, ""


def guarded_worker(safety: QuerySafety, **config: Unpack[WorkerConfig]) -> Worker:
    """Return a worker of that configuration whose queries cannot run ahead of history, and which can forget any run."""
    remedy, notice = available(safety)
    if notice:
        _log.warning(notice)
    if remedy is QuerySafety.NO_CACHE:
        config["max_cached_workflows"] = 0
    kind = EvictingRunner if remedy is QuerySafety.EVICT else EvictableRunner
    runners = [
        kind(config.get("workflow_runner") or SandboxedWorkflowRunner()),
        kind(config.get("unsandboxed_workflow_runner") or UnsandboxedWorkflowRunner()),
    ]
    config["workflow_runner"], config["unsandboxed_workflow_runner"] = runners
    worker = Worker(**config)
    for runner in runners:
        if isinstance(runner, EvictingRunner):
            runner.bind(worker)
    return worker


class EvictingRunner(EvictableRunner):
    """A workflow runner that has each run evicted from core's cache when it has answered a query that came alone."""

    def __init__(self, inner: WorkflowRunner, when: Callable[[WorkflowActivation], bool] | None = None) -> None:
        """Run workflows by `inner`. `when`: after which activations to evict, instead of after such queries."""
        super().__init__(inner)
        self._when = when or came_alone
        self._worker: Worker | None = None

    def bind(self, worker: Worker) -> None:
        """Name the worker whose cache it is; to be called before the worker runs."""
        self._worker = worker

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return the inner runner's instance, watched for queries."""
        return _Watched(self._inner.create_instance(det), det.info, self)

    def activated(self, act: WorkflowActivation) -> None:
        """Have core forget the run, once this activation is completed, if it must not be continued.

        Raises:
            RuntimeError: no worker is bound. The activation then fails, and core evicts the run for that reason.
        """
        if not self._when(act):
            return
        if self._worker is None:
            raise RuntimeError("EvictingRunner.bind was not called")
        self._worker._bridge_worker.request_workflow_eviction(act.run_id)


class _Watched(EvictableInstance):
    """A workflow instance that asks for its eviction before it returns the answer to a query that came alone."""

    def __init__(self, inner: WorkflowInstance, info: Info, runner: EvictingRunner) -> None:
        super().__init__(inner, info)
        self._runner = runner

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = super().activate(act)
        self._runner.activated(act)
        return completion


def came_alone(act: WorkflowActivation) -> bool:
    """Tell whether an activation answers a query that no workflow task brought."""
    ids = [job.query_workflow.query_id for job in act.jobs if job.HasField("query_workflow")]
    return any(not _ATTACHED.fullmatch(query_id) for query_id in ids)

"""The workers of a process: for incidents and for drills, each with others for channel setup."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import (
    FixedSizeSlotSupplier,
    Interceptor,
    PollerBehaviorSimpleMaximum,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerDeploymentConfig,
    WorkerTuner,
)

from activities.registry import ActivitySet
from incidents.app.composition.drill_activities import build_drill_activities
from incidents.app.liveness.attempts import AttemptDeadlines
from incidents.app.liveness.pinning import PinningRunner
from incidents.app.liveness.query_safety import QuerySafety, guarded_worker
from incidents.app.liveness.worker_cache import cached_workflows, memory_limit
from incidents.app.pace.setup_slots import SETUP_THREADS, setup_slots
from incidents.app.settings import Settings
from incidents.app.telemetry.log_context import LogContext
from incidents.contracts import drill_queue, former_setup_queue, setup_queue
from incidents.domain.build_request import SETUP
from incidents.domain.config.communication import Chat
from incidents.domain.config.loading import RunbookFile
from incidents.domain.core.base import build_models
from workflows.registry import WORKFLOWS, sandbox_runner
from workflows.signals import SignalGuard

THREADS = 40
"""Concurrent activities. They wait for vendors, so there may be many more than cores."""
WORKFLOW_TASKS = 16
"""Concurrent workflow tasks. Python runs one at a time, and the others hide the round trip to Temporal. All further
ones wait in Temporal's queue, where those of a P0 go first. Here they could wait until they time out, after ten
seconds (docs/temporal-notes.md#slots)."""
GRACE = timedelta(seconds=10)
"""How long running activities may continue after SIGTERM. Unfinished ones are retried by another worker."""
_SETUP_POLLERS = 2
"""Of each kind of call. They ask for ten tasks one after the other in a tenth of a second."""
CACHED = 1_000
"""Workflows that a worker keeps in memory unless it is told how many."""
DRILLS_CACHED = 100
"""Drills that a worker keeps in memory at most: they are few, and their memory is not the incidents'."""
STICKY = timedelta(seconds=1)
"""How long a killed worker's workflows wait for it before another one takes them."""


def make_worker(
    client: Client,
    task_queue: str,
    activities: list[Callable[..., Any]],
    workflows: Sequence[type[Any]] = WORKFLOWS,
    interceptors: Sequence[Interceptor] = (),
    query_safety: QuerySafety = QuerySafety.EVICT,
    deployment: WorkerDeploymentConfig | None = None,
    *,
    sandboxed: bool = True,
    cached: int = CACHED,
) -> Worker:
    """Return a worker for the incidents' task queue.

    `interceptors`: such as for tracing, or a test's clock. `deployment`: its version, as `deployment_of` returns it;
    None for a worker without versions. `sandboxed`: workflows run in the SDK's sandbox, which finds what is not
    deterministic, and takes half of the CPU. `cached`: workflows kept in memory.
    """
    build_models()
    runner = sandbox_runner() if sandboxed else UnsandboxedWorkflowRunner()
    return guarded_worker(
        query_safety,
        client=client,
        task_queue=task_queue,
        workflows=workflows,
        activities=activities,
        interceptors=[SignalGuard(), LogContext(), AttemptDeadlines(), *interceptors],
        activity_executor=ThreadPoolExecutor(THREADS, thread_name_prefix="activity"),
        max_concurrent_activities=THREADS,
        workflow_runner=PinningRunner(runner) if deployment else runner,
        max_cached_workflows=cached,
        max_concurrent_workflow_tasks=WORKFLOW_TASKS,
        graceful_shutdown_timeout=GRACE,
        sticky_queue_schedule_to_start_timeout=STICKY,
        deployment_config=deployment,
    )


def make_setup_workers(
    client: Client,
    task_queue: str,
    activities: list[Callable[..., Any]],
    chat: Chat,
    interceptors: Sequence[Interceptor] = (),
    deployment: WorkerDeploymentConfig | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> list[Worker]:
    """Return the workers for channel setup, one for each kind of call, which hold the pace of `chat` by that clock.

    The last one is for what waits in the queue that all kinds had before.

    Only these calls go this way: a queue of its own costs the eager start, and the first page must not wait
    (docs/temporal-notes.md#pace).
    """
    by_name, nothing = {method.__name__: method for method in activities}, FixedSizeSlotSupplier(1)
    setting_up = [by_name[call.activity] for call in SETUP.values()]
    intercepted = [LogContext(), AttemptDeadlines(), *interceptors]
    paced = [
        Worker(
            client,
            task_queue=(queue := setup_queue(task_queue, call)),
            activities=[by_name[call.activity]],
            interceptors=intercepted,
            activity_executor=ThreadPoolExecutor(SETUP_THREADS, thread_name_prefix=call.activity),
            activity_task_poller_behavior=PollerBehaviorSimpleMaximum(_SETUP_POLLERS),
            tuner=WorkerTuner.create_composite(
                workflow_supplier=nothing,
                activity_supplier=setup_slots(client, queue, chat, call.calls, clock),
                local_activity_supplier=nothing,
                nexus_supplier=nothing,
            ),
            graceful_shutdown_timeout=GRACE,
            deployment_config=deployment,
        )
        for call in SETUP.values()
    ]
    return [*paced, _former_setup_worker(client, task_queue, setting_up, chat, intercepted, deployment)]


def _former_setup_worker(
    client: Client,
    task_queue: str,
    setting_up: list[Callable[..., Any]],
    chat: Chat,
    interceptors: Sequence[Interceptor],
    deployment: WorkerDeploymentConfig | None,
) -> Worker:
    """Return the worker for what waits in the one queue that all kinds of channel setup had before.

    Nothing is ordered there any more. Without it, an incident that ordered its channel before an upgrade, and had not
    got it yet, would wait for it in vain.
    """
    return Worker(
        client,
        task_queue=former_setup_queue(task_queue),
        activities=setting_up,
        interceptors=interceptors,
        activity_executor=ThreadPoolExecutor(1, thread_name_prefix="former-setup"),
        max_concurrent_activities=1,
        max_task_queue_activities_per_second=chat.setup_per_minute / 60 or None,
        graceful_shutdown_timeout=GRACE,
        deployment_config=deployment,
    )


def deployment_of(settings: Settings) -> WorkerDeploymentConfig | None:
    """Return the worker's version, if the settings name one: then Temporal gives it only work of that version.

    An incident and its rollbacks stay on the version on which they began (`liveness/pinning.py`); all else moves to the
    current version with its next task.
    """
    if not settings.worker_build_id:
        return None
    version = WorkerDeploymentVersion(settings.worker_deployment_name, settings.worker_build_id)
    return WorkerDeploymentConfig(
        version=version, use_worker_versioning=True, default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE
    )


def build_workers(
    settings: Settings, client: Client, file: RunbookFile, activities: ActivitySet, interceptors: Sequence[Interceptor]
) -> list[Worker]:
    """Return the workers for incidents and for drills, each with those for its channel setup, in starting order.

    Always both: an incident keeps the runbook it was opened with, and so the queue that it uses.
    """
    queue, safety = settings.temporal_task_queue, QuerySafety(settings.worker_query_safety)
    runbook, version = file.runbook, deployment_of(settings)
    drill_activities = build_drill_activities(settings, client, runbook, file.customers)
    workers: list[Worker] = []
    kept = settings.worker_cached_workflows or cached_workflows(memory_limit())
    for name, methods, cached in (
        (queue, activities.methods(), kept),
        (drill_queue(queue), drill_activities.methods(), min(kept, DRILLS_CACHED)),
    ):
        common: dict[str, Any] = {"interceptors": interceptors, "deployment": version}
        own: dict[str, Any] = {"query_safety": safety, "sandboxed": settings.worker_sandbox, "cached": cached}
        workers.append(make_worker(client, name, methods, **own, **common))
        workers += make_setup_workers(client, name, methods, runbook.chat, **common)
    return workers

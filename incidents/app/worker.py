"""The worker: runs workflows and activities until SIGTERM or SIGINT, then shuts down gracefully."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
)
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Interceptor, UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from activities.processes import RECORDER
from activities.registry import ActivitySet
from incidents.app.composition.activities import build_activities
from incidents.app.composition.drill_activities import build_drill_activities
from incidents.app.composition.site_refresh import refreshing_site
from incidents.app.connection import connect, run_and_exit
from incidents.app.liveness.alive_file import alive_file
from incidents.app.liveness.attempts import AttemptDeadlines
from incidents.app.liveness.pinning import PinningRunner
from incidents.app.liveness.query_safety import QuerySafety, guarded_worker
from incidents.app.liveness.standstill_watch import watched
from incidents.app.liveness.worker_cache import FEWEST, cached_workflows, memory_limit
from incidents.app.outage.watch import watching_outages
from incidents.app.pager_check import missing_pager_warning
from incidents.app.runbook_file import load_runbook_file, runbook_source
from incidents.app.settings import Settings, load_settings, read_variable
from incidents.app.telemetry.exposition import Exposition
from incidents.app.telemetry.fleet import Fleet, always
from incidents.app.telemetry.listener import bind, serving_metrics
from incidents.app.telemetry.log_context import LogContext
from incidents.app.telemetry.logs import configure_logs
from incidents.app.telemetry.notices import Notices
from incidents.app.telemetry.sdk_metrics import measured_runtime
from incidents.app.telemetry.tracing import build_tracing
from incidents.client.heartbeats import ensure_heartbeats
from incidents.contracts import RecorderInput, drill_queue, setup_queue
from incidents.domain.build_request import SETUP
from incidents.domain.config.loading import RunbookFile
from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.probes import Probe, describe_unset
from incidents.domain.core.base import build_models
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.people.directory import PeopleDirectory
from incidents.priority import LAST_RANK, priority_of
from incidents.search_attributes import SEARCH_ATTRIBUTES
from incidents.vendors.errors import VendorRejected
from workflows.activity_options import ACTIVITIES
from workflows.baseline_recorder import RecorderWorkflow
from workflows.registry import WORKFLOWS, sandbox_runner
from workflows.signals import SignalGuard

THREADS = 40
"""Concurrent activities. They wait for vendors, so there may be many more than cores."""
GRACE = timedelta(seconds=10)
"""How long running activities may continue after SIGTERM. Unfinished ones are retried by another worker."""
_SETUP_THREADS = 4
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
    cached: int = FEWEST,
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
        graceful_shutdown_timeout=GRACE,
        sticky_queue_schedule_to_start_timeout=STICKY,
        deployment_config=deployment,
    )


def make_setup_worker(
    client: Client,
    task_queue: str,
    activities: list[Callable[..., Any]],
    per_minute: int,
    interceptors: Sequence[Interceptor] = (),
    deployment: WorkerDeploymentConfig | None = None,
) -> Worker:
    """Return the worker for channel setup, limited to `per_minute` calls (0: no limit).

    Temporal enforces the rate across all workers. Only these calls go this way: a queue of its own costs the eager
    start, and the first page must not wait (docs/temporal-notes.md#pace).
    """
    names = {ACTIVITIES[kind].__name__ for kind in SETUP}
    return Worker(
        client,
        task_queue=setup_queue(task_queue),
        activities=[method for method in activities if method.__name__ in names],
        interceptors=[LogContext(), AttemptDeadlines(), *interceptors],
        activity_executor=ThreadPoolExecutor(_SETUP_THREADS, thread_name_prefix="setup"),
        max_concurrent_activities=_SETUP_THREADS,
        max_task_queue_activities_per_second=per_minute / 60 or None,
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


async def ensure_search_attributes(client: Client) -> None:
    """Register the search attributes that the namespace lacks.

    Raises:
        RPCError: the server rejected it, such as for missing permission.
    """
    service, namespace = client.operator_service, client.namespace
    known = await service.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
    missing: dict[str, IndexedValueType.ValueType] = {
        key.name: IndexedValueType.ValueType(key.indexed_value_type)
        for key in SEARCH_ATTRIBUTES
        if key.name not in known.custom_attributes
    }
    if not missing:
        return
    try:
        request = AddSearchAttributesRequest(namespace=namespace, search_attributes=missing)
        await service.add_search_attributes(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:  # another worker was faster
            raise


async def ensure_recorder(client: Client, settings: Settings, runbook: RunbookConfig) -> str:
    """Create or update the schedule of the latency baseline recorder; return a line for the log."""
    off = _lacking(*runbook.probes) if runbook.regions else "runbook.yaml has no regions"
    if off:
        return f"Latency baseline recorder off ({off}): rollbacks may end inconclusive"
    rules = runbook.rollback.recorder
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            RecorderWorkflow.run,
            RecorderInput(regions=runbook.regions, rules=rules, probes=runbook.probes),
            id=RECORDER,
            task_queue=settings.temporal_task_queue,
            static_summary="Latency baseline recorder",
            priority=priority_of(LAST_RANK),
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=rules.every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=rules.every),
    )
    try:
        await client.create_schedule(RECORDER, schedule, trigger_immediately=True)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(RECORDER).update(lambda _: ScheduleUpdate(schedule=schedule))
    return f"Latency baseline recorder on: every {in_words(rules.every)}, {rules.probes} probes per region"


async def serve(interceptors: Sequence[Interceptor] = ()) -> int:
    """Run until SIGTERM or SIGINT; return the exit status. `interceptors`: further ones, such as a test's."""
    settings = load_settings()
    configure_logs(settings.log_format)
    source, file = runbook_source(settings), load_runbook_file(settings)
    runbook = file.runbook
    listening = bind(settings.metrics_address) if settings.metrics_address else None
    stop = _stop_on_signals()
    measured = measured_runtime() if listening else None
    tracing = build_tracing(settings, "incident-worker")
    runtime = measured.runtime if measured else None
    client = await connect(settings, measured=runtime, interceptors=tracing.interceptors)
    await ensure_search_attributes(client)
    activities = build_activities(settings, client, runbook, PeopleDirectory(runbook.people.directory), file.customers)
    workers = _build_workers(settings, client, file, activities, interceptors)
    queue, notices = settings.temporal_task_queue, Notices("worker", settings.log_format)
    _show_integrations(settings, runbook, notices)
    notices.say(missing_pager_warning(settings, runbook), logging.ERROR)
    notices.say(f"Runbook: {source}")
    notices.say(await ensure_recorder(client, settings, runbook))
    notices.say(await ensure_heartbeats(client, runbook, queue))
    async with AsyncExitStack() as stack:
        stack.callback(tracing.flush)
        for worker in workers:
            await stack.enter_async_context(worker)
        watch = await stack.enter_async_context(watched(client, runbook, queue))
        await stack.enter_async_context(alive_file(settings.worker_alive_file))
        await stack.enter_async_context(watching_outages(client, settings, runbook, in_gateway=False))
        await stack.enter_async_context(refreshing_site(client, activities.status_page.page))
        if listening and measured:
            sources = (Fleet(always(client), tuple(runbook.severities), queue), watch)
            exposition = Exposition(settings, runbook, *sources, sdk_url=measured.url)
            await stack.enter_async_context(serving_metrics(listening, exposition))
            notices.say(f"Metrics: http://{settings.metrics_address}/metrics")
        where = f"{settings.temporal_address}, namespace {settings.temporal_namespace}"
        notices.say(f"Worker {os.getpid()} ready on task queue {queue} at {where}")
        await stop.wait()
        notices.say("Shutting down: finishing running tasks")
    return 0


def _stop_on_signals() -> asyncio.Event:
    """Return the event that SIGTERM or SIGINT sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _build_workers(
    settings: Settings, client: Client, file: RunbookFile, activities: ActivitySet, interceptors: Sequence[Interceptor]
) -> list[Worker]:
    """Return the workers for incidents and for drills, each with its own for channel setup, in starting order.

    Always both: an incident keeps the runbook it was opened with, and so the queue that it uses.
    """
    queue, safety = settings.temporal_task_queue, QuerySafety(settings.worker_query_safety)
    runbook, version = file.runbook, deployment_of(settings)
    drill_activities = build_drill_activities(settings, client, runbook, file.customers)
    workers: list[Worker] = []
    kept = settings.worker_cached_workflows or cached_workflows(memory_limit())
    for name, methods, cached in (
        (queue, activities.methods(), kept),
        (drill_queue(queue), drill_activities.methods(), min(kept, FEWEST)),
    ):
        common: dict[str, Any] = {"interceptors": interceptors, "deployment": version}
        own: dict[str, Any] = {"query_safety": safety, "sandboxed": settings.worker_sandbox, "cached": cached}
        workers.append(make_worker(client, name, methods, **own, **common))
        workers.append(make_setup_worker(client, name, methods, runbook.chat.setup_per_minute, **common))
    return workers


def _show_integrations(settings: Settings, runbook: RunbookConfig, notices: Notices) -> None:
    """Show which integrations are on: as a table, or as one log entry for each."""
    if not notices.as_entries:
        Console(stderr=True).print(build_integrations_table(settings, runbook))
        return
    for found in settings.integrations():
        level = logging.ERROR if found.half_set else logging.INFO
        notices.say(f"Integration {found.name} {'on' if found.on else 'off'}: {found.reason}", level)


def build_integrations_table(settings: Settings, runbook: RunbookConfig) -> Table:
    """Return the table of integrations and probes, on or off with the reason, that the worker prints at startup."""
    table = Table("integration", "", "because", title="Integrations", title_justify="left")
    for found in settings.integrations():
        style = "green" if found.on else "red" if found.half_set else "dim"
        table.add_row(found.name, "on" if found.on else "off", found.reason, style=style)
    for probe in runbook.probes:
        lacking, names = _lacking(probe), " and ".join(probe.variables)
        reason = lacking or (f"{names} set" if names else "needs no credentials")
        table.add_row(f"{probe.name} probe", "off" if lacking else "on", reason, style="dim" if lacking else "green")
    return table


def _lacking(*probes: Probe) -> str:
    """Say which environment variables the probes name that are not set; "" if there are none."""
    return describe_unset(name for probe in probes for name in probe.variables if not read_variable(name))


def main() -> None:
    """Entry point of `python worker.py`."""
    run_and_exit(serve(), problems=(VendorRejected,))  # such as a store whose package is not installed


if __name__ == "__main__":
    main()

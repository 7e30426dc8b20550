"""The worker: runs workflows and activities until SIGTERM or SIGINT, then shuts down gracefully."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from rich.console import Console
from rich.table import Table
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Interceptor, Worker

from activities import ports
from incidents.app.composition.activities import build_activities
from incidents.app.composition.schedules import ensure_quarterly_drill, ensure_recorder, lacking
from incidents.app.composition.site_refresh import refreshing_site
from incidents.app.composition.workers import build_workers
from incidents.app.connection import connect, run_and_exit
from incidents.app.liveness.alive_file import alive_file
from incidents.app.liveness.poll_watch import watching_polls
from incidents.app.liveness.standstill_watch import StandstillWatch, watched
from incidents.app.outage.watch import watching_outages
from incidents.app.pager_check import missing_pager_warning
from incidents.app.runbook_file import RunbookSource, load_runbook_file, runbook_source
from incidents.app.settings import Settings, load_settings
from incidents.app.telemetry.exposition import Exposition
from incidents.app.telemetry.fleet import Fleet, always
from incidents.app.telemetry.listener import bind, serving_metrics
from incidents.app.telemetry.logs import configure_logs
from incidents.app.telemetry.notices import Notices
from incidents.app.telemetry.sdk_metrics import measured_runtime
from incidents.app.telemetry.tracing import build_tracing
from incidents.client.heartbeats import ensure_heartbeats
from incidents.client.problems import ConnectionProblem
from incidents.contracts import drill_queue
from incidents.domain.config.loading import RunbookFile
from incidents.domain.config.model import RunbookConfig
from incidents.domain.foresight.scenario import ScenarioError
from incidents.domain.people.directory import PeopleDirectory
from incidents.search_attributes import SEARCH_ATTRIBUTES
from incidents.vendors.errors import VendorRejected


async def ensure_search_attributes(client: Client) -> None:
    """Register the search attributes that the namespace lacks.

    Raises:
        ConnectionProblem: this process may not register them.
        RPCError: the server rejected it for another reason.
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
        if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED):
            raise ConnectionProblem(
                f"The namespace {namespace} lacks the search attributes {', '.join(missing)}, and this worker may not"
                " register them. Nothing was started. Register them as docs/temporal-cloud.md or"
                " deploy/setup-namespace.sh does, then start it again."
            ) from None
        if error.status is not RPCStatusCode.ALREADY_EXISTS:  # another worker was faster
            raise


async def serve(interceptors: Sequence[Interceptor] = ()) -> int:
    """Run until SIGTERM or SIGINT; return the exit status. `interceptors`: further ones, such as a test's."""
    settings = load_settings()
    configure_logs(settings.log_format)
    notices, stop = Notices("worker", settings.log_format), _stop_on_signals()
    source, file = runbook_source(settings), load_runbook_file(settings)
    listening = bind(settings.metrics_address) if settings.metrics_address else None
    measured = measured_runtime() if listening else None
    tracing = build_tracing(settings, "incident-worker")
    runtime = measured.runtime if measured else None
    client = await connect(settings, measured=runtime, interceptors=tracing.interceptors)
    await ensure_search_attributes(client)
    people = PeopleDirectory(file.runbook.people.directory)
    activities = build_activities(settings, client, file.runbook, people, file.customers)
    workers = build_workers(settings, client, file, activities, interceptors)
    await _set_up(client, settings, source, file, notices)
    async with AsyncExitStack() as stack:
        stack.callback(tracing.flush)
        page = activities.status_page.page
        watch = await stack.enter_async_context(_working(workers, client, settings, file.runbook, page))
        if listening and measured:
            exposition = _exposition(client, settings, file.runbook, watch, measured.url)
            await stack.enter_async_context(serving_metrics(listening, exposition))
            notices.say(f"Metrics: http://{settings.metrics_address}/metrics")
        where = f"{settings.temporal_address}, namespace {settings.temporal_namespace}"
        notices.say(f"Worker {os.getpid()} ready on task queue {settings.temporal_task_queue} at {where}")
        await stop.wait()
        notices.say("Shutting down: finishing running tasks")
    return 0


async def _set_up(
    client: Client, settings: Settings, source: RunbookSource, file: RunbookFile, notices: Notices
) -> None:
    """Set up what runs in Temporal beside incidents, and say what is on and off."""
    runbook = file.runbook
    _show_integrations(settings, runbook, notices)
    notices.say(missing_pager_warning(settings, runbook), logging.ERROR)
    notices.say(f"Runbook: {source}")
    notices.say(await ensure_recorder(client, settings, runbook))
    notices.say(await ensure_quarterly_drill(client, settings, file, source.folder))
    notices.say(await ensure_heartbeats(client, runbook, settings.temporal_task_queue))


@asynccontextmanager
async def _working(
    workers: Sequence[Worker],
    client: Client,
    settings: Settings,
    runbook: RunbookConfig,
    page: ports.StatusPage | None,
) -> AsyncIterator[StandstillWatch]:
    """Run the workers while the block runs, and what goes on beside them; yield the stuck-workflow watch."""
    async with AsyncExitStack() as stack:
        for worker in workers:
            await stack.enter_async_context(worker)
        watch = await stack.enter_async_context(watched(client, runbook, settings.temporal_task_queue))
        await stack.enter_async_context(alive_file(settings.worker_alive_file))
        queues = [settings.temporal_task_queue, drill_queue(settings.temporal_task_queue)]
        await stack.enter_async_context(watching_polls(client, queues))
        await stack.enter_async_context(watching_outages(client, settings, runbook, in_gateway=False))
        await stack.enter_async_context(refreshing_site(client, page))
        yield watch


def _exposition(
    client: Client, settings: Settings, runbook: RunbookConfig, watch: StandstillWatch, sdk_url: str
) -> Exposition:
    fleet = Fleet(always(client), tuple(runbook.severities), settings.temporal_task_queue)
    return Exposition(settings, runbook, fleet, watch, sdk_url=sdk_url)


def _stop_on_signals() -> asyncio.Event:
    """Return the event that SIGTERM or SIGINT sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


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
        unset, names = lacking(probe), " and ".join(probe.variables)
        reason = unset or (f"{names} set" if names else "needs no credentials")
        table.add_row(f"{probe.name} probe", "off" if unset else "on", reason, style="dim" if unset else "green")
    return table


def main() -> None:
    """Entry point of `python worker.py`."""
    run_and_exit(serve(), problems=(VendorRejected, ScenarioError))  # such as a store whose package is not installed


if __name__ == "__main__":
    main()

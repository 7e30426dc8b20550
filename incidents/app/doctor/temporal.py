"""Checks of Temporal: namespace, search attributes, workers, workflows, schedules, heartbeats."""

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import IndexedValueType, WorkerDeploymentVersionStatus
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import PollerInfo
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeWorkerDeploymentRequest,
    GetSystemInfoRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.processes import RECORDER
from incidents.app.doctor.checks import SECONDS, Check, NotChecked
from incidents.app.liveness.run_readings import describe_open_runs, reading, stuck_run
from incidents.app.liveness.task_queues import describe_queue, version_name, version_of
from incidents.client.heartbeats import watch_id
from incidents.client.lookup import describe
from incidents.client.problems import ConnectionProblem, NotFound
from incidents.client.watching.retries import RetryReader
from incidents.contracts import drill_queue, setup_queues
from incidents.domain.config.model import RunbookConfig
from incidents.domain.doctor import temporal as rules
from incidents.domain.doctor.finding import Finding, error, ok
from incidents.domain.standstill import Standstill, held_by_operator
from incidents.search_attributes import SEARCH_ATTRIBUTES

_RPC = timedelta(seconds=5)
REACHABLE = "temporal"
_USED: dict[WorkerDeploymentVersionStatus.ValueType, rules.VersionStatus] = {
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT: rules.VersionStatus.CURRENT,
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING: rules.VersionStatus.RAMPING,
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING: rules.VersionStatus.DRAINING,
}
"""The versions that workers are needed for: a drained one has no open workflow, an inactive one never had one."""


class TemporalChecks:
    """The checks of one namespace. `connecting`: the connection, which each check waits for."""

    def __init__(
        self, connecting: asyncio.Task[Client], runbook: RunbookConfig | None, task_queue: str, deployment: str
    ) -> None:
        """Check what that runbook needs; without a runbook, what needs none.

        `deployment`: that of the settings, or "". Others are found by the workers that poll.
        """
        self._connecting, self._runbook, self._task_queue = connecting, runbook, task_queue
        self._deployment = deployment

    def checks(self) -> list[Check]:
        """Return all of them."""
        return [
            Check(REACHABLE, self._reachable),
            Check(rules.NAMESPACE, self._namespace),
            Check(rules.ATTRIBUTES, self._attributes),
            Check(rules.WORKERS, self._workers),
            Check(rules.VERSION, self._versions),
            Check(rules.WORKFLOWS, self._workflows),
            Check(rules.SCHEDULES, self._schedules),
            Check(rules.HEARTBEATS, self._heartbeats),
        ]

    async def client(self) -> Client:
        """Return the client once it is connected.

        Raises:
            NotChecked: Temporal is unreachable.
        """
        try:
            return await asyncio.shield(self._connecting)
        except ConnectionProblem:
            raise NotChecked("Temporal is unreachable") from None

    def _needed(self) -> RunbookConfig:
        if self._runbook is None:
            raise NotChecked("The runbook cannot be used")
        return self._runbook

    async def _reachable(self) -> AsyncIterator[Finding]:
        try:
            client = await asyncio.shield(self._connecting)
        except ConnectionProblem as problem:
            what = str(problem).partition(" Nothing was sent")[0].rstrip(".")
            yield error(REACHABLE, f"Temporal is unreachable: {what}", "Start it, or correct TEMPORAL_ADDRESS")
            return
        info = await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=_RPC)
        where = client.service_client.config.target_host
        yield ok(REACHABLE, f"version {info.server_version} at {where}")

    async def _namespace(self) -> AsyncIterator[Finding]:
        client, runbook = await self.client(), self._needed()
        request = DescribeNamespaceRequest(namespace=client.namespace)
        try:
            found = await client.workflow_service.describe_namespace(request, timeout=_RPC)
        except RPCError as problem:
            if problem.status is not RPCStatusCode.NOT_FOUND:
                raise
            yield rules.no_namespace(client.namespace)
            return
        retention = found.config.workflow_execution_retention_ttl.ToTimedelta()
        yield rules.check_namespace(client.namespace, retention, runbook)

    async def _attributes(self) -> AsyncIterator[Finding]:
        client = await self.client()
        request = ListSearchAttributesRequest(namespace=client.namespace)
        found = await client.operator_service.list_search_attributes(request, timeout=_RPC)
        expected = {key.name: _type_name(key.indexed_value_type) for key in SEARCH_ATTRIBUTES}
        types = {name: _type_name(kind) for name, kind in found.custom_attributes.items()}
        for finding in rules.check_attributes(expected, types, client.namespace):
            yield finding

    async def _workers(self) -> AsyncIterator[Finding]:
        client = await self.client()
        wanted = [
            (name, kind)
            for queue in (self._task_queue, drill_queue(self._task_queue))
            for name, kind in (
                (queue, "workflow"),
                (queue, "activity"),
                *((setup, "activity") for setup in setup_queues(queue)),
            )
        ]
        queues = await asyncio.gather(*(_read_queue(client, name, kind) for name, kind in wanted))
        for finding in rules.check_workers(queues):
            yield finding

    async def _versions(self) -> AsyncIterator[Finding]:
        """Yield what is wrong with the versions of workers; nothing where no worker has one."""
        client = await self.client()
        queue = await describe_queue(client, self._task_queue, "workflow", _RPC)
        polling = {version_of(poller) for poller in queue.pollers}
        names = {poller.deployment_options.deployment_name for poller in queue.pollers if version_of(poller)}
        names |= {self._deployment, queue.versioning_info.current_deployment_version.deployment_name}
        for name in sorted(names - {""}):
            for finding in rules.check_version(await read_deployment(client, name, self._task_queue, polling)):
                yield finding

    async def _workflows(self) -> AsyncIterator[Finding]:
        """Yield what is stuck or retries for long, as it is read: there may be many."""
        client, number, found = await self.client(), 0, list[Finding]()
        retry_reader = RetryReader(client)
        until = asyncio.get_running_loop().time() + SECONDS * 0.8
        async for described in describe_open_runs(client):
            if asyncio.get_running_loop().time() > until:
                yield rules.partly_read(number, SECONDS)
                return
            number += 1
            run = reading(described)
            stuck: Standstill | None = await stuck_run(client, run) or held_by_operator(run)
            new = [rules.check_stuck(stuck, datetime.now(UTC))] if stuck else []
            name, typed = (f"INC-{run.number}", f"{run.number}") if run.number else (run.workflow_id, run.workflow_id)
            for retry in await retry_reader.read(described):
                if retry.paused is None and rules.retries_for_long(retry.attempts):
                    new.append(rules.check_retry(name, typed, retry.line))
            found += new
            for finding in new:
                yield finding
        for finding in rules.all_read(number, found):
            yield finding

    async def _schedules(self) -> AsyncIterator[Finding]:
        client, runbook = await self.client(), self._needed()
        listed = {entry.id: entry.schedule async for entry in await client.list_schedules(rpc_timeout=_RPC)}
        exists = RECORDER in listed or await _exists(client, RECORDER)  # the list lags
        found = rules.check_recorder(RECORDER, wanted=bool(runbook.regions), exists=exists)
        paused = [name for name, schedule in listed.items() if schedule is not None and schedule.state.paused]
        number = len({*listed, RECORDER} if exists else listed)
        for finding in (*found, *rules.check_schedules(paused, number, found)):
            yield finding

    async def _heartbeats(self) -> AsyncIterator[Finding]:
        client, runbook = await self.client(), self._needed()
        wanted = list(runbook.heartbeats)
        watched = [await _is_running(client, watch_id(name)) for name in wanted]
        missing = [name for name, runs in zip(wanted, watched, strict=True) if not runs]
        for finding in rules.check_heartbeats(missing, wanted):
            yield finding


async def read_deployment(client: Client, name: str, queue: str, polling: Collection[str]) -> rules.DeploymentReading:
    """Return how a deployment stands. `polling`: the versions of the queue's workers."""
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=name)
    try:
        found = await client.workflow_service.describe_worker_deployment(request, timeout=_RPC)
    except RPCError as problem:
        if problem.status is RPCStatusCode.NOT_FOUND:
            return rules.DeploymentReading(name=name, queue=queue, current=None)
        raise
    info = found.worker_deployment_info
    used = {
        summary.deployment_version.build_id: _USED[summary.status]
        for summary in info.version_summaries
        if summary.status in _USED
    }
    unpolled = {build: status for build, status in used.items() if version_name(name, build) not in polling}
    current = info.routing_config.current_deployment_version.build_id
    return rules.DeploymentReading(name=name, queue=queue, current=current, unpolled=unpolled)


async def _read_queue(client: Client, name: str, kind: str) -> rules.QueueReading:
    found = await describe_queue(client, name, kind, _RPC)
    return rules.QueueReading(
        name=name,
        kind=kind,
        workers={poller.identity: _shown_version(poller) for poller in found.pollers},
        backlog=found.stats.approximate_backlog_count,
        backlog_age=found.stats.approximate_backlog_age.ToTimedelta(),
    )


def _shown_version(poller: PollerInfo) -> str:
    """Return the worker's version, or without one its build, as far as it tells that."""
    return version_of(poller) or poller.deployment_options.build_id or poller.worker_version_capabilities.build_id


async def _exists(client: Client, schedule: str) -> bool:
    try:
        await client.get_schedule_handle(schedule).describe(rpc_timeout=_RPC)
    except RPCError as problem:
        if problem.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


async def _is_running(client: Client, workflow_id: str) -> bool:
    try:
        return (await describe(client, workflow_id)).status is WorkflowExecutionStatus.RUNNING
    except NotFound:
        return False


def _type_name(kind: int) -> str:
    """Return a search attribute's type as Temporal's command line spells it."""
    name = IndexedValueType.Name(IndexedValueType.ValueType(kind))
    return name.removeprefix("INDEXED_VALUE_TYPE_").title().replace("_", "")

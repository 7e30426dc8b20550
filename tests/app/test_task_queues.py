"""Task queues of workers with versions: what the doctor, the metrics and the outage watch see on a real server."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from incidents import metrics
from incidents.app.composition.workers import make_worker
from incidents.app.doctor.temporal import read_deployment
from incidents.app.liveness.task_queues import POLL, describe_queue, recent_pollers, version_of
from incidents.app.outage.readings import PollerSource
from incidents.app.telemetry.fleet import Fleet, always
from incidents.domain.doctor.finding import Level
from incidents.domain.doctor.temporal import DeploymentReading, VersionStatus, check_version
from sandbox.temporal_server import connected
from tests.support.fake_activities import FakeActivities
from tests.support.servers.dev_server import DevServer
from tests.support.servers.versions import DEPLOYMENT, QUEUE, make_current, open_incident, working

LABELS = {"queue": QUEUE, "type": "workflow"}
NOW = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask until it is so; Temporal tells it a moment later."""
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - nothing else tells it
            await asyncio.sleep(0.2)


async def backlog(client: Client) -> dict[str, float]:
    """What the metrics say of the workflow tasks that wait on the incidents' queue."""
    samples = await Fleet(always(client), (), QUEUE).read()
    return {sample.metric.name: sample.value for sample in samples if sample.labels == LABELS}


async def test_the_backlog_of_a_version_is_counted(whole_server: DevServer, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await whole_server.client()
    async with working(client, "1", monkeypatch):
        await make_current(client, "1")
    assert (await backlog(client))[metrics.QUEUE_SIZE.name] == 0
    for key in ("one", "two"):
        await open_incident(client, key)

    async def both_wait() -> bool:
        return (await backlog(client))[metrics.QUEUE_SIZE.name] == 2

    await until(both_wait)
    assert (await backlog(client))[metrics.QUEUE_AGE.name] > 0


@activity.defn
async def nothing() -> None:
    """Do nothing."""


async def test_all_workers_that_poll_a_queue_are_counted(whole_server: DevServer) -> None:
    client = await whole_server.client()
    other = await connected(client.service_client.config.target_host, namespace=client.namespace)

    async def polling(*identities: str) -> bool:
        return await recent_pollers(client, QUEUE, "activity", timedelta(seconds=10)) == set(identities)

    assert await polling(), "nobody polls yet"
    async with Worker(client, task_queue=QUEUE, activities=[nothing], identity="one"):
        await until(lambda: polling("one"))
        async with Worker(other, task_queue=QUEUE, activities=[nothing], identity="two"):
            await until(lambda: polling("one", "two"))


async def is_out(source: PollerSource, at: datetime = NOW) -> bool:
    """Tell whether the outage watch takes the workers for away."""
    [reading] = await source.read(at)
    return reading.failing_since is not None


async def test_109_workers_poll_once_their_version_is_current(
    whole_server: DevServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await whole_server.client()
    async with working(client, "1", monkeypatch):
        assert await is_out(PollerSource(client, QUEUE)), "no version is current, so no task is dispatched"
        await make_current(client, "1")

        async def polled() -> bool:
            return not await is_out(PollerSource(client, QUEUE))

        await until(polled)


async def newest_without_version(client: Client) -> int:
    queue = await describe_queue(client, QUEUE, "workflow", timedelta(seconds=5))
    return max((each.last_access_time.ToNanoseconds() for each in queue.pollers if not version_of(each)), default=0)


async def test_109_workers_without_a_version_do_not_stand_in_for_the_current_one(
    whole_server: DevServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await whole_server.client()
    async with working(client, "1", monkeypatch):
        await make_current(client, "1")
        source = PollerSource(client, QUEUE)

        async def polled() -> bool:
            return not await is_out(source)

        await until(polled)
    await source.read(NOW)

    async def unversioned_polled() -> bool:
        return await newest_without_version(client) > 0

    async with make_worker(client, QUEUE, FakeActivities().methods()):
        await until(unversioned_polled)
        assert await is_out(source, NOW + POLL + timedelta(seconds=1))


async def test_the_versions_that_workers_are_needed_for(
    whole_server: DevServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await whole_server.client()
    async with working(client, "1", monkeypatch), working(client, "2", monkeypatch), working(client, "3", monkeypatch):
        await make_current(client, "1")
        incident = await open_incident(client, "old")
        await incident.query("agenda")
        await make_current(client, "2")

    async def read(*polling: str) -> DeploymentReading:
        return await read_deployment(client, DEPLOYMENT, QUEUE, {f"{DEPLOYMENT}.{build}" for build in polling})

    found = await read()
    assert found.current == "2"
    assert found.unpolled == {"1": VersionStatus.DRAINING, "2": VersionStatus.CURRENT}, "nothing is left for 3"
    assert (await read("1", "2")).unpolled == {}
    assert (await read("2")).unpolled == {"1": VersionStatus.DRAINING}


@pytest.mark.parametrize(
    ("status", "what", "remedy"),
    [
        (
            VersionStatus.CURRENT,
            "No worker of 7, the current version of d, polls q: new incidents wait",
            "make another",
        ),
        (
            VersionStatus.RAMPING,
            "No worker of 7, the ramping version of d, polls q: new incidents wait",
            "make another",
        ),
        (VersionStatus.DRAINING, "Incidents of version 7 are open, and no worker of it polls q", "move each"),
    ],
)
def test_a_version_that_no_worker_runs_is_an_error(status: VersionStatus, what: str, remedy: str) -> None:
    [found] = check_version(DeploymentReading(name="d", queue="q", current="8", unpolled={"7": status}))
    assert found.level is Level.ERROR
    assert found.what.startswith(what)
    assert "WORKER_BUILD_ID=7" in found.remedy
    assert remedy in found.remedy

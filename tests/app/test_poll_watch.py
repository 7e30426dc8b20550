"""A worker that has stopped polling for workflow tasks exits; any other continues."""

import asyncio
import uuid
from datetime import timedelta

import pytest
from temporalio import activity
from temporalio.api.taskqueue.v1 import PollerInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueResponse
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from incidents.app.composition.workers import make_worker
from incidents.app.liveness import poll_watch
from incidents.app.liveness.poll_watch import MISSES, PollWatch, watching_polls
from incidents.app.liveness.task_queues import describe_queue
from tests.support.fake_activities import FakeActivities
from tests.support.servers.dev_server import DevServer


@activity.defn
async def nothing() -> None:
    """Do nothing."""


@pytest.fixture
async def client(dev_server: DevServer) -> Client:
    return await dev_server.client()


@pytest.fixture
def queue() -> str:
    return f"polls-{uuid.uuid4()}"


async def polls(client: Client, queue: str, kind: str) -> None:
    """Wait until Temporal has seen a poll."""
    while True:
        if (await describe_queue(client, queue, kind, timedelta(seconds=10))).pollers:
            return
        await asyncio.sleep(0.05)


async def test_a_worker_that_polls_for_both_continues(client: Client, queue: str) -> None:
    async with make_worker(client, queue, FakeActivities().methods(), sandboxed=False):
        await polls(client, queue, "activity")
        await polls(client, queue, "workflow")
        watch = PollWatch(client, queue)
        assert [await watch.has_stopped() for _ in range(MISSES + 1)] == [False] * (MISSES + 1)


async def test_a_worker_that_polls_for_activities_only_exits(
    client: Client, queue: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(poll_watch, "EVERY", timedelta(milliseconds=10))
    ended = asyncio.Event()
    async with Worker(client, task_queue=queue, activities=[nothing]):
        await polls(client, queue, "activity")
        async with watching_polls(client, [queue], ended.set), asyncio.timeout(30):
            await ended.wait()
    assert f"no longer polls for workflow tasks on task queue {queue}. Nothing is lost" in caplog.text


async def test_before_its_first_poll_it_continues(client: Client, queue: str) -> None:
    watch = PollWatch(client, queue)
    assert not any([await watch.has_stopped() for _ in range(MISSES + 1)])


class Polls:
    """What Temporal says of the polls: of activities now, of workflow tasks so many seconds ago; None: no answer."""

    def __init__(self, identity: str, *ages: int | None) -> None:
        self._identity, self._ages = identity, list(ages)

    async def __call__(self, client: Client, name: str, kind: str, within: timedelta) -> DescribeTaskQueueResponse:
        if kind == "activity" and self._ages[0] is None:
            self._ages.pop(0)
            raise RPCError("unavailable", RPCStatusCode.UNAVAILABLE, b"")
        age = (self._ages.pop(0) or 0) if kind == "workflow" else 0
        pollers = [PollerInfo(identity=self._identity), PollerInfo(identity="another")]
        pollers[0].last_access_time.FromSeconds(1_800_000_000 - age)
        pollers[1].last_access_time.FromSeconds(1_800_000_000)
        return DescribeTaskQueueResponse(pollers=pollers)


@pytest.mark.parametrize(
    ("ages", "stopped"),
    [
        ((61, 61, 61, 61), [False] * 4),  # a poll without a task takes a minute
        ((90, 150, 210), [False, False, True]),
        ((90, 150, 0, 90, 150), [False] * 5),
        ((90, 150, None, 90, 150), [False] * 5),
    ],
)
async def test_it_takes_three_checks_in_a_row(
    client: Client, monkeypatch: pytest.MonkeyPatch, ages: tuple[int | None, ...], stopped: list[bool]
) -> None:
    monkeypatch.setattr(poll_watch, "describe_queue", Polls(client.identity, *ages))
    watch = PollWatch(client, "incidents")
    assert [await watch.has_stopped() for _ in ages] == stopped

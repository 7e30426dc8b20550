"""A worker takes as many workflow tasks as it can do in time; the others wait in Temporal's queue."""

import asyncio
import threading
import time

import pytest
from temporalio import workflow

from incidents.app.composition.workers import WORKFLOW_TASKS, make_worker
from tests.conftest import NO_DEADLOCK_DETECTOR
from tests.support.servers.dev_server import DevServer

QUEUE = "slots"
MANY = 3 * WORKFLOW_TASKS


class Counted:
    """How many threads are in it, and were at most."""

    lock = threading.Lock()
    inside = most = 0

    @classmethod
    def stay(cls) -> None:
        with cls.lock:
            cls.inside += 1
            cls.most = max(cls.most, cls.inside)
        try:
            time.sleep(0.1)
        finally:
            with cls.lock:
                cls.inside -= 1


@workflow.defn(sandboxed=False)
class Slow:
    """A workflow whose one task takes a while, as a replay on a busy machine."""

    @workflow.run
    async def run(self) -> None:
        Counted.stay()


async def test_more_tasks_than_slots_wait_in_temporals_queue(
    dev_server: DevServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(NO_DEADLOCK_DETECTOR)  # without the detector, the SDK runs one task at a time
    client = await dev_server.client()
    handles = [await client.start_workflow(Slow.run, id=f"slow-{n}", task_queue=QUEUE) for n in range(MANY)]
    async with make_worker(client, QUEUE, [], [Slow], sandboxed=False):
        await asyncio.gather(*(handle.result() for handle in handles))
    assert 1 < Counted.most <= WORKFLOW_TASKS

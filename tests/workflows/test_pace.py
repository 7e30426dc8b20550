"""Setting channels up has a pace that the workers hold; what waits for it waits in Temporal's queue, the most urgent
first, and pages do not wait for it (docs/temporal-notes.md#pace).

On the development server, which has priorities and dispatches tasks as production does. The pace follows a clock that
the tests move: it stands still unless they do.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from incidents.app.composition.workers import make_setup_workers
from incidents.contracts import IncidentInput, former_setup_queue
from incidents.domain.build_request import SETUP
from incidents.domain.chat.activity_requests import OpenChannel
from incidents.domain.config.communication import Chat
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import opening_from
from incidents.search_attributes import at_start
from tests.support.environment import QUEUE, World, an_alert
from tests.support.fake_activities import Call, FakeActivities
from workflows.activity_options import ACTIVITIES
from workflows.incident import IncidentWorkflow

PER_MINUTE = 60
A_TOKEN = 60 / PER_MINUTE
TEN, MANY = 10, 12
CALLS = {call.activity: call.calls for call in SETUP.values()}
Handle = WorkflowHandle[IncidentWorkflow, Incident]


@dataclass
class Clock:
    """A clock that only the test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Paced:
    """A world whose channels are set up at a pace."""

    world: World
    clock: Clock

    @property
    def chat(self) -> Chat:
        """The pace."""
        return self.world.runbook.chat

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """The workers that set channels up. A test that waits in vain ends, and they with it, before it is killed."""
        methods = self.world.activities.methods()
        async with asyncio.timeout(45), AsyncExitStack() as stack:
            for worker in make_setup_workers(self.world.env.client, QUEUE, methods, self.chat, clock=self.clock):
                await stack.enter_async_context(worker)
            yield

    def pace(self, burst: int) -> None:
        """Take so many channels at once."""
        chat = self.chat.replace(setup_per_minute=PER_MINUTE, setup_burst=burst)
        self.world.runbook = self.world.runbook.replace(chat=chat)

    async def open(self, key: str, severity: str = "critical") -> Handle:
        """Open an incident."""
        opening = opening_from((an_alert(await self.world.now(), severity=severity),), key, self.world.runbook)
        handle = await self.world.env.client.start_workflow(
            IncidentWorkflow.run,
            IncidentInput(opening=opening, runbook=self.world.runbook),
            id=f"incident-{key}",
            task_queue=QUEUE,
            search_attributes=at_start(opening),
        )
        self.world.handle = handle
        return handle

    def calls(self) -> list[Call]:
        """The calls that set channels up."""
        return [call for call in self.world.activities.calls if call.name in CALLS]

    def opened(self) -> list[str]:
        """The channels that were opened, in that order."""
        return [call.effect.name for call in self.calls() if call.name == "open_channel"]

    async def settle(self, handle: Handle, *, but: str | tuple[str, ...] = "\0") -> None:
        """Wait until nothing of that incident is due."""
        self.world.handle = handle
        await self.world.settled(but=but)


@pytest.fixture
def paced(live_world: World) -> Paced:
    """A world at the shipped burst."""
    paced = Paced(live_world, Clock())
    paced.pace(Chat().setup_burst)
    return paced


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    while not condition():  # noqa: ASYNC110 - nothing else tells it
        await asyncio.sleep(0.05)


async def is_queued(handle: Handle, name: str) -> None:
    """Wait until an activity of that name waits for a worker."""
    while True:
        pending = (await handle.describe()).raw_description.pending_activities
        if name in {each.activity_type.name for each in pending}:
            return
        await asyncio.sleep(0.05)


def test_each_kind_of_call_is_made_by_the_activity_that_its_queue_is_named_for() -> None:
    assert {kind: ACTIVITIES[kind].__name__ for kind in SETUP} == {kind: call.activity for kind, call in SETUP.items()}


async def test_nothing_but_the_setup_of_channels_waits_for_the_pace(paced: Paced) -> None:
    handle = await paced.open("pace")
    await is_queued(handle, "open_channel")
    await paced.settle(handle, but=("channel", "update/"))
    assert not paced.calls(), "nobody takes them from the other queue"
    sent = {call.name for call in paced.world.activities.calls}
    assert {"publish_status", "send_page"} <= sent, "all else has gone out"


async def test_ten_incidents_at_once_have_their_channels_without_waiting(paced: Paced) -> None:
    """The clock of the pace stands still: no token comes after the first ones."""
    async with paced.working():
        handles = await asyncio.gather(*(paced.open(f"ten-{number}") for number in range(TEN)))
        for handle in handles:
            await paced.settle(handle)
    made = Counter(call.name for call in paced.calls())
    assert made["open_channel"] == made["invite"] == TEN
    assert TEN <= made["set_topic"] <= TEN * CALLS["set_topic"]
    assert TEN <= made["add_bookmark"] <= TEN * CALLS["add_bookmark"]


async def test_the_eleventh_waits_for_a_token(paced: Paced) -> None:
    async with paced.working():
        handles = await asyncio.gather(*(paced.open(f"eleven-{number}") for number in range(TEN + 1)))
        await until(lambda: len(paced.opened()) == TEN)
        for handle in handles:
            await paced.settle(handle, but=("channel", "update/"))
        assert len(paced.opened()) == TEN, "all else is done, and one has no channel"
        paced.clock.now += A_TOKEN * max(CALLS.values())
        for handle in handles:
            await paced.settle(handle)
    assert len(paced.opened()) == TEN + 1


async def test_a_p0_goes_before_p3s_that_wait_for_longer(paced: Paced) -> None:
    paced.pace(1)
    p3s = await asyncio.gather(*(paced.open(f"p3-{number}", "low") for number in range(MANY)))
    for handle in p3s:
        await is_queued(handle, "open_channel")
    async with paced.working():
        await until(lambda: len(paced.opened()) == 1)
        p0 = await paced.open("p0")
        await is_queued(p0, "open_channel")
        assert len(paced.opened()) == 1, "the bucket is empty"
        paced.clock.now += A_TOKEN
        await until(lambda: len(paced.opened()) == 2)
        number = (await paced.world.incident()).number
    assert paced.opened()[1] == f"incident-{number}"


@workflow.defn
class OrdersAsBefore:
    """Orders a channel in the queue of before."""

    @workflow.run
    async def run(self, request: OpenChannel) -> None:
        """Order it."""
        queue = former_setup_queue(QUEUE)
        await workflow.execute_activity(
            "open_channel", request, task_queue=queue, start_to_close_timeout=timedelta(seconds=10)
        )


async def test_what_waits_in_the_queue_of_before_is_done(empty_world: World) -> None:
    client, activities = empty_world.env.client, FakeActivities()
    ordering = Worker(client, task_queue=QUEUE, workflows=[OrdersAsBefore], workflow_runner=UnsandboxedWorkflowRunner())
    async with AsyncExitStack() as stack:
        for worker in (ordering, *make_setup_workers(client, QUEUE, activities.methods(), Chat())):
            await stack.enter_async_context(worker)
        request = OpenChannel(key="channel", name="incident-1", marker="run")
        await client.execute_workflow(OrdersAsBefore.run, request, id="as-before", task_queue=QUEUE)
    assert [call.effect.name for call in activities.calls] == ["incident-1"]

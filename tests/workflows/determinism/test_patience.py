"""A duty is given up for the vendor's reasons, not because no worker was there to try."""

import asyncio
from datetime import timedelta

from temporalio.api.enums.v1 import EventType

from incidents.app.composition.workers import make_worker
from tests.support.environment import QUEUE, World

PATIENCE = timedelta(seconds=2)


def impatient(world: World) -> None:
    """Let pages be tried for two seconds only."""
    world.runbook = world.runbook.replace(retry_for=world.runbook.retry_for.replace(page=PATIENCE))


async def given_up(world: World, times: int) -> None:
    """Without a worker for activities, wait until the first page's time is over for the `times`-th time."""
    async with make_worker(world.env.client, QUEUE, [], query_safety=world.safety):
        await world.open(settle=False)
        for _ in range(600):
            history = await world.handle.fetch_history()
            over = [e for e in history.events if e.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT]
            if len(over) >= times:
                return
            await asyncio.sleep(0.1)
    raise AssertionError("the page's time is never over")


async def test_a_page_is_not_given_up_while_no_worker_is_there(empty_world: World) -> None:
    world = empty_world
    impatient(world)
    await given_up(world, 1)
    async with world.worker():
        await world.settled()
        incident = await world.incident()
    assert len(world.sent("send_page", "page/")) == 1
    assert not [failure for failure in incident.ledger.failures if failure.key.kind == "page"]


async def test_what_hangs_in_this_program_is_given_up_and_said(empty_world: World) -> None:
    world = empty_world
    impatient(world)
    await given_up(world, 3)
    async with world.worker():
        for _ in range(100):
            incident = await world.incident()
            if incident.ledger.failures:
                break
            await asyncio.sleep(0.1)
    assert any(failure.key.kind == "page" for failure in incident.ledger.failures)
    assert any(entry.text.startswith("Failed: Page the engineer on call") for entry in incident.timeline)

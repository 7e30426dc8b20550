"""A worker that is away over due times: one update, late, and then the old grid (behaviour 37).

On the development server, with a cadence of seconds: the time-skipping server's time stands still without a worker.
"""

import asyncio
from datetime import timedelta

from incidents.domain.incident.commands import Acknowledge
from tests.support.environment import World

EVERY = timedelta(seconds=3)


async def test_37_two_due_times_without_a_worker(empty_world: World) -> None:
    world = empty_world
    policy = world.runbook.policy("P0")
    policy = policy.replace(updates=policy.updates.replace(every=EVERY, remind_before=timedelta()))
    world.runbook = world.runbook.replace(severities={**world.runbook.severities, "P0": policy})
    async with world.worker():
        await world.open()
        await world.tell(Acknowledge(by="ann"))
    await asyncio.sleep((world.t0 + EVERY * 2.4 - await world.now()).total_seconds())
    async with world.worker():
        for _ in range(300):
            if len(world.sent("publish_status", "update/")) >= 3:
                break
            await asyncio.sleep(0.1)
        updates = (await world.incident()).updates
    dues = [update.due - world.t0 for update in updates[:3]]
    assert dues[:2] == [timedelta(), EVERY], "the one that is due longest, once"
    late = updates[1].at - updates[1].due
    assert late >= EVERY, "it went out when a worker was back, and not twice"
    assert dues[2] % EVERY == timedelta(), "then the old grid: nothing has drifted"
    assert dues[2] >= updates[1].at - world.t0

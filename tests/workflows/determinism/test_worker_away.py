"""A worker that is away over due times: one update, late, and then the old grid (behaviour 37).

On the development server, with a cadence of seconds: the time-skipping server's time stands still without a worker.
"""

import asyncio
from datetime import timedelta

from incidents.domain.incident.commands import Acknowledge
from tests.support.environment import World

EVERY = timedelta(seconds=6)


async def test_37_two_due_times_without_a_worker(empty_world: World) -> None:
    world = empty_world
    policy = world.runbook.policy("P0")
    policy = policy.replace(updates=policy.updates.replace(every=EVERY, remind_before=timedelta()))
    world.runbook = world.runbook.replace(severities={**world.runbook.severities, "P0": policy})
    async with world.worker():
        await world.open()
        await world.tell(Acknowledge(by="ann"))
    before = len(world.sent("publish_status", "update/"))  # on a busy machine more than the first one
    await asyncio.sleep((world.t0 + EVERY * (before + 1.4) - await world.now()).total_seconds())
    async with world.worker():
        for _ in range(300):
            if len(world.sent("publish_status", "update/")) >= before + 2:
                break
            await asyncio.sleep(0.1)
        updates = (await world.incident()).updates.published
    dues = [update.due - world.t0 for update in updates]
    assert dues[: before + 1] == [EVERY * count for count in range(before + 1)], "the one that is due longest, once"
    late = updates[before].at - updates[before].due
    assert late >= EVERY, "it went out when a worker was back, and not twice"
    assert dues[before + 1] % EVERY == timedelta(), "then the old grid: nothing has drifted"
    assert dues[before + 1] >= updates[before].at - world.t0

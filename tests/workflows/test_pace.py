"""Setting channels up has a pace that Temporal holds, for all workers together; pages do not wait for it
(docs/temporal-notes.md#pace).

On the development server, in real time: the time-skipping server holds no pace. Slower than the pace is fine here; only
faster is a fault.
"""

import asyncio

from incidents.app.composition.workers import make_setup_worker
from incidents.contracts import IncidentInput
from incidents.domain.build_request import SETUP
from incidents.domain.incident.opening import opening_from
from tests.support.environment import QUEUE, World, an_alert
from workflows.activity_options import ACTIVITIES
from workflows.incident import IncidentWorkflow

PER_MINUTE = 60
NAMES = {ACTIVITIES[kind].__name__ for kind in SETUP}


async def test_channels_are_set_up_at_the_pace_and_nothing_else_waits(live_world: World) -> None:
    world, now = live_world, await live_world.now()
    runbook = world.runbook.replace(chat=world.runbook.chat.replace(setup_per_minute=PER_MINUTE))
    alert = an_alert(now)
    opening = opening_from((alert,), "pace", runbook)
    start = IncidentInput(opening=opening, runbook=runbook)
    client = world.env.client
    handle = await client.start_workflow(IncidentWorkflow.run, start, id="incident-pace", task_queue=QUEUE)
    world.handle = handle
    for _ in range(100):
        if any(obligation.key == "channel" for obligation in await world.agenda()):
            break
        await asyncio.sleep(0.05)
    await world.settled(but=("channel", "update/"))
    assert not [call for call in world.activities.calls if call.name in NAMES], "nobody takes them from the other queue"
    assert [call for call in world.activities.calls if call.name == "publish_status"], "all else has gone out"
    assert [call for call in world.activities.calls if call.name == "send_page"]
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with make_setup_worker(client, QUEUE, world.activities.methods(), PER_MINUTE):
        await world.settled()
        took = loop.time() - began
    paced = [call.name for call in world.activities.calls if call.name in NAMES]
    assert {"open_channel", "invite", "set_topic"} <= set(paced)
    assert took > (len(paced) - 2) * 60 / PER_MINUTE, (
        f"{len(paced)} calls in {took:.1f} s: a call or two may go at once"
    )

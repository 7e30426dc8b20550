"""Records the histories that the replay test replays: `make histories`.

A change of workflow code that cannot replay them would break the incidents that are open while it is deployed. Record
again only after you have made such a change safe (`workflow.patched`), and say so in the commit.
"""

import asyncio
import gzip
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from incidents.client.maintenance import send_window, started_windows
from incidents.contracts import COMMAND_REFUSED, WINDOWS_CHANGED, Unauthorized, WindowsChanged
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.alerting.started_windows import EndWindow, StartWindow
from incidents.domain.incident.commands import (
    Acknowledge,
    AddNote,
    Assess,
    Cancel,
    DeclareSeverity,
    PostUpdate,
    Reopen,
    Resolve,
)
from incidents.domain.postmortem.commands import EditDocument, PublishPostmortem, RecordReview
from incidents.domain.rollback.commands import ApproveRollback, DeclineRollback
from incidents.domain.rollback.config import RollbackPolicy
from incidents.domain.rollback.verification import Verdict
from incidents.names import MAINTENANCE_ID
from incidents.rehearsal.server import skipping_server
from tests.support.environment import QUEUE, World, result_of
from tests.support.fake_activities import FakeActivities, an_offer
from tests.support.incidents import WRITTEN

HISTORIES = Path(__file__).parent / "histories" / "0.2.0"
"""From this version on, recorded histories replay for ever: they are added to, never recorded anew."""


async def rolled_back_to_its_postmortem(world: World) -> tuple[str, ...]:
    """A P0: acknowledged, assessed, rolled back, resolved, its post-mortem overdue and then published."""
    world.activities.offers = (an_offer(await world.now()),)
    await world.open()
    await world.at(2)
    await world.tell(Acknowledge(by="ann"))
    await world.tell(Assess(by="ann", impact="Half of Europe."))
    await world.at(10)
    await world.tell(ApproveRollback(by="ann"))
    await world.at(50)
    await world.tell(Resolve(by="ann", force=True, reason="seen"))
    await world.pass_time(timedelta(hours=50))
    process = world.env.client.get_workflow_handle("postmortem-1")
    await process.execute_update("edit", EditDocument(by="ann", **WRITTEN.model_dump(exclude={"items"})))
    await process.execute_update("publish", PublishPostmortem(by="ann", url="https://docs.example/1"))
    await world.pass_time(timedelta(days=9))
    await process.execute_update("record_review", RecordReview(by="ann", outcome="Read by all."))
    await result_of(process)
    return (world.handle.id, "postmortem-1", "rollback-eu-001-flag-evaluation")


async def severities_and_reopening(world: World) -> tuple[str, ...]:
    """A P2 that is raised, lowered, resolved, reopened and cancelled."""
    await world.open(severity="warning")
    await world.at(30)
    await world.tell(DeclareSeverity(by="ann", severity="P0"))
    await world.at(45)
    await world.tell(PostUpdate(by="ann", text="We know more."))
    await world.tell(DeclareSeverity(by="ann", severity="P1"))
    await world.at(60)
    await world.tell(Resolve(by="ann", force=True, reason="seen"))
    await world.at(70)
    await world.tell(Reopen(by="bob", reason="back"))
    await world.at(80)
    await world.tell(Cancel(by="bob", reason="it was the probe after all"))
    await world.ended()
    return (world.handle.id,)


async def things_that_fail(world: World) -> tuple[str, ...]:
    """A P0 whose vendors are down: failed steps, superseded updates, refused signals."""
    world.activities.faults = {"publish_status": 30, "send_page": 2}
    world.activities.final_faults = {"open_channel": "missing_scope"}
    await world.open(settle=False)
    await world.handle.signal("resolve", {"nonsense": True})
    await world.settled(but="update/")
    await world.at(61)
    await world.tell(Cancel(by="ann", reason="enough"))
    await world.ended()
    return (world.handle.id,)


async def a_window_that_is_ended_early(world: World) -> tuple[str, ...]:
    """A P1 waits for a window that a responder starts, prolongs and ends; another window ends by itself."""
    client, now = world.env.client, await world.now()
    planned = MaintenanceWindow(
        since=now, until=now + timedelta(minutes=20), service="flag-evaluation", reason="upgrade"
    )
    world.runbook = world.runbook.replace(maintenance=(planned,))
    await world.open(severity="warning")
    first = StartWindow(by="ann", until=now + timedelta(hours=1), service="flag-evaluation", reason="upgrade", id="1")
    second = StartWindow(by="ann", until=now + timedelta(minutes=10), service="dashboard", reason="reboot", id="2")
    for command in (first, second):
        await send_window(client, command, QUEUE, timedelta(seconds=20))
    running = WindowsChanged(windows=tuple(each.window for each in await started_windows(client)))
    await world.handle.signal(WINDOWS_CHANGED, running)
    await world.at(30)
    await send_window(client, EndWindow(by="bob", number=1, id="3"), QUEUE, timedelta(seconds=20))
    await world.handle.signal(WINDOWS_CHANGED, WindowsChanged(windows=()))
    await world.at(40)
    await world.tell(Cancel(by="bob", reason="it was the upgrade"))
    await world.ended()
    return (world.handle.id, MAINTENANCE_ID)


async def a_quiet_channel(world: World) -> tuple[str, ...]:
    """A P0 whose notices wait for the summary: a rollback is offered, judged and decided again; resolved."""
    world.activities.offers = (an_offer(await world.now()),)
    world.activities.verdict = Verdict.UNHEALTHY
    await world.open()
    await world.at(2)
    await world.tell(Acknowledge(by="ann"))
    await world.tell(AddNote(by="sue", text="Evaluations answer 502."))
    await world.at(5)
    await world.tell(ApproveRollback(by="ann", cluster="eu-001", version="good"))
    await world.at(8)
    await world.tell(DeclineRollback(by="ann", reason="it is not the release"))
    await world.at(40)
    await world.tell(Cancel(by="ann", reason="it was the probe after all"))
    await world.ended()
    return (world.handle.id,)


async def two_people(world: World) -> tuple[str, ...]:
    """A P0 whose rollback two people approve, after a third one was refused."""
    policy = world.runbook.policy("P0").replace(rollback=RollbackPolicy.TWO_PEOPLE)
    world.runbook = world.runbook.replace(severities={**world.runbook.severities, "P0": policy})
    world.activities.offers = (an_offer(await world.now()),)
    await world.open()
    await world.at(2)
    await world.tell(Acknowledge(by="ann"))
    refused = Unauthorized(
        command="approve", by="eve", reason="eve is not authorized to approve. Authorized: sre (ann)."
    )
    for _ in range(2):
        await world.handle.signal(COMMAND_REFUSED, refused)
    await world.handle.signal(COMMAND_REFUSED, {"nonsense": True})
    await world.at(5)
    await world.tell(ApproveRollback(by="ann"))
    await world.handle.signal(ApproveRollback.name, ApproveRollback(by="Ann"))
    await world.tell(ApproveRollback(by="bob"))
    await world.at(40)
    await world.tell(Cancel(by="ann", reason="it was the probe after all"))
    await world.ended()
    return (world.handle.id,)


SCENARIOS: tuple[Callable[[World], Awaitable[tuple[str, ...]]], ...] = (
    rolled_back_to_its_postmortem,
    severities_and_reopening,
    things_that_fail,
    a_window_that_is_ended_early,
    a_quiet_channel,
    two_people,
)


async def record(scenario: Callable[[World], Awaitable[tuple[str, ...]]]) -> None:
    """Play one scenario and write the histories of its workflows."""
    async with skipping_server() as env:
        world = World(env=env, activities=FakeActivities())
        async with world.worker():
            for workflow_id in await scenario(world):
                history = await env.client.get_workflow_handle(workflow_id).fetch_history()
                name = f"{scenario.__name__}.{workflow_id.split('-')[0]}.json.gz"
                (HISTORIES / name).write_bytes(gzip.compress(history.to_json().encode(), mtime=0))
                print(f"{name}: {len(history.events)} events")


async def main() -> None:
    """Record every scenario."""
    logging.disable(logging.WARNING)  # the failures are part of the story
    for scenario in SCENARIOS:
        await record(scenario)


if __name__ == "__main__":
    asyncio.run(main())

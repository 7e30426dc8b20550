"""The post-mortem's own process: draft, reminders, deadline, breach."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError

from runbook.commands import Acknowledge, DeclareSeverity, Receipt, Reopen, Resolve
from runbook.postmortem import Postmortem, PublishPostmortem, WaivePostmortem
from runbook.severity import Severity
from tests.workflows.world import World
from workflows.postmortem import PostmortemWorkflow


def process(world: World) -> WorkflowHandle[Any, Postmortem]:
    return world.env.client.get_workflow_handle_for(PostmortemWorkflow.run, "postmortem-1")


async def state(world: World) -> Postmortem:
    return await process(world).query(PostmortemWorkflow.postmortem)


async def quiet(world: World) -> None:
    """Wait until the process has done all that is due: this server loses a task that gives up what has just ended."""
    for _ in range(1000):
        owed = await process(world).query(PostmortemWorkflow.agenda)
        now = await world.now()
        if not [duty for duty in owed if duty.due <= now]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the post-mortem's duties are not done")


async def publish(world: World) -> Receipt:
    await quiet(world)
    command = PublishPostmortem(by="ann", url="https://docs.example/pm-1")
    receipt: Receipt = await process(world).execute_update("publish", command, result_type=Receipt)
    return receipt


async def test_68_it_is_due_48_hours_after_the_resolution_and_reminds(world: World) -> None:
    await world.open()
    await world.tell(Acknowledge(by="ann"))
    await world.at(60)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    due = 60 + 48 * 60
    postmortem = await state(world)
    assert round((postmortem.due - world.t0).total_seconds() / 60) == due
    assert postmortem.owner == "ann"
    [(minute, draft)] = world.sent("keep_document", "postmortem/draft")
    assert minute == 60
    text = draft.text
    assert "# Post-mortem of INC-1" in text
    assert "Acknowledged by ann" in text

    await world.env.sleep(timedelta(hours=48 + 30))
    mails = [m for m, e in world.sent("send_mail", "postmortem/")]
    assert mails == [due - 24 * 60, due - 4 * 60, due, due + 24 * 60]
    postmortem = await state(world)
    assert postmortem.stage == "overdue"
    last = world.sent("send_mail", "postmortem/")[-1][1]
    assert "OVERDUE by 1d" in last.text
    assert "em@featuresignals.com" in last.to, "the manager hears of a breach"

    await publish(world)
    assert (await process(world).result()).stage == "published"


async def test_69_the_highest_severity_ever_reached_decides(world: World) -> None:
    await world.open()
    await world.at(5)
    await world.tell(DeclareSeverity(by="ann", severity=Severity.P2))
    await world.tell(Resolve(by="ann"))
    assert (await state(world)).stage == "owed"
    await publish(world)


async def test_a_p2_owes_none(world: World) -> None:
    await world.open(severity="warning")
    await world.tell(Resolve(by="ann"))
    assert not world.sent("keep_document", "postmortem/")


async def test_63_reopening_withdraws_the_deadline_and_the_new_resolution_restarts_it(world: World) -> None:
    await world.open()
    await world.at(10)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await world.at(100)
    await world.tell(Reopen(by="ann", reason="it is back"))
    postmortem = await state(world)
    assert postmortem.stage == "withdrawn"
    with pytest.raises(WorkflowUpdateFailedError):
        await publish(world)
    await world.at(200)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    again = await state(world)
    assert (again.stage, again.round) == ("owed", 2)
    assert round((again.due - world.t0).total_seconds() / 60) == 200 + 48 * 60
    assert len(world.sent("keep_document", "postmortem/draft")) == 2
    await publish(world)


async def test_a_waiver_has_a_name_and_a_reason(world: World) -> None:
    await world.open()
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await quiet(world)
    waiver = WaivePostmortem(by="vp", reason="same as INC-0")
    await process(world).execute_update("waive", waiver, result_type=Receipt)
    ended = await process(world).result()
    assert ended.stage == "waived"
    assert ended.timeline[-1].actor == "vp"
    assert "same as INC-0" in ended.timeline[-1].text


async def test_publication_ends_the_reopen_window(world: World) -> None:
    await world.open()
    await world.at(10)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await publish(world)
    incident = await world.handle.result()
    assert incident.closed
    assert incident.postmortem_published

"""Resolution, reopening, withdrawal, and the end."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from incidents.contracts import AlertBatch
from incidents.domain.alerting.alert import Alert
from incidents.domain.incident.commands import Acknowledge, AddNote, Cancel, DeclareSeverity, Reopen, Resolve
from incidents.domain.incident.display.summary import people_line
from tests.support.environment import World, an_alert


async def test_47_two_people_press_resolve(world: World) -> None:
    await world.open()
    assert (await world.tell(Resolve(by="ann", force=True, reason="fixed"))).changed
    second = await world.tell(Resolve(by="bob", force=True, reason="fixed too"))
    assert not second.changed
    assert "already resolved by ann at" in second.message


async def test_61_a_p0_whose_alert_fires_needs_force_and_a_reason(world: World) -> None:
    await world.open()
    for refused, why in ((Resolve(by="ann"), "Still firing"), (Resolve(by="ann", force=True), "needs a --reason")):
        with pytest.raises(WorkflowUpdateFailedError) as error:
            await world.tell(refused)
        assert why in str(error.value.cause)
    assert (await world.incident()).status == "investigating"
    await world.handle.signal("alert_resolved", AlertBatch(alerts=(await ended(world),)))
    await world.settled()
    await world.tell(Resolve(by="ann"))
    assert (await world.incident()).status == "resolved"


async def ended(world: World) -> Alert:
    return an_alert(world.t0).replace(ended_at=await world.now())


async def test_62_the_last_word_reaches_every_channel_ever_used(world: World) -> None:
    await world.open()
    await world.at(5)
    await world.tell(DeclareSeverity(by="ann", severity="P2"))
    await world.at(10)
    await world.tell(Resolve(by="ann", text="All is well."))

    final = (await world.incident()).updates.published[-1]
    assert final.kind == "final"
    assert set(final.channels) == {"status_page", "slack", "email"}
    for name in ("publish_status", "post_message", "send_mail"):
        [(minute, _)] = world.sent(name, f"update/{final.sequence}/")
        assert minute == 10
    await world.at(10 + 29)
    assert (await world.incident()).updates.published[-1] == final, "no cadence after the resolution"
    assert [effect.action for _, effect in world.sent("settle_page")][-1] == "resolve"


async def test_63_reopening_goes_on_where_it_was(world: World) -> None:
    await world.open()
    await world.tell(Acknowledge(by="ann"))
    await world.at(20)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await world.at(60)
    await world.tell(Reopen(by="bob", reason="it is back"))
    incident = await world.incident()
    assert (incident.number, incident.status, len(incident.intervals)) == (1, "investigating", 1)
    assert len(world.sent("open_channel")) == 1

    await world.at(95)
    assert [m for m, _ in world.sent("publish_status", "update/")] == [0, 20, 60, 90]
    await world.at(100)
    await world.tell(Resolve(by="bob", force=True, reason="fixed"))
    incident = await world.incident()
    spans = [(i.since - world.t0, i.until - world.t0) for i in incident.intervals]
    assert [(round(a.total_seconds() / 60), round(b.total_seconds() / 60)) for a, b in spans] == [(0, 20), (60, 100)]
    assert incident.resolved_at is not None
    assert round((incident.resolved_at - world.t0).total_seconds() / 60) == 100


async def test_88_an_alert_within_the_window_reopens_pages_and_begins_anew(world: World) -> None:
    await world.open()
    await world.tell(Acknowledge(by="ann"))
    await world.at(20)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await world.at(300)
    await world.handle.signal("alert_resolved", AlertBatch(alerts=(await ended(world),)))
    await world.handle.signal("alert_fired", AlertBatch(alerts=(an_alert(await world.now(), name="Again"),)))
    await world.settled()
    assert (await world.incident()).status == "investigating"
    assert [m for m, _ in world.sent("send_page", "/page/")] == [0, 300]
    incident = await world.incident()
    assert (incident.acknowledged_at, incident.roles.commander) == (None, "")
    assert [r.acknowledged_by for r in incident.earlier_responses] == ["ann"]
    assert [m for m, _ in world.sent("query_metrics", "investigate/")] == [0, 300]
    assert "not acknowledged" in world.sent("keep_summary", "summary")[-1][1].text
    await world.tell(Acknowledge(by="bob"))
    assert "acknowledged by bob" in people_line(await world.incident())


async def test_67_a_false_positive_is_corrected_and_owes_nothing(world: World) -> None:
    await world.open()
    await world.at(4)
    await world.tell(Cancel(by="ann", reason="a broken probe"))
    assert (await world.ended()).status == "cancelled"
    corrections = [e for _, e in world.sent("publish_status", "update/2")]
    assert len(corrections) == 1
    assert "false alarm" in corrections[0].body
    assert corrections[0].status == "resolved"
    assert not [call for call in world.activities.calls if "postmortem" in call.effect.key]


async def test_an_incident_without_a_channel_ends_too(world: World) -> None:
    world.activities.final_faults["open_channel"] = "missing_scope"
    await world.open(severity="warning")
    await world.tell(Cancel(by="ann", reason="a broken probe"))
    assert (await world.ended()).closed


async def test_after_the_reopen_window_the_incident_ends_and_its_channel_is_archived(world: World) -> None:
    await world.open(severity="warning")
    await world.at(10)
    await world.tell(Resolve(by="ann"))
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await world.tell(Acknowledge(by="ann"))
    assert "Reopen it first" in str(refused.value.cause)
    assert (await world.tell(AddNote(by="ann", text="a late note"))).changed
    await world.env.sleep(timedelta(hours=25))
    incident = await world.ended()
    assert incident.closed
    assert len(world.sent("archive_channel")) == 1


async def test_a_p2_that_stays_quiet_resolves_by_itself(world: World) -> None:
    await world.open(severity="warning")
    await world.at(2)
    await world.handle.signal("alert_resolved", AlertBatch(alerts=(await ended(world),)))
    await world.at(5)
    assert (await world.incident()).status == "monitoring"
    await world.at(15)
    incident = await world.incident()
    assert (incident.status, incident.resolved_by) == ("resolved", "system")


async def test_a_p0_that_stays_quiet_still_asks_a_person(world: World) -> None:
    await world.open()
    await world.at(2)
    await world.handle.signal("alert_resolved", AlertBatch(alerts=(await ended(world),)))
    await world.at(30)
    assert (await world.incident()).status == "monitoring"
    assert any(text.startswith("No alerts since") for text in await world.said())

"""Alerts of a live incident: a graver one, one that flaps, one whose source cannot be asked."""

from datetime import timedelta

from incidents.contracts import AlertBatch, IncidentInput
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.incident.commands import Acknowledge, Assess, DeclareSeverity, Merge, Unmerge
from incidents.domain.incident.opening import opening_from
from incidents.search_attributes import at_start
from tests.support.environment import QUEUE, World, an_alert
from workflows.incident import IncidentWorkflow


async def test_85_a_graver_alert_pages_anew_and_a_judged_one_does_not(world: World) -> None:
    await world.open(severity="info")
    await world.tell(Acknowledge(by="ann"))
    assert not world.sent("send_page")
    await world.at(60)
    graver = an_alert(await world.now(), name="Down")
    await world.handle.signal("alert_fired", AlertBatch(alerts=(graver,)))
    await world.settled()
    assert (await world.incident()).severity == "P0"
    assert [m for m, _ in world.sent("send_page", "/page/")] == [60]
    assert [e.text for _, e in world.sent("post_message") if "Severity P3 → P0" in e.text]
    await world.at(70)
    await world.tell(DeclareSeverity(by="ann", severity="P2", reason="one tenant"))
    await world.handle.signal("alert_fired", AlertBatch(alerts=(graver,)))
    await world.settled()
    assert (await world.incident()).severity == "P2"


async def test_87_the_end_of_an_alert_that_nobody_can_be_asked_about_stays_unknown(world: World) -> None:
    world.activities.silences = True
    await world.open()
    alert = an_alert(world.t0, name="Probe").replace(source="json")
    await world.handle.signal("alert_fired", AlertBatch(alerts=(alert,)))
    await world.settled()
    await world.tell(Acknowledge(by="ann"))
    [(_, silence)] = world.sent("silence_alerts")
    assert list(silence.alerts) == ["EvaluationErrors"]
    await world.at(6)
    assert {tuple(check.alerts) for _, check in world.sent("check_alerts")} == {("EvaluationErrors",)}
    assert "Probe" in [a.fingerprint for a in (await world.incident()).alerting.firing]
    assert [e.text for _, e in world.sent("post_message") if "json cannot be silenced or polled" in e.text]


async def test_8_five_cycles_in_seven_minutes_are_one_page_and_one_message(world: World) -> None:
    await world.open()
    for cycle in range(5):
        if cycle:
            again = an_alert(await world.now())
            await world.handle.signal("alert_fired", AlertBatch(alerts=(again,)))
        await world.at(1.5 * cycle + 0.7)
        ended = an_alert(world.t0).replace(ended_at=await world.now())
        await world.handle.signal("alert_resolved", AlertBatch(alerts=(ended,)))
        await world.at(1.5 * (cycle + 1))
    assert len(world.sent("send_page", "/page/")) == 1
    assert not [e for _, e in world.sent("settle_page") if e.action == "resolve"]
    said = [e.text for _, e in world.sent("post_message") if "EvaluationErrors" in e.text]
    assert [text for text in said if "Flapping" in text] == said, said
    assert len(said) == 1
    assert {update.status for update in (await world.incident()).updates.published} == {"investigating"}
    await world.at(40)
    incident = await world.incident()
    assert (incident.alerting.flapping, incident.alerting.quiet_until) == (False, None)
    assert len([e for _, e in world.sent("post_message") if "no longer flapping" in e.text]) == 1


async def test_97_an_unknown_service_is_one_page_and_no_customer_communication_until_it_is_named(world: World) -> None:
    await world.open(labels={"service": "x"})
    await world.at(120)
    assert [m for m, _ in world.sent("send_page", "/page/")] == [0], "one page, and nobody is escalated to"
    assert not world.sent("publish_status")
    assert not world.sent("send_mail", "update/")
    assert [
        e.text for _, e in world.sent("post_message") if "UNKNOWN SERVICE: runbook.yaml has no service 'x'" in e.text
    ]
    await world.tell(Assess(by="ann", impact="Webhooks are late.", services=("webhooks",)))
    assert [m for m, _ in world.sent("publish_status")] == [120]
    assert (await world.incident()).service == "webhooks"


async def test_102b_an_incident_that_was_left_open_asks_and_then_resolves(world: World) -> None:
    await world.open(severity="warning")
    await world.tell(Acknowledge(by="ann"))
    await world.at(60)
    ended = an_alert(world.t0, severity="warning").replace(ended_at=await world.now())
    await world.handle.signal("alert_resolved", AlertBatch(alerts=(ended,)))
    await world.at(25 * 60)
    [(minute, message)] = world.sent("post_message", "left-open/")
    assert (minute, "Commander: ann" in message.text) == (24 * 60, True)
    await world.at(50 * 60)
    assert [m for m, _ in world.sent("send_mail", "left-open/")] == [48 * 60]
    incident = await world.incident()
    assert (incident.status, incident.resolved_by) == ("resolved", "system")


async def another(world: World, name: str, severity: str) -> World:
    """A second incident on the same server, opened by an alert of that name."""
    other = World(env=world.env, activities=world.activities, runbook=world.runbook)
    alert = an_alert(await world.now(), severity=severity, name=name)
    opening = opening_from((alert,), name, world.runbook)
    other.handle = await world.env.client.start_workflow(
        IncidentWorkflow.run,
        IncidentInput(opening=opening, runbook=world.runbook),
        id=f"incident-{name}",
        task_queue=QUEUE,
        start_signal="alert_fired",
        start_signal_args=[AlertBatch(alerts=(alert,))],
        search_attributes=at_start(opening),
    )
    other.t0 = (await other.incident()).opened_at
    await other.settled()
    return other


async def test_65_alerts_of_a_merged_incident_follow_and_the_merge_can_be_undone(world: World) -> None:
    await world.open(severity="warning")
    other = await another(world, "Other", "critical")
    into = await world.incident()
    await other.tell(Merge(by="bob", into=into.number or 0, workflow_id=into.workflow_id, reason="same cause"))
    await world.settled()
    incident = await world.incident()
    assert incident.severity == "P0"
    assert [alert.fingerprint for alert in incident.alerting.firing] == ["EvaluationErrors", "Other"]
    later = an_alert(await world.now(), name="Later")
    await other.handle.signal("alert_fired", AlertBatch(alerts=(later,)))
    await other.settled()
    await world.settled()
    assert "Later" in [alert.fingerprint for alert in (await world.incident()).alerting.firing]
    assert (await other.incident()).over
    await other.tell(Unmerge(by="bob", reason="two causes"))
    await world.settled()
    assert (await other.incident()).status == "investigating"
    assert (await world.incident()).merging.absorbed == ()
    await other.handle.terminate("the test is over")


async def test_15_what_still_fires_at_the_end_of_maintenance_opens_then(world: World) -> None:
    now = await world.now()
    window = MaintenanceWindow(since=now, until=now + timedelta(hours=1), service="flag-evaluation", reason="upgrade")
    world.runbook = world.runbook.replace(maintenance=(window,))
    await world.open()
    await world.at(59)
    assert world.activities.calls == []
    assert (await world.incident()).number is None
    await world.at(62)
    [(minute, _)] = world.sent("send_page", "/page/")
    assert minute in (59, 60)
    assert (await world.incident()).number is not None

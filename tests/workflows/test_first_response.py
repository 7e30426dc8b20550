"""The first response: what goes out at once, in which order, and what a failure does to it."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from incidents.domain.incident.checklist import Step, StepStatus
from incidents.domain.incident.commands import (
    Acknowledge,
    AddNote,
    Assess,
    AssignRole,
    DeclareSeverity,
    Role,
    SettleStep,
)
from tests.support.environment import World


async def test_a_p0_runs_its_whole_first_response_at_once(world: World) -> None:
    await world.open()
    incident = await world.incident()

    assert incident.number == 1
    assert [minute for minute, _ in world.sent("send_page", "page/0")] == [0]
    assert [minute for minute, _ in world.sent("open_channel")] == [0]
    assert [minute for minute, _ in world.sent("open_bridge")] == [0]
    published = {name: world.sent(name, "update/1") for name in ("publish_status", "post_message", "send_mail")}
    assert {name: [minute for minute, _ in calls] for name, calls in published.items()} == {
        "publish_status": [0],
        "post_message": [0],
        "send_mail": [0],
    }
    assert {s.step: s.status for s in incident.steps} == {
        Step.ACKNOWLEDGE: StepStatus.PENDING,
        Step.ASSESS: StepStatus.PENDING,
        Step.SEVERITY: StepStatus.DONE,
        Step.TIMER: StepStatus.DONE,
        Step.CHANNEL: StepStatus.DONE,
        Step.COMMUNICATE: StepStatus.DONE,
        Step.INVESTIGATE: StepStatus.DONE,
    }


async def test_16_the_page_goes_first_and_waits_for_nothing(world: World) -> None:
    world.activities.faults["open_channel"] = 3
    world.activities.faults["allocate_number"] = 2
    await world.open(settle=False)
    await world.settled(but="channel")

    [page] = [call for call in world.activities.calls if call.name == "send_page" and "page/0" in call.effect.key]
    assert page.at == min(call.at for call in world.activities.calls), "nothing is scheduled before it"
    assert page.effect.dedup_key == world.handle.id
    numbered = [call for call in world.activities.calls if call.name == "allocate_number"][-1]
    assert page.at < numbered.at, "the page waits for no number"


async def test_16_a_failing_optional_step_blocks_no_other(world: World) -> None:
    world.activities.final_faults["open_bridge"] = "Zoom refuses: plan too small"
    await world.open()
    incident = await world.incident()

    assert incident.step(Step.CHANNEL).status is StepStatus.FAILED
    assert "plan too small" in incident.step(Step.CHANNEL).detail
    assert world.sent("publish_status", "update/1")
    assert world.sent("open_channel")
    assert any("plan too small" in text and "--retry" in text for text in await world.said())


async def test_17_a_failed_step_can_be_tried_again(world: World) -> None:
    world.activities.final_faults["open_channel"] = "missing scope"
    await world.open()
    assert (await world.incident()).step(Step.CHANNEL).status is StepStatus.FAILED
    del world.activities.final_faults["open_channel"]

    await world.tell(SettleStep(by="ann", step="channel", how="retry"))

    incident = await world.incident()
    assert incident.step(Step.CHANNEL).status is StepStatus.DONE
    assert incident.resources.channel_id == "C1"
    assert [call.effect.again for call in world.activities.calls if call.name == "open_channel"] == [False, True]
    assert world.sent("post_message", "notice"), "what was said while there was no channel is said now"


async def test_17_a_failed_step_can_be_skipped_or_done_by_hand(world: World) -> None:
    world.activities.final_faults |= {"open_channel": "no", "query_logs": "no"}
    await world.open()

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await world.tell(SettleStep(by="ann", step="channel", how="skip"))
    assert "needs a reason" in str(refused.value.cause)
    await world.tell(SettleStep(by="ann", step="channel", how="skip", reason="we use the phone"))
    await world.tell(SettleStep(by="ann", step="investigate", how="done"))

    incident = await world.incident()
    assert incident.step(Step.CHANNEL).status is StepStatus.SKIPPED
    assert incident.step(Step.CHANNEL).detail == "skipped: we use the phone"
    assert incident.step(Step.INVESTIGATE).status is StepStatus.DONE


async def test_4_an_acknowledgement_before_the_first_workflow_task_counts_with_its_own_time(world: World) -> None:
    """A signal that beats the incident's own opening: no worker has run yet."""
    from incidents.contracts import IncidentInput
    from incidents.domain.incident.opening import opening_from
    from tests.support.environment import QUEUE, an_alert
    from workflows.incident import IncidentWorkflow

    t0 = await world.now()
    alert = an_alert(t0 - timedelta(minutes=4))
    opening = opening_from((alert,), "early", world.runbook)
    world.t0 = t0
    world.handle = await world.env.client.start_workflow(
        IncidentWorkflow.run,
        IncidentInput(opening=opening, runbook=world.runbook),
        id="incident-early",
        task_queue=QUEUE,
        start_signal="acknowledge",
        start_signal_args=[Acknowledge(by="ann", at=t0 - timedelta(minutes=2))],
    )
    await world.settled()
    incident = await world.incident()

    assert incident.acknowledged_by == "ann"
    assert incident.acknowledged_at == t0 - timedelta(minutes=2)
    assert not world.sent("send_page", "page/0"), "who is on it already is not paged"


async def test_the_acknowledgement_stops_the_paging_and_is_said(world: World) -> None:
    await world.open()
    await world.at(3)
    receipt = await world.tell(Acknowledge(by="ann"))

    assert receipt.changed
    assert [(m, e.action) for m, e in world.sent("settle_page")] == [(3, "acknowledge")]
    assert any(e.text == "Acknowledged by ann" for _, e in world.sent("post_message", "notice"))
    await world.at(20)
    assert not world.sent("send_page", "on_call_backup")
    again = await world.tell(Acknowledge(by="bob"))
    assert not again.changed
    assert "acknowledged by ann" in again.message


async def test_nobody_acknowledges_so_the_next_level_is_paged(world: World) -> None:
    await world.open()
    await world.at(6)
    assert [minute for minute, _ in world.sent("send_page", "on_call_backup")] == [5]


async def test_11_an_alert_without_a_severity_is_a_p1_that_asks_for_triage(world: World) -> None:
    await world.open(severity=None)
    incident = await world.incident()
    assert (incident.severity, incident.needs_triage) == ("P1", True)
    assert incident.step(Step.SEVERITY).status is StepStatus.PENDING

    await world.tell(DeclareSeverity(by="ann", severity=incident.severity))
    incident = await world.incident()
    assert (incident.severity, incident.needs_triage) == ("P1", False)
    assert incident.step(Step.SEVERITY).status is StepStatus.DONE


async def test_30_the_same_severity_again_is_refused_without_noise(world: World) -> None:
    await world.open()
    before = len(world.activities.calls)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await world.tell(DeclareSeverity(by="ann", severity=(await world.incident()).severity))
    assert "is already P0" in str(refused.value.cause)
    assert len(world.activities.calls) == before


async def test_a_refused_or_malformed_signal_is_written_down_and_wedges_nothing(world: World) -> None:
    await world.open()
    await world.handle.signal("resolve", {"no": "such field"})
    await world.handle.signal("declare_severity", {"by": "eve", "severity": "P9"})
    await world.handle.signal("declare_severity", {"by": "eve", "severity": "P0"})
    await world.handle.signal("acknowledge", "not even an object")
    await world.settled()

    refused = [entry for entry in (await world.incident()).timeline if entry.kind == "refused"]
    assert len(refused) == 4
    assert refused[2].actor == "eve"
    assert "is already P0" in refused[2].text
    assert (await world.tell(AddNote(by="ann", text="still here"))).changed


async def test_a_command_with_the_same_id_is_applied_once(world: World) -> None:
    await world.open()
    await world.tell(AddNote(by="ann", text="once", id="c-1"))
    await world.handle.signal("add_note", AddNote(by="ann", text="once", id="c-1"))
    await world.settled()
    assert (await world.said()).count("once") == 1


async def test_the_assessment_speaks_to_customers(world: World) -> None:
    await world.open()
    await world.tell(Assess(by="ann", impact="Evaluations fail for 12 customers.", title="Evaluation outage"))
    await world.at(31)
    [(_, mail)] = world.sent("send_mail", "update/2")
    assert mail.subject == "[INCIDENT] FeatureSignals P0 — Evaluation outage"
    assert "Impact: Evaluations fail for 12 customers." in mail.text
    assert "EvaluationErrors" not in mail.text, "customers never read the alert's own words"


async def test_91_a_p0_that_reaches_nobody_is_announced_once(world: World) -> None:
    world.activities.off["send_page"] = "PagerDuty not configured (PAGERDUTY_ROUTING_KEY is not set)"
    await world.open()
    line = "NOBODY CAN BE PAGED for P0: PagerDuty not configured (PAGERDUTY_ROUTING_KEY is not set)."
    assert [m for m, e in world.sent("post_message", "notice") if e.text.startswith(line)] == [0]
    await world.at(40)
    assert len([e for _, e in world.sent("post_message", "notice") if e.text.startswith(line)]) == 1
    newest = world.sent("keep_summary", "summary")[-1][1]
    assert line in newest.text


async def test_92_the_page_goes_out_at_once_and_is_completed_once(world: World) -> None:
    await world.open()
    [(first_minute, first)] = world.sent("send_page", "/page/0")
    [(minute, update)] = world.sent("send_page", "page-update/0")
    assert (first_minute, minute, first.dedup_key) == (0, 0, update.dedup_key)
    assert first.details["incident"] == "flag-evaluation:production"
    assert update.details["incident"] == "INC-1"
    assert update.links == {
        "Channel": "https://chat.example/C1",
        "War room": "https://meet.example/1",
    }
    await world.at(4)
    assert len(world.sent("send_page", "page-update/")) == 1


async def test_95_the_assignee_of_a_role_is_mentioned_in_the_channel(world: World) -> None:
    await world.open()
    await world.tell(AssignRole(by="ann", role=Role.COMMANDER, person="bob"))
    [told] = [e for _, e in world.sent("post_message", "notice") if e.text == "Commander: bob"]
    assert told.mentions == ("bob",)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await world.tell(AssignRole(by="ann", role=Role.COMMANDER))
    assert "Who is commander?" in str(refused.value.cause)

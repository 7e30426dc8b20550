"""Behaviors as pure rules: which obligations an incident has, and when, after which commands and facts."""

from datetime import timedelta

import pytest

from incidents.domain import apply_event as facts
from incidents.domain import apply_result as outcomes
from incidents.domain.activity_results import ActivityResult
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.config.communication import Channel, EscalateFrom
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.command import Command
from incidents.domain.core.status import Status
from incidents.domain.incident import commands as c
from incidents.domain.incident.checklist import Step, StepStatus
from incidents.domain.incident.display.current_details import render_current_details
from incidents.domain.incident.display.summary import checklist_lines, summary_text
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident
from incidents.domain.incident.state import Opening
from incidents.domain.numbering import Allocation, Ledger
from incidents.domain.postmortem.incident_obligations import postmortem_owed
from incidents.domain.updates.messages import customer_message
from incidents.domain.updates.publishing import next_due, scheduled_text
from tests.support.incidents import RUNBOOK, T0, at, firing, keys, lived, obligation, opened, settled

P0, P1, P2, P3 = RUNBOOK.severity_names


def told(incident: Incident, command: Command, minute: float) -> Incident:
    return settled(apply_command(incident, command, RUNBOOK, at(minute)), at(minute))


def test_3_numbers_are_never_given_twice() -> None:
    ledger = Ledger()
    given = []
    for run in ("a", "b", "a", "c"):
        ledger, allocated = ledger.allocate(Allocation(first_run_id=run, workflow_id=f"incident-{run}"))
        given.append(allocated.number)
    assert given == [1, 2, 1, 3]
    found = ledger.find(2)
    assert found is not None
    assert found.workflow_id == "incident-b"
    assert ledger.find(4) is None


def test_4_the_time_to_acknowledge_is_the_acknowledgements_own() -> None:
    incident = apply_command(opened(), c.Acknowledge(by="ann", at=at(2)), RUNBOOK, at(5))
    assert incident.acknowledged_at == at(2)
    early = apply_command(opened(), c.Acknowledge(by="ann", at=at(-60)), RUNBOOK, at(5))
    assert early.acknowledged_at == T0, "nobody acknowledges what has not begun"
    late = apply_command(opened(), c.Acknowledge(by="ann", at=at(60)), RUNBOOK, at(5))
    assert late.acknowledged_at == at(5), "nor in the future"


def test_6_an_alert_that_ends_by_itself_only_needs_watching() -> None:
    incident = facts.alert_fired(opened(), (firing(),), RUNBOOK, T0)
    ended = facts.alert_resolved(incident, (firing().replace(ended_at=at(2)),), RUNBOOK, at(2))
    assert ended.status == Status.INVESTIGATING, "8: it may fire again within the quiet period"
    ended = lived(ended, 2, 4)
    assert ended.status == Status.MONITORING
    assert not keys(ended, "page/")
    worked_on = apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(1))
    same = lived(facts.alert_resolved(worked_on, (firing().replace(ended_at=at(2)),), RUNBOOK, at(2)), 2, 4)
    assert same.status == Status.INVESTIGATING, "7: once a person is on it, the machine decides nothing"


def test_16_the_page_is_first_among_what_is_due_at_once() -> None:
    assert keys(opened())[0] == "page/0/P0"


def test_17_a_failed_step_says_why_and_what_next() -> None:
    incident = settled(opened().replace(), T0)
    fresh = opened().replace(number=1)
    failed = outcomes.failed(fresh, obligation(fresh, "channel"), "missing_scope", RUNBOOK, T0, attempts=4)
    failed = outcomes.fulfilled(failed, obligation(failed, "war-room"), ActivityResult(), RUNBOOK, T0)
    state = failed.step(Step.CHANNEL)
    assert (state.status, state.detail) == (StepStatus.FAILED, "missing_scope (4 attempts)")
    next_step = "Next: `incident step 1 channel` with --retry, --skip or --done"
    assert failed.timeline[-2].text == f"Failed: Open the incident's channel: missing_scope (4 attempts). {next_step}"
    line = checklist_lines(failed)[list(Step).index(Step.CHANNEL)]
    assert line == f"✗ 5. Open an incident channel — failed: missing_scope (4 attempts). {next_step}"
    assert "channel" not in keys(failed)
    again = apply_command(failed, c.SettleStep(by="ann", step="channel", how="retry"), RUNBOOK, at(1))
    assert "channel" in keys(again)
    with pytest.raises(CommandRejected, match="did not fail"):
        apply_command(incident, c.SettleStep(by="ann", step="channel", how="retry"), RUNBOOK, at(1))


def test_17_the_pinned_summary_of_an_older_history_stays_as_it_was_recorded() -> None:
    """Its failures have no attempts; another text would be another activity on a replay."""
    fresh = opened().replace(number=1)
    for attempts, said in ((None, "missing_scope\n"), (2, "failed: missing_scope (2 attempts). Next: `incident step")):
        failed = outcomes.failed(fresh, obligation(fresh, "channel"), "missing_scope", RUNBOOK, T0, attempts=attempts)
        failed = outcomes.fulfilled(failed, obligation(failed, "war-room"), ActivityResult(), RUNBOOK, T0)
        assert f"✗ 5. Open an incident channel — {said}" in summary_text(failed, RUNBOOK, [])


def test_17_attempts_that_are_not_known_are_not_named() -> None:
    fresh = opened().replace(number=1)
    failed = outcomes.failed(fresh, obligation(fresh, "channel"), "missing_scope", RUNBOOK, T0)
    assert "missing_scope. Next" in failed.timeline[-1].text
    once = outcomes.failed(fresh, obligation(fresh, "channel"), "missing_scope", RUNBOOK, T0, attempts=1)
    assert "missing_scope (1 attempt). Next" in once.timeline[-1].text


def test_26_the_clock_starts_with_the_alert() -> None:
    opening = Opening(
        key="k", title="t", service="s", severity=P0, alerted_at=at(-5), source="alertmanager", reporter="alertmanager"
    )
    incident = open_incident(opening, RUNBOOK, T0, workflow_id="w", first_run_id="r")
    assert (incident.started_at, incident.opened_at) == (at(-5), T0)
    assert "opened 5m after the alert" in incident.step(Step.TIMER).detail
    future = open_incident(opening.replace(alerted_at=at(5)), RUNBOOK, T0, workflow_id="w", first_run_id="r")
    assert future.started_at == T0
    assert "(in the future)" in future.step(Step.TIMER).detail


def test_27_lowered_in_mid_cadence() -> None:
    incident = lived(told(opened(), c.Acknowledge(by="ann"), 0), 0, 5)
    incident = lived(incident, 6, 9)
    incident = told(incident, c.DeclareSeverity(by="ann", severity=P2), 10)
    final = incident.updates.published[-1]
    assert final.channels == (Channel.STATUS_PAGE, Channel.SLACK, Channel.EMAIL)
    assert next_due(incident, RUNBOOK) == final.next_at == at(240)
    assert "Next Update: 2026-11-23 18:00 UTC" in customer_message(incident, final, RUNBOOK).body
    assert any("Cancelled" in entry.text and "CEO" in entry.text for entry in incident.timeline)


def test_28_raised_calls_from_that_moment() -> None:
    incident = told(opened(P2), c.DeclareSeverity(by="ann", severity=P0), 100)
    assert any(key.startswith("escalate/P0/1/cto/") for key in incident.ledger.fulfilled)
    assert obligation(incident, "escalate/P0/1/ceo/page").due == at(130)
    assert incident.updates.published[-1].channels == RUNBOOK.policy(P0).updates.channels
    assert next_due(incident, RUNBOOK) == at(130)


@pytest.mark.parametrize(("raised", "ceo"), [(10, 30), (100, 100)])
def test_28_a_runbook_may_count_from_the_declaration(raised: float, ceo: float) -> None:
    declared = RUNBOOK.escalation.replace(escalate_from=EscalateFrom.DECLARED)
    runbook = RUNBOOK.replace(escalation=declared)
    incident = apply_command(settled(opened(P2), T0), c.DeclareSeverity(by="ann", severity=P0), runbook, at(raised))
    [call] = [o for o in agenda(incident, runbook) if o.key == "escalate/P0/1/ceo/page"]
    assert call.due == at(ceo), "what is past by then is due at once"


def test_29_bouncing() -> None:
    incident = settled(opened(), T0)
    incident = told(incident, c.DeclareSeverity(by="a", severity=P1), 10)
    short = told(incident, c.DeclareSeverity(by="a", severity=P0), 25)
    assert not [k for k in short.ledger.fulfilled if k.startswith("escalate/P0/2/")]
    assert obligation(short, "escalate/P0/0/ceo/page").due == at(30)
    long = told(incident, c.DeclareSeverity(by="a", severity=P0), 26)
    assert obligation(long, "escalate/P0/2/ceo/page").due == at(56)


def test_30_the_same_severity_is_refused_unless_it_confirms() -> None:
    with pytest.raises(CommandRejected, match="is already P0"):
        apply_command(opened(), c.DeclareSeverity(by="a", severity=P0), RUNBOOK, at(1))
    unsure = opened(P1, needs_triage=True)
    assert not apply_command(unsure, c.DeclareSeverity(by="a", severity=P1), RUNBOOK, at(1)).needs_triage


def test_31_a_due_time_long_past_is_made_up_for_once() -> None:
    incident = told(lived(opened(P3), 0, 5), c.DeclareSeverity(by="a", severity=P0), 300)
    assert [u.at for u in incident.updates.published] == [at(300)]
    assert next_due(incident, RUNBOOK) == at(330)


def test_32_by_hand_at_25_moves_the_next_to_55() -> None:
    incident = told(settled(opened(), T0), c.PostUpdate(by="a", text="found it"), 25)
    assert next_due(incident, RUNBOOK) == at(55)


def test_33_the_next_time_is_said_once_in_a_message() -> None:
    incident = lived(opened(), 0, 31)
    message = customer_message(incident, incident.updates.published[-1], RUNBOOK).body
    assert message.count("2026-11-23 15:00 UTC") == 1
    bare = RUNBOOK.replace(templates=RUNBOOK.templates.replace(body="{WHAT_WE_KNOW_AND_WHAT_WE'RE_DOING}"))
    text, _ = scheduled_text(incident, bare, at(60), at(90))
    assert text.endswith("Next update: 2026-11-23 15:30 UTC (21:00 IST)."), "where the template does not say it"


def test_33_a_text_without_the_time_is_not_repeated_word_for_word() -> None:
    texts = RUNBOOK.templates.texts.replace(still_investigating="No change since {SINCE}.")
    old = RUNBOOK.replace(templates=RUNBOOK.templates.replace(texts=texts))
    incident = lived(opened(), 0, 1)
    first, _ = scheduled_text(incident, old, at(30), at(60))
    said = incident.updates.published[-1].replace(text=first, at=at(30), news=False)
    incident = incident.replace(updates=incident.updates.replace(published=(*incident.updates.published, said)))
    second, _ = scheduled_text(incident, old, at(60), at(90))
    assert first == "No change since 2026-11-23 14:00 UTC (19:30 IST)."
    assert second == f"{first} Next update: 2026-11-23 15:30 UTC (21:00 IST)."


def test_33_no_news_is_never_said_twice_alike_and_is_nudged_after_three() -> None:
    incident = lived(opened(), 0, 91)
    texts = [u.text for u in incident.updates.published]
    assert len(texts) == 4
    assert len(set(texts)) == 4
    assert texts[1] == (
        "As of 2026-11-23 14:30 UTC (20:00 IST), we are still investigating."
        " No change since 2026-11-23 14:00 UTC (19:30 IST)."
    )
    assert [k for k in incident.ledger.fulfilled if k.endswith("/nudge")] == ["update/5/nudge"]


def test_34_a_draft_gives_two_minutes_of_grace_and_is_kept() -> None:
    incident = lived(opened(), 0, 28)
    incident = told(incident, c.PostUpdate(by="a", text="draft", when=c.Publication.DRAFT), 29)
    assert next(o for o in agenda(incident, RUNBOOK) if o.key == "update/2").due == at(32)
    incident = lived(incident, 30, 32)
    assert incident.updates.published[-1].at == at(32)
    assert incident.updates.draft == "draft"
    assert next_due(incident, RUNBOOK) == at(60)


def test_37_two_missed_updates_become_one_late_one_on_the_old_grid() -> None:
    incident = settled(opened(), T0)
    incident = settled(incident, at(70))
    assert [u.at for u in incident.updates.published] == [T0, at(70)]
    assert any("was 40m late" in entry.text for entry in incident.timeline)
    assert next_due(incident, RUNBOOK) == at(90)


def test_39_a_p3_owes_no_update_but_a_comment_at_the_end() -> None:
    incident = lived(opened(P3), 0, 3)
    assert next_due(incident, RUNBOOK) is None
    with pytest.raises(CommandRejected, match="no scheduled updates"):
        apply_command(incident, c.PostUpdate(by="a", text="x", when=c.Publication.NEXT), RUNBOOK, at(3))
    ended = apply_command(incident, c.Resolve(by="a"), RUNBOOK, at(4))
    owed = [key for key in keys(ended, "update/") if not key.endswith("/overdue")]
    assert owed == ["update/1/issue_tracker"]


def test_42_acknowledged_does_not_stop_the_ceo_but_mitigated_does() -> None:
    incident = told(settled(opened(), T0), c.Acknowledge(by="a"), 3)
    assert obligation(incident, "escalate/P0/0/ceo/page").due == at(30)
    assert not keys(incident, "escalate/P0/0/on_call_backup")
    assert not keys(told(incident, c.Monitor(by="a"), 10), "escalate/P0/0/ceo")


def test_43_the_resolution_lapses_the_call_and_says_how_close_it_was() -> None:
    incident = settled(opened(), T0)
    resolved = apply_command(incident, c.Resolve(by="a"), RUNBOOK, T0 + timedelta(minutes=29, seconds=59))
    assert not keys(resolved, "escalate/")
    assert any("Escalate to CEO by page (was due in 1s)" in entry.text for entry in resolved.timeline)


def test_47_the_second_resolution_is_told_who_was_first() -> None:
    resolved = apply_command(opened(), c.Resolve(by="ann"), RUNBOOK, at(3))
    with pytest.raises(AlreadyDone, match="already resolved by ann at 14:03 UTC"):
        apply_command(resolved, c.Resolve(by="bob"), RUNBOOK, at(4))


def test_61_force_with_a_reason_for_p0_and_p1_only() -> None:
    for severity, refused in ((P0, True), (P1, True), (P2, False), (P3, False)):
        incident = facts.alert_fired(opened(severity), (firing(),), RUNBOOK, T0)
        if refused:
            with pytest.raises(CommandRejected, match="Still firing"):
                apply_command(incident, c.Resolve(by="a"), RUNBOOK, at(1))
            incident = apply_command(incident, c.Resolve(by="a", force=True, reason="seen"), RUNBOOK, at(1))
        else:
            incident = apply_command(incident, c.Resolve(by="a"), RUNBOOK, at(1))
        assert incident.status == Status.RESOLVED


def test_62_the_final_update_goes_wherever_one_ever_went() -> None:
    incident = told(settled(opened(), T0), c.DeclareSeverity(by="a", severity=P2), 5)
    resolved = apply_command(incident, c.Resolve(by="a"), RUNBOOK, at(10))
    assert resolved.updates.published[-1].channels == (Channel.STATUS_PAGE, Channel.SLACK, Channel.EMAIL)


def test_63_reopening_keeps_both_intervals() -> None:
    incident = apply_command(opened(), c.Resolve(by="a"), RUNBOOK, at(20))
    incident = apply_command(incident, c.Reopen(by="a", reason="back"), RUNBOOK, at(40))
    assert incident.resolved_at is None
    assert next_due(incident, RUNBOOK) == at(70)
    incident = apply_command(incident, c.Resolve(by="a"), RUNBOOK, at(50))
    assert [(i.since, i.until) for i in incident.intervals] == [(T0, at(20)), (at(40), at(50))]


def test_64_not_after_the_post_mortem_is_published() -> None:
    incident = facts.postmortem_published(apply_command(opened(), c.Resolve(by="a"), RUNBOOK, at(20)), at(30), "url")
    with pytest.raises(CommandRejected, match="open a new incident"):
        apply_command(incident, c.Reopen(by="a", reason="back"), RUNBOOK, at(40))


def test_67_a_false_positive_owes_nothing_but_the_correction() -> None:
    incident = apply_command(settled(opened(), T0), c.Cancel(by="a", reason="probe"), RUNBOOK, at(3))
    assert not postmortem_owed(incident, RUNBOOK)
    assert {o.kind.value for o in agenda(incident, RUNBOOK)} >= {"deliver", "resolve_page"}
    assert settled(incident, at(3)).closed


def test_69_the_highest_severity_ever_decides() -> None:
    incident = told(settled(opened(P0), T0), c.DeclareSeverity(by="a", severity=P3), 5)
    assert postmortem_owed(apply_command(incident, c.Resolve(by="a"), RUNBOOK, at(6)), RUNBOOK)
    assert not postmortem_owed(apply_command(opened(P2), c.Resolve(by="a"), RUNBOOK, at(6)), RUNBOOK)


def test_a_storm_of_one_alert_is_one_line_and_a_count() -> None:
    incident = opened()
    for minute in range(50):
        incident = facts.alert_fired(incident, (firing(),), RUNBOOK, at(minute))
    [alert] = incident.alerting.alerts
    assert alert.times == 50
    assert len([e for e in incident.timeline if e.kind == "alert"]) == 1


def test_a_superseded_first_update_still_completes_the_step() -> None:
    incident = opened().replace(number=1)
    incident = apply_command(incident, c.PostUpdate(by="a", text="already more"), RUNBOOK, T0)
    assert settled(incident, T0).step(Step.COMMUNICATE).status is StepStatus.DONE


def test_the_board_shows_status_people_and_the_next_five_duties() -> None:
    text = render_current_details(settled(opened(), T0), RUNBOOK)
    assert "INC-1 · P0 · investigating · Evaluation errors" in text
    assert "Commander: unassigned" in text
    obligations = text.split("**Up next**\n\n")[1].split("\n\n")[0].splitlines()
    assert len(obligations) == 5
    assert obligations[0] == "- 2026-11-23 14:05:00 UTC — Escalate to Second on-call engineer by page"


def test_35_what_never_went_out_is_named_once_when_it_is_superseded() -> None:
    incident = opened().replace(number=1)
    for minute in (1, 2):
        incident = apply_command(incident, c.PostUpdate(by="a", text=f"news {minute}"), RUNBOOK, at(minute))
    lines = [entry.text for entry in incident.timeline if entry.kind == "update"]
    assert "superseded" not in lines[0]
    assert [line.count("update 1 on status_page") for line in lines[1:]] == [1, 0]
    assert "update 2 on status_page" in lines[2]
    owed = [key for key in keys(incident, "update/3/") if not key.endswith("/overdue")]
    assert owed == ["update/3/email", "update/3/status_page"], "Slack waits for its channel"

"""Random commands, alerts, failures and clock steps never break what must always hold."""

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.domain import apply_event as facts
from incidents.domain import apply_result as outcomes
from incidents.domain.activity_results import ActivityResult
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import COMMANDS, apply_command
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.command import Command
from incidents.domain.core.severity import Severity
from incidents.domain.evidence.obligations import evidence_key
from incidents.domain.incident import commands as c
from incidents.domain.incident.display.current_details import render_current_details
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import ObligationKind
from incidents.domain.postmortem import commands as l
from incidents.domain.postmortem import events as learning_facts
from incidents.domain.postmortem.apply_command import apply_command as decide_postmortem
from incidents.domain.postmortem.build_request import postmortem_request
from incidents.domain.postmortem.incident_obligations import postmortem_owed
from incidents.domain.postmortem.obligations import registry as postmortem_registry
from incidents.domain.postmortem.obligations.registry import postmortem_agenda
from incidents.domain.postmortem.postmortem import open_postmortem, restart_deadline, withdraw
from incidents.domain.registry import spec_of
from incidents.domain.rollback import events as rollback_facts
from incidents.domain.rollback.commands import (
    ApproveRollback,
    DeclineRollback,
    FlagRelease,
    JudgeRollback,
    RequestRollback,
)
from incidents.domain.rollback.known_good import Deployment, Offer
from incidents.domain.rollback.order import RollbackProgress, RollbackResult
from incidents.domain.rollback.state import RollbackStatus
from tests.support.incidents import RUNBOOK, T0, WRITTEN, firing, fulfil, opened, settled
from tests.support.thoroughness import by_thoroughness

Step = Callable[[Incident, datetime], Incident]

who = st.sampled_from(["ann", "bob"])
words = st.sampled_from(["", "because", "{SEVERITY} | ` <b>"])
said = st.sampled_from(["because", "{SEVERITY} | ` <b>"])
COMMAND: st.SearchStrategy[Command] = st.one_of(
    st.builds(c.Acknowledge, by=who, id=st.sampled_from(["", "a-1"]), at=st.sampled_from([None, T0])),
    st.builds(c.Assess, by=who, impact=said, customers=st.just(("ACME", "Globex")), title=st.none() | said),
    st.builds(c.DeclareSeverity, by=who, severity=st.sampled_from(RUNBOOK.severity_names), reason=words),
    st.builds(c.PostUpdate, by=who, text=said, when=st.sampled_from(c.Publication)),
    st.builds(c.HoldUpdate, by=who, minutes=st.sampled_from([1, 20, 90]), reason=said),
    st.builds(c.Escalate, by=who, revision=st.sampled_from([0, 1, 40])),
    st.builds(c.AssignRole, by=who, role=st.sampled_from(c.Role), person=st.sampled_from(["", "ann", "bob"])),
    st.builds(c.MakePrivate, by=who, reason=said),
    st.builds(c.AddNote, by=who, text=said, id=st.sampled_from(["", "n-1"])),
    st.builds(
        c.SettleStep,
        by=who,
        step=st.sampled_from(["channel", "communicate", "investigate", "assess", "invite", "nonsense"]),
        how=st.sampled_from(["retry", "skip", "done"]),
        reason=words,
    ),
    st.builds(RequestRollback, by=who, forward=st.booleans(), insist=st.booleans()),
    st.builds(ApproveRollback, by=who, cluster=st.sampled_from(["", "eu-001", "mars"])),
    st.builds(DeclineRollback, by=who, reason=said),
    st.builds(JudgeRollback, by=who, healthy=st.booleans(), reason=words),
    st.builds(FlagRelease, by=who, version=st.sampled_from(["good", "v0"]), reason=said),
    st.builds(c.ConfirmRecovery, by=who, restored=st.booleans()),
    st.builds(c.Monitor, by=who, text=words),
    st.builds(c.Resolve, by=who, text=words, force=st.booleans(), reason=words),
    st.builds(c.Reopen, by=who, reason=said),
    st.builds(c.Cancel, by=who, reason=said),
    st.builds(c.Merge, by=who, into=st.just(42), workflow_id=st.just("incident-42"), reason=words),
    st.builds(c.Unmerge, by=who, reason=words),
    st.builds(c.StartPostmortem, by=who),
    st.builds(c.ReviewDrill, by=who, text=said),
    st.builds(
        c.CorrectTime,
        by=who,
        which=st.sampled_from(c.Mark),
        to=st.integers(-30, 200).map(lambda minutes: T0 + timedelta(minutes=minutes)),
        reason=said,
    ),
)


def test_every_command_takes_part() -> None:
    kinds: set[type[Command]] = set()

    @settings(max_examples=by_thoroughness(100, 300), deadline=None, database=None, derandomize=True)
    @given(COMMAND)
    def collect(command: Command) -> None:
        kinds.add(type(command))

    collect()
    assert kinds == set(COMMANDS)


def commanded(command: Command) -> Step:
    def step(incident: Incident, at: datetime) -> Incident:
        try:
            return apply_command(incident, command, RUNBOOK, at)
        except (CommandRejected, AlreadyDone):
            return incident

    return step


def alerted(name: str, ends: bool) -> Step:
    def step(incident: Incident, at: datetime) -> Incident:
        alert = firing(name, at)
        if ends:
            return facts.alert_resolved(incident, (alert.replace(ended_at=at),), RUNBOOK, at)
        return facts.alert_fired(incident, (alert,), RUNBOOK, at)

    return step


def worked(fate: str) -> Step:
    """Do the first thing that is due: well, badly, or not at all."""

    def step(incident: Incident, at: datetime) -> Incident:
        due = [obligation for obligation in agenda(incident, RUNBOOK) if obligation.due <= at]
        if not due:
            return incident
        obligation = due[0]
        if spec_of(obligation).apply_due or fate == "done":
            after = fulfil(incident, obligation, at)
            if not spec_of(obligation).apply_due:
                twice = outcomes.fulfilled(after, obligation, ActivityResult(), RUNBOOK, at)
                assert twice == after, "fulfilled at most once"
            return after
        if fate == "failed" and obligation.kind is not ObligationKind.NUMBER:
            return outcomes.failed(outcomes.begun(incident, obligation, RUNBOOK), obligation, "it broke", RUNBOOK, at)
        if fate == "skipped" and obligation.kind is not ObligationKind.NUMBER:
            return outcomes.fulfilled(incident, obligation, ActivityResult(skipped="it is off"), RUNBOOK, at)
        return outcomes.begun(incident, obligation, RUNBOOK)

    return step


def offered(incident: Incident, at: datetime) -> Incident:
    if incident.rollback.clusters:
        return incident
    bad = Deployment(id="2", cluster="eu-001", version="bad", status="success", started_at=T0)
    good = bad.replace(id="1", version="good", started_at=T0 - timedelta(days=1))
    return rollback_facts.apply_offers(
        incident, (Offer(cluster="eu-001", suspect=bad, candidate=good, reason="new"),), RUNBOOK, at
    )


def rolled_back(verdict: RollbackStatus) -> Step:
    def step(incident: Incident, at: datetime) -> Incident:
        if not any(state.status.under_way for state in incident.rollback.clusters):
            return incident
        attempt = incident.rollback.clusters[0].attempt
        moved = RollbackProgress(cluster="eu-001", attempt=attempt, summary="ordered", ordered=True)
        incident = rollback_facts.record_rollback_progress(incident, moved, at)
        ended = RollbackResult(cluster="eu-001", attempt=attempt, status=verdict, detail="as judged")
        return rollback_facts.record_rollback_result(incident, ended, RUNBOOK, at)

    return step


VERDICTS = st.sampled_from([status for status in RollbackStatus if status.ended])
STEP: st.SearchStrategy[Step] = st.one_of(
    COMMAND.map(commanded),
    st.builds(alerted, st.sampled_from(["A", "B"]), st.booleans()),
    st.sampled_from(["done", "done", "failed", "skipped", "begun"]).map(worked),
    st.just(lambda incident, at: settled(incident, at)),
    st.just(offered),
    VERDICTS.map(rolled_back),
)
PAUSE = st.sampled_from([0, 1, 30, 120, 900, 1800, 4 * 3600, 86400]).map(lambda s: timedelta(seconds=s))


def check(before: Incident, after: Incident) -> None:
    """What must hold after each step, whatever it was."""
    assert after.timeline[: len(before.timeline)] == before.timeline, "append-only"
    assert [entry.sequence for entry in after.timeline] == list(range(1, len(after.timeline) + 1))
    times = [entry.at for entry in after.timeline]
    assert times == sorted(times)
    assert len(set(after.ledger.fulfilled)) == len(after.ledger.fulfilled)
    assert [update.sequence for update in after.updates.published] == list(range(1, len(after.updates.published) + 1))
    assert after.highest_severity == min(episode.severity for episode in after.episodes)
    owed = agenda(after, RUNBOOK)
    assert owed == agenda(after, RUNBOOK)
    assert [obligation.due for obligation in owed] == sorted(obligation.due for obligation in owed)
    assert len({obligation.key for obligation in owed}) == len(owed)
    assert all(obligation.due >= obligation.since for obligation in owed), "no due time before its cause"
    if after.over:
        lapsed = {
            ObligationKind.UPDATE,
            ObligationKind.REMIND,
            ObligationKind.NUDGE,
            ObligationKind.ESCALATE,
            ObligationKind.PAGE,
            ObligationKind.STABILITY,
            ObligationKind.ROLLBACK,
        }
        assert not [obligation.key for obligation in owed if obligation.kind in lapsed]
    assert Incident.model_validate_json(after.model_dump_json()) == after
    assert render_current_details(after, RUNBOOK)


def owes_its_postmortem(incident: Incident) -> None:
    if incident.status != "resolved" or incident.closed:
        return
    owes = incident.highest_severity in ("P0", "P1") or incident.postmortem.started
    assert postmortem_owed(incident, RUNBOOK) is owes
    preserved = incident.replace(
        number=1, ledger=incident.ledger.replace(fulfilled=(*incident.ledger.fulfilled, evidence_key(incident)))
    )
    handed = [obligation for obligation in agenda(preserved, RUNBOOK) if obligation.kind is ObligationKind.POSTMORTEM]
    key = f"postmortem/{incident.times_resolved}"
    assert owes is bool(handed) or incident.ledger.settled(key)


@settings(max_examples=by_thoroughness(30, 80), deadline=None)
@given(st.sampled_from(RUNBOOK.severity_names), st.booleans(), st.lists(st.tuples(PAUSE, STEP), max_size=25))
def test_an_incident_keeps_its_promises(
    severity: Severity, needs_triage: bool, steps: list[tuple[timedelta, Step]]
) -> None:
    live_through(severity, needs_triage, steps)


SKEWED = st.one_of(PAUSE, st.sampled_from([-1, -90, -1800, -4 * 3600]).map(lambda s: timedelta(seconds=s)))


@settings(max_examples=by_thoroughness(30, 80), deadline=None)
@given(st.sampled_from(RUNBOOK.severity_names), st.booleans(), st.lists(st.tuples(SKEWED, STEP), max_size=25))
def test_80_a_clock_that_steps_back_breaks_no_promise(
    severity: Severity, needs_triage: bool, steps: list[tuple[timedelta, Step]]
) -> None:
    live_through(severity, needs_triage, steps)


def live_through(severity: Severity, needs_triage: bool, steps: list[tuple[timedelta, Step]]) -> None:
    """Take the steps, each after its pause, and check what must hold after each."""
    now = T0
    incident = opened(severity, needs_triage=needs_triage)
    for pause, step in steps:
        now += pause
        after = step(incident, now)
        check(incident, after)
        owes_its_postmortem(after)
        incident = after
    check(incident, settled(incident, now))


@settings(max_examples=by_thoroughness(25, 60), deadline=None)
@given(st.lists(st.tuples(PAUSE, st.sampled_from(["work", "reopen", "resolve", "publish", "review"])), max_size=20))
def test_a_postmortem_keeps_its_deadline(steps: list[tuple[timedelta, str]]) -> None:
    incident = apply_command(opened().replace(number=1), c.Resolve(by="ann"), RUNBOOK, T0)
    postmortem, now = open_postmortem(incident, RUNBOOK, T0).replace(document=WRITTEN, figures=True), T0
    for pause, what in steps:
        now += pause
        if what == "work":
            due = [obligation for obligation in postmortem_agenda(postmortem, RUNBOOK) if obligation.due <= now]
            for obligation in due[:1]:
                if postmortem_registry.spec_of(obligation).apply_due is not None:
                    done = learning_facts.apply_due(postmortem, obligation, RUNBOOK, now)
                else:
                    asked = postmortem_request(obligation, postmortem, RUNBOOK, now)
                    result = asked if isinstance(asked, ActivityResult) else asked.result_type()()
                    done = learning_facts.apply_result(postmortem, obligation, result, RUNBOOK, now)
                assert obligation.key in done.ledger.fulfilled or postmortem_registry.spec_of(obligation).poll
                owed = [later for later in postmortem_agenda(done, RUNBOOK) if later.due <= now]
                assert obligation.key not in {later.key for later in owed}, "what is done is not due again"
                postmortem = done
        elif what == "reopen" and not postmortem.incident.reopened_at:
            postmortem = withdraw(postmortem, now)
        elif what == "resolve" and postmortem.stage == "withdrawn":
            again = apply_command(postmortem.incident, c.Reopen(by="ann", reason="back"), RUNBOOK, now)
            again = apply_command(again, c.Resolve(by="ann"), RUNBOOK, now)
            postmortem = restart_deadline(postmortem, again, RUNBOOK, now)
            assert postmortem.due == now + timedelta(hours=48)
        elif what == "publish":
            with contextlib.suppress(CommandRejected, AlreadyDone):
                postmortem = decide_postmortem(postmortem, l.PublishPostmortem(by="ann"), RUNBOOK, now)
        elif what == "review":
            with contextlib.suppress(CommandRejected, AlreadyDone):
                postmortem = decide_postmortem(postmortem, l.RecordReview(by="ann", outcome="ok"), RUNBOOK, now)
        owed = postmortem_agenda(postmortem, RUNBOOK)
        assert len({obligation.key for obligation in owed}) == len(owed)
        assert all(obligation.due >= obligation.since for obligation in owed)
        unfinished = [obligation for obligation in owed if obligation.kind != "record"]
        assert bool(unfinished) is (not postmortem.ended and postmortem.stage != "withdrawn")
        assert len(set(postmortem.ledger.fulfilled)) == len(postmortem.ledger.fulfilled)

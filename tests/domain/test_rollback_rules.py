"""50, 52, 54 to 57, 59, 60: what becomes of a rollback, and who has to apply_command."""

from datetime import timedelta
from typing import Any

import pytest

from incidents.domain import apply_result as outcomes
from incidents.domain.activity_requests import (
    ActivityResult,
    KeepSummary,
    SendMail,
    SendPage,
)
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.config.model import RollbackPolicy, RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Status
from incidents.domain.obligation import Obligation, ObligationKind
from incidents.domain.rollback import events as rollback_facts
from incidents.domain.rollback.activity_requests import FindRollback
from incidents.domain.rollback.known_good import Candidate, Deployment, Offer
from incidents.domain.rollback.order import (
    Go,
    Preflight,
    RollbackProgress,
    RollbackResult,
    build_order,
    decide_redeployment,
)
from incidents.domain.rollback.state import TRANSITIONS, RollbackStatus
from tests.support.incidents import RUNBOOK, T0, at, fulfil, keys, obligation, opened, settled

S = RollbackStatus


def row(version: str, minutes: float, row_id: str = "") -> Deployment:
    return Deployment(id=row_id or version, cluster="eu-001", version=version, status="success", started_at=at(minutes))


OFFER = Offer(
    cluster="eu-001",
    suspect=row("v3", -5),
    candidate=row("v2", -900),
    considered=(Candidate(deployment=row("v2b", -100), taken=False, reason="status failed"),),
    reason="v3 was deployed to eu-001 5m before the alert",
    diff_url="https://diff.example/v2...v3",
    mark="v3",
)
NEXT = OFFER.replace(candidate=row("v1", -9000))


def automatic(**rules: Any) -> RunbookConfig:
    policy = RUNBOOK.policy("P0").replace(rollback=RollbackPolicy.AUTOMATIC)
    severities = {**RUNBOOK.severities, "P0": policy}
    return RUNBOOK.replace(severities=severities, rollback=RUNBOOK.rollback.replace(**rules))


def offered(runbook: RunbookConfig = RUNBOOK, offer: Offer = OFFER) -> Incident:
    incident = settled(opened(), T0)
    return rollback_facts.apply_offers(incident, (offer,), runbook, T0)


def approved() -> Incident:
    return apply_command(offered(), c.ApproveRollback(by="ann"), RUNBOOK, at(1))


def ended(
    incident: Incident,
    status: RollbackStatus,
    minute: float = 3,
    runbook: RunbookConfig = RUNBOOK,
    *,
    ordered: bool = True,
) -> Incident:
    attempt = incident.rollbacks[0].attempt
    says = RollbackProgress(cluster="eu-001", attempt=attempt, says="v2 is ordered", ordered=ordered)
    incident = rollback_facts.record_rollback_progress(incident, says, at(minute))
    result = RollbackResult(cluster="eu-001", attempt=attempt, status=status, detail="as judged")
    return rollback_facts.record_rollback_result(incident, result, runbook, at(minute))


def status(incident: Incident) -> RollbackStatus:
    return RollbackStatus(incident.rollbacks[0].status)


def says(incident: Incident) -> str:
    return "\n".join(entry.text for entry in incident.timeline)


def of(incident: Incident, kind: ObligationKind, runbook: RunbookConfig = RUNBOOK) -> list[Obligation]:
    return [owed for owed in agenda(incident, runbook) if owed.kind is kind]


# --- deciding ---------------------------------------------------------------------------------------------------------


def test_an_offer_says_what_and_why_and_what_was_passed_over() -> None:
    text = offered().timeline[-1].text
    assert "eu-001 from v3 to v2 (v3 was deployed to eu-001 5m before the alert)" in text
    assert "Approve or decline within 15m." in text
    assert "https://diff.example/v2...v3" in text
    assert "Skipped v2b (status failed)" in text


def test_a_p0_is_rolled_back_by_itself_where_the_policy_says_so() -> None:
    incident = offered(automatic())
    assert (status(incident), incident.rollbacks[0].decided_by) == (S.APPROVED, "system")


@pytest.mark.parametrize("caution", ["v3 is marked irreversible", "v4 was deployed after the alert began"])
def test_50_and_52_where_caution_is_due_a_person_is_asked(caution: str) -> None:
    incident = offered(automatic(), OFFER.replace(caution=caution))
    assert status(incident) is S.OFFERED
    assert f"Needs approval because {caution}." in incident.timeline[-1].text
    assert status(apply_command(incident, c.ApproveRollback(by="ann"), RUNBOOK, at(1))) is S.APPROVED


def test_an_offer_lapses_and_the_on_call_is_paged() -> None:
    incident = offered()
    [lapse] = of(incident, ObligationKind.OFFER_LAPSES)
    assert lapse.due == at(15)
    incident = fulfil(incident, lapse, at(15))
    assert status(incident) is S.EXPIRED
    [alarm] = of(incident, ObligationKind.ALARM)
    page = request(alarm, incident, RUNBOOK, at(15))
    assert isinstance(page, SendPage)
    assert "the rollback of eu-001 is expired: not decided in time" in page.summary
    with pytest.raises(CommandRejected, match="To search again"):
        apply_command(incident, c.ApproveRollback(by="ann"), RUNBOOK, at(16))


def test_a_decided_offer_does_not_lapse() -> None:
    assert not of(approved(), ObligationKind.OFFER_LAPSES)
    declined = apply_command(offered(), c.DeclineRollback(by="ann", reason="it is the database"), RUNBOOK, at(1))
    assert not of(declined, ObligationKind.OFFER_LAPSES)


def test_a_request_after_the_offer_lapsed_looks_again_and_is_the_approval() -> None:
    incident = settled(offered(), at(15))
    incident = apply_command(incident, c.RequestRollback(by="bob"), RUNBOOK, at(20))
    [look] = of(incident, ObligationKind.LOOK_AGAIN)
    asked = request(look, incident, RUNBOOK, at(20))
    assert isinstance(asked, FindRollback)

    incident = outcomes.fulfilled(incident, look, ActivityResult(offers=(OFFER,)), RUNBOOK, at(20))
    assert (status(incident), incident.rollbacks[0].attempt) == (S.APPROVED, 2)
    assert incident.rollbacks[0].decided_by == "bob"
    assert incident.rollback_request is None
    assert not of(incident, ObligationKind.LOOK_AGAIN)


def test_a_request_for_a_cluster_that_the_service_does_not_run_on_is_refused() -> None:
    with pytest.raises(CommandRejected, match="does not run on cluster mars-001"):
        apply_command(offered(), c.RequestRollback(by="bob", cluster="mars-001"), RUNBOOK, at(1))


def test_the_second_asker_is_told_who_decided() -> None:
    with pytest.raises(AlreadyDone, match="was already decided by ann"):
        apply_command(approved(), c.RequestRollback(by="bob"), RUNBOOK, at(2))


# --- the last word ----------------------------------------------------------------------------------------------------


def preflight(newest: Deployment | None = OFFER.suspect, *, recovered: bool = False) -> Preflight:
    return Preflight(newest=newest, recovered=recovered, looks="eu: http_500")


def the_order(*, insist: bool = False) -> Any:
    incident = approved()
    return build_order(incident, incident.rollbacks[0].replace(insist=insist), RUNBOOK, at(1))


def test_it_goes_on_if_nothing_has_changed() -> None:
    assert decide_redeployment(the_order(), preflight()) == Go()


def test_52_a_deployment_since_the_decision_holds_it() -> None:
    found = preflight(row("v4", 1))
    assert "v4 was deployed to eu-001 after the rollback was decided" in decide_redeployment(the_order(), found).hold
    assert decide_redeployment(the_order(insist=True), found) == Go()


def test_somebody_else_may_have_rolled_back_already() -> None:
    found = preflight(row("v2", 1, "another-row"))
    assert "v2 was already deployed" in decide_redeployment(the_order(), found).deployed


def test_59_a_region_that_recovered_by_itself_is_left_alone() -> None:
    assert "recovered before the redeployment" in decide_redeployment(the_order(), preflight(recovered=True)).hold
    assert decide_redeployment(the_order(insist=True), preflight(recovered=True)) == Go()


# --- ends -------------------------------------------------------------------------------------------------------------


def test_healthy_mitigates() -> None:
    incident = ended(approved(), S.HEALTHY)
    assert (incident.status, incident.mitigated_at) == (Status.MONITORING, at(3))
    assert not of(incident, ObligationKind.ALARM)


@pytest.mark.parametrize("how", [S.UNHEALTHY, S.INCONCLUSIVE, S.FAILED, S.HELD])
def test_56_whatever_did_not_help_stops_pages_and_offers(how: RollbackStatus) -> None:
    incident = ended(approved(), how)
    assert incident.status == Status.INVESTIGATING
    [alarm] = of(incident, ObligationKind.ALARM)
    assert alarm.key == f"alarm/rollback/eu-001/1/{how}"
    assert not of(incident, ObligationKind.ROLLBACK)
    if how is not S.HELD:
        assert "roll forward to v3 (" in says(incident)


def test_56_the_way_forward_is_offered_only_where_something_was_deployed() -> None:
    assert "--forward" not in says(ended(approved(), S.FAILED, ordered=False))


def test_what_is_older_than_the_candidate_was_not_passed_over() -> None:
    older = Candidate(deployment=row("v1", -9000), taken=False, reason="known-good too, but older")
    taken = Candidate(deployment=row("v2", -900), taken=True, reason="in service for 14h")
    offer = OFFER.replace(considered=(*OFFER.considered, taken, older))
    assert offered(offer=offer).timeline[-1].text.endswith("Skipped v2b (status failed)")


def test_56_the_runbook_never_tries_twice_by_itself() -> None:
    runbook = automatic()
    incident = ended(offered(runbook), S.UNHEALTHY, runbook=runbook)
    assert incident.rollback_request is None
    again = rollback_facts.apply_offers(incident, (NEXT,), runbook, at(4))
    assert status(again) is S.OFFERED


def test_56_but_once_more_where_the_policy_allows_a_second_attempt() -> None:
    runbook = automatic(second_attempt=True)
    incident = ended(offered(runbook), S.UNHEALTHY, runbook=runbook)
    assert incident.rollback_request is not None
    assert rollback_facts.known_bad_versions(incident) == {"v2": "already tried in this incident"}
    second = rollback_facts.apply_offers(incident, (NEXT,), runbook, at(4))
    assert (status(second), second.rollbacks[0].attempt) == (S.APPROVED, 2)
    third = ended(second, S.UNHEALTHY, 5, runbook)
    assert third.rollback_request is None, "and not a third time"
    assert rollback_facts.known_bad_versions(third).keys() == {"v2", "v1"}


def test_56_rolling_forward_goes_back_to_what_was_there() -> None:
    incident = apply_command(ended(approved(), S.UNHEALTHY), c.RequestRollback(by="ann", forward=True), RUNBOOK, at(5))
    state = incident.rollbacks[0]
    assert state.offer.candidate is not None
    assert (state.status, state.offer.candidate.version, state.attempt, state.insist) == (S.APPROVED, "v3", 2, True)
    ordered = build_order(incident, state, RUNBOOK, at(5))
    assert ordered.suspect.version == "v2"
    assert ordered.good_until == at(-5), "normal is what was before v3 came, also on the way back to it"


def test_there_is_nothing_to_roll_forward_if_nothing_was_deployed() -> None:
    for incident in (offered(), ended(approved(), S.HELD, ordered=False), ended(approved(), S.HEALTHY)):
        with pytest.raises(CommandRejected, match="Nothing to roll forward"):
            apply_command(incident, c.RequestRollback(by="ann", forward=True), RUNBOOK, at(5))


def test_hands_off() -> None:
    incident = apply_command(
        ended(approved(), S.UNHEALTHY), c.DeclineRollback(by="ann", reason="dig deeper"), RUNBOOK, at(5)
    )
    assert status(incident) is S.DECLINED
    assert not of(incident, ObligationKind.ALARM)


def test_a_candidate_that_was_never_deployed_is_not_counted_as_tried() -> None:
    assert rollback_facts.known_bad_versions(ended(approved(), S.FAILED, ordered=False)) == {}


def test_a_late_word_of_an_earlier_attempt_changes_nothing() -> None:
    incident = apply_command(ended(approved(), S.UNHEALTHY), c.RequestRollback(by="ann", forward=True), RUNBOOK, at(5))
    late = RollbackResult(cluster="eu-001", attempt=1, status=S.HEALTHY, detail="late")
    assert rollback_facts.record_rollback_result(incident, late, RUNBOOK, at(6)) == incident


def test_a_process_that_breaks_down_says_what_it_left() -> None:
    lock = rollback_facts.record_rollback_failure(approved(), "eu-001", "held by INC-7", at(2))
    assert (status(lock), lock.rollbacks[0].detail) == (S.HELD, "held by INC-7; nothing was deployed")
    moved = RollbackProgress(cluster="eu-001", attempt=1, says="v2 is ordered", ordered=True)
    running = rollback_facts.record_rollback_progress(approved(), moved, at(2))
    broken = rollback_facts.record_rollback_failure(running, "eu-001", "terminated", at(3))
    assert status(broken) is S.FAILED
    assert "the redeployment was ordered, so check the running version" in broken.rollbacks[0].detail


# --- a person's verdict -----------------------------------------------------------------------------------------------


def undecided() -> Incident:
    moved = RollbackProgress(cluster="eu-001", attempt=1, says="cannot be judged", undecided=True, ordered=True)
    return rollback_facts.record_rollback_progress(approved(), moved, at(2))


def test_55_a_person_is_asked_while_probing_goes_on() -> None:
    incident = undecided()
    assert status(incident) is S.UNDECIDED
    assert of(incident, ObligationKind.ALARM)
    assert of(incident, ObligationKind.ROLLBACK), "the process goes on"


@pytest.mark.parametrize(("healthy", "becomes"), [(True, S.HEALTHY), (False, S.UNHEALTHY)])
def test_55_the_person_decides_and_the_process_is_told(healthy: bool, becomes: RollbackStatus) -> None:
    command = c.JudgeRollback(by="ann", healthy=healthy, reason="customers say so")
    incident = apply_command(undecided(), command, RUNBOOK, at(4))
    assert status(incident) is becomes
    assert "judged by ann: customers say so" in incident.rollbacks[0].detail
    [tell] = of(incident, ObligationKind.TELL_ROLLBACK)
    assert not of(fulfil(incident, tell, at(4)), ObligationKind.TELL_ROLLBACK)
    assert (incident.status == Status.MONITORING) is healthy


def test_55_the_process_is_told_also_if_the_verdict_ends_the_incident() -> None:
    incident = apply_command(undecided(), c.Resolve(by="bob", force=True, reason="well"), RUNBOOK, at(3))
    assert incident.resolve_intent is not None
    incident = apply_command(incident, c.JudgeRollback(by="ann", healthy=True), RUNBOOK, at(4))
    assert incident.status == Status.RESOLVED
    assert of(incident, ObligationKind.TELL_ROLLBACK)


def test_a_look_that_could_not_be_taken_approves_nothing_later() -> None:
    incident = apply_command(settled(offered(), at(15)), c.RequestRollback(by="bob"), RUNBOOK, at(20))
    [look] = of(incident, ObligationKind.LOOK_AGAIN)
    skipped = outcomes.fulfilled(incident, look, ActivityResult(skipped="the portal is off"), RUNBOOK, at(20))
    failed = outcomes.failed(incident, look, "the portal is down", RUNBOOK, at(20))
    for after in (skipped, failed):
        assert after.rollback_request is None
        assert status(rollback_facts.apply_offers(after, (OFFER,), RUNBOOK, at(30))) is S.OFFERED


def test_55_after_the_limit_there_is_no_process_to_tell() -> None:
    incident = apply_command(ended(approved(), S.INCONCLUSIVE), c.JudgeRollback(by="ann", healthy=True), RUNBOOK, at(9))
    assert status(incident) is S.HEALTHY
    assert not of(incident, ObligationKind.TELL_ROLLBACK)


def test_a_verdict_that_nobody_asked_for_is_refused() -> None:
    for incident in (offered(), approved(), ended(approved(), S.HEALTHY)):
        with pytest.raises(CommandRejected, match="No rollback is waiting for a verdict"):
            apply_command(incident, c.JudgeRollback(by="ann", healthy=True), RUNBOOK, at(4))


# --- what else is owed ------------------------------------------------------------------------------------------------


def test_a_flagged_release_is_no_candidate_here_nor_later() -> None:
    incident = apply_command(offered(), c.FlagRelease(by="ann", version="v2", reason="leaks"), RUNBOOK, at(1))
    assert status(incident) is S.DECLINED, "an offer of it is withdrawn"
    assert rollback_facts.known_bad_versions(incident) == {"v2": "flagged as bad by ann: leaks"}
    assert rollback_facts.bad_releases(incident) == ("v2",)
    with pytest.raises(AlreadyDone):
        apply_command(incident, c.FlagRelease(by="bob", version="v2", reason="again"), RUNBOOK, at(2))


def test_a_suspect_is_known_to_later_incidents_unless_it_was_cleared() -> None:
    assert rollback_facts.bad_releases(approved()) == ("v3",)
    declined = apply_command(offered(), c.DeclineRollback(by="ann", reason="it is the database"), RUNBOOK, at(1))
    assert rollback_facts.bad_releases(declined) == ()
    cancelled = apply_command(offered(), c.Cancel(by="ann", reason="a test"), RUNBOOK, at(1))
    assert rollback_facts.bad_releases(cancelled) == ()


def test_one_message_in_the_channel_shows_how_it_goes() -> None:
    incident = approved()
    [show] = of(incident, ObligationKind.SHOW_ROLLBACK)
    shown = request(show, incident, RUNBOOK, at(1))
    assert isinstance(shown, KeepSummary)
    assert (shown.ts, shown.pin) == (None, False)
    assert "rollback of eu-001: v3 → v2* · approved" in shown.text
    assert "Decision by ann" in shown.text
    incident = settled(incident, at(1))
    assert not of(incident, ObligationKind.SHOW_ROLLBACK), "it is current"
    moved = RollbackProgress(cluster="eu-001", attempt=1, says="eu: 3 probes", quiet=True)
    before = len(incident.timeline)
    incident = rollback_facts.record_rollback_progress(incident, moved, at(2))
    assert len(incident.timeline) == before, "probing is shown, not remembered"
    [show] = of(incident, ObligationKind.SHOW_ROLLBACK)
    newer = request(show, incident, RUNBOOK, at(2))
    assert isinstance(newer, KeepSummary)
    assert newer.ts is not None, "the same message is changed"
    assert "eu: 3 probes" in newer.text


def with_customers(**rules: Any) -> RunbookConfig:
    contacts = {"ACME": "ops@acme.example", "Globex": "it@globex.example"}
    return RUNBOOK.replace(customers=RUNBOOK.customers.replace(contacts=contacts, **rules))


def test_60_affected_customers_are_asked_after_a_rollback_that_helped() -> None:
    runbook = with_customers()
    impact = c.Assess(by="ann", impact="slow", customers=("ACME", "x@one.example", "Initech"))
    incident = ended(apply_command(approved(), impact, runbook, at(2)), S.HEALTHY, runbook=runbook)
    asked = {
        o.subject: request(o, incident, runbook, at(3)) for o in of(incident, ObligationKind.ASK_CUSTOMER, runbook)
    }
    acme, one = asked["ACME"], asked["x@one.example"]
    assert isinstance(acme, SendMail)
    assert isinstance(one, SendMail)
    assert (acme.to, one.to) == (("ops@acme.example",), ("x@one.example",))
    assert "Is service restored for you?" in acme.text
    assert "eu-001" not in acme.text, "nothing internal"
    assert "v2" not in acme.text
    assert asked["Initech"] == ActivityResult(skipped="the runbook has no address of Initech (customers, contacts)")
    assert incident.status == Status.MONITORING, "and nothing waits for them"


def test_60_without_an_assessment_all_whom_the_runbook_knows_are_asked() -> None:
    runbook = with_customers()
    incident = ended(approved(), S.HEALTHY, runbook=runbook)
    assert [o.subject for o in of(incident, ObligationKind.ASK_CUSTOMER, runbook)] == ["ACME", "Globex"]


def test_60_no_answer_is_recorded_as_no_answer() -> None:
    runbook = with_customers(answer_within=timedelta(hours=1))
    incident = ended(approved(), S.HEALTHY, runbook=runbook)
    for ask in of(incident, ObligationKind.ASK_CUSTOMER, runbook):
        incident = outcomes.fulfilled(incident, ask, ActivityResult(), runbook, at(3))
    incident = apply_command(incident, c.ConfirmRecovery(by="ann", customer="ACME"), runbook, at(20))
    [silent] = of(incident, ObligationKind.NO_ANSWER, runbook)
    assert (silent.subject, silent.due) == ("Globex", at(63))

    incident = outcomes.apply_due(incident, silent, runbook, at(63))
    assert incident.timeline[-1].text == "Globex did not answer whether service is restored"
    assert [said.customer for said in incident.confirmations] == ["ACME"]


def test_60_it_does_not_end_before_the_answers_are_in_or_overdue() -> None:
    runbook = with_customers(answer_within=timedelta(hours=30))
    incident = settled(ended(approved(), S.HEALTHY, runbook=runbook), at(3))

    for ask in of(incident, ObligationKind.ASK_CUSTOMER, runbook):
        incident = outcomes.fulfilled(incident, ask, ActivityResult(), runbook, at(3))
    incident = apply_command(incident, c.Resolve(by="ann", force=True, reason="x"), runbook, at(5))
    [close] = of(incident, ObligationKind.CLOSE, runbook)
    assert close.due == at(3) + timedelta(hours=30)


def test_nobody_is_asked_after_a_recovery_without_a_rollback() -> None:
    incident = apply_command(offered(), c.Monitor(by="ann"), with_customers(), at(1))
    assert not keys(incident, "customer/")


def test_every_state_leads_somewhere_and_can_be_reached() -> None:
    reached = {end for ends in TRANSITIONS.values() for end in ends}
    assert reached == set(RollbackStatus)
    assert all(TRANSITIONS[status] for status in RollbackStatus), "nothing is a dead end"
    state = approved().rollbacks[0]
    for to in RollbackStatus:
        if to not in TRANSITIONS[S.APPROVED]:
            with pytest.raises(ValueError, match="cannot become"):
                state.moved(to)


def test_alarms_are_resolved_with_the_incident() -> None:
    incident = settled(ended(approved(), S.UNHEALTHY), at(3))
    incident = apply_command(incident, c.Resolve(by="ann", force=True, reason="x"), RUNBOOK, at(5))
    assert obligation(incident, "page-resolve/alarm/rollback/eu-001/1/unhealthy").kind is ObligationKind.RESOLVE_PAGE

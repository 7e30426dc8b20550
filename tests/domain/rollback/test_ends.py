"""55, 56: how a rollback ends, what is offered next, and a responder's verdict."""

import pytest

from incidents.domain import apply_result as outcomes
from incidents.domain.activity_results import ActivityResult
from incidents.domain.apply_command import apply_command
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.status import Status
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import ObligationKind
from incidents.domain.rollback import events as rollback_facts
from incidents.domain.rollback.bad_releases import known_bad_versions
from incidents.domain.rollback.commands import DeclineRollback, JudgeRollback, RequestRollback
from incidents.domain.rollback.known_good import Candidate
from incidents.domain.rollback.order import (
    RollbackProgress,
    RollbackResult,
    build_order,
)
from incidents.domain.rollback.state import RollbackStatus
from tests.domain.rollback.attempts import NEXT, OFFER, S, approved, automatic, ended, of, offered, row, status, summary
from tests.support.incidents import RUNBOOK, at, fulfil, settled


def test_healthy_mitigates() -> None:
    incident = ended(approved(), S.HEALTHY)
    assert (incident.status, incident.mitigated_at) == (Status.MONITORING, at(3))
    assert not of(incident, ObligationKind.DECISION_PAGE)


@pytest.mark.parametrize("how", [S.UNHEALTHY, S.INCONCLUSIVE, S.FAILED, S.HELD])
def test_56_whatever_did_not_help_stops_pages_and_offers(how: RollbackStatus) -> None:
    incident = ended(approved(), how)
    assert incident.status == Status.INVESTIGATING
    [alarm] = of(incident, ObligationKind.DECISION_PAGE)
    assert alarm.key == f"alarm/rollback/eu-001/1/{how}"
    assert not of(incident, ObligationKind.ROLLBACK)
    if how is not S.HELD:
        assert "roll forward to v3 (" in summary(incident)


def test_56_the_way_forward_is_offered_only_where_something_was_deployed() -> None:
    assert "--forward" not in summary(ended(approved(), S.FAILED, ordered=False))


def test_what_is_older_than_the_candidate_was_not_passed_over() -> None:
    older = Candidate(deployment=row("v1", -9000), selected=False, reason="known-good too, but older")
    taken = Candidate(deployment=row("v2", -900), selected=True, reason="in service for 14h")
    offer = OFFER.replace(considered=(*OFFER.considered, taken, older))
    assert offered(offer=offer).timeline[-1].text.endswith("Skipped v2b (status failed)")


def test_56_the_runbook_never_tries_twice_by_itself() -> None:
    runbook = automatic()
    incident = ended(offered(runbook), S.UNHEALTHY, runbook=runbook)
    assert incident.rollback.request is None
    again = rollback_facts.apply_offers(incident, (NEXT,), runbook, at(4))
    assert status(again) is S.OFFERED


def test_56_but_once_more_where_the_policy_allows_a_second_attempt() -> None:
    runbook = automatic(second_attempt=True)
    incident = ended(offered(runbook), S.UNHEALTHY, runbook=runbook)
    assert incident.rollback.request is not None
    assert known_bad_versions(incident) == {"v2": "already tried in this incident"}
    second = rollback_facts.apply_offers(incident, (NEXT,), runbook, at(4))
    assert (status(second), second.rollback.clusters[0].attempt) == (S.APPROVED, 2)
    third = ended(second, S.UNHEALTHY, 5, runbook)
    assert third.rollback.request is None, "and not a third time"
    assert known_bad_versions(third).keys() == {"v2", "v1"}


def test_56_rolling_forward_goes_back_to_what_was_there() -> None:
    incident = apply_command(ended(approved(), S.UNHEALTHY), RequestRollback(by="ann", forward=True), RUNBOOK, at(5))
    state = incident.rollback.clusters[0]
    assert state.offer.candidate is not None
    assert (state.status, state.offer.candidate.version, state.attempt, state.insist) == (S.APPROVED, "v3", 2, True)
    ordered = build_order(incident, state, RUNBOOK, at(5))
    assert ordered.suspect.version == "v2"
    assert ordered.good_until == at(-5), "normal is what was before v3 came, also on the way back to it"


def test_there_is_nothing_to_roll_forward_if_nothing_was_deployed() -> None:
    for incident in (offered(), ended(approved(), S.HELD, ordered=False), ended(approved(), S.HEALTHY)):
        with pytest.raises(CommandRejected, match="Nothing to roll forward"):
            apply_command(incident, RequestRollback(by="ann", forward=True), RUNBOOK, at(5))


def test_hands_off() -> None:
    incident = apply_command(
        ended(approved(), S.UNHEALTHY), DeclineRollback(by="ann", reason="dig deeper"), RUNBOOK, at(5)
    )
    assert status(incident) is S.DECLINED
    assert not of(incident, ObligationKind.DECISION_PAGE)


def test_a_candidate_that_was_never_deployed_is_not_counted_as_tried() -> None:
    assert known_bad_versions(ended(approved(), S.FAILED, ordered=False)) == {}


def test_a_late_word_of_an_earlier_attempt_changes_nothing() -> None:
    incident = apply_command(ended(approved(), S.UNHEALTHY), RequestRollback(by="ann", forward=True), RUNBOOK, at(5))
    late = RollbackResult(cluster="eu-001", attempt=1, status=S.HEALTHY, detail="late")
    assert rollback_facts.record_rollback_result(incident, late, RUNBOOK, at(6)) == incident


def test_a_process_that_breaks_down_says_what_it_left() -> None:
    lock = rollback_facts.record_rollback_failure(approved(), "eu-001", "held by INC-7", at(2))
    assert (status(lock), lock.rollback.clusters[0].detail) == (S.HELD, "held by INC-7; nothing was deployed")
    moved = RollbackProgress(cluster="eu-001", attempt=1, summary="v2 is ordered", ordered=True)
    running = rollback_facts.record_rollback_progress(approved(), moved, at(2))
    broken = rollback_facts.record_rollback_failure(running, "eu-001", "terminated", at(3))
    assert status(broken) is S.FAILED
    assert "the redeployment was started, so check the running version" in broken.rollback.clusters[0].detail


def undecided() -> Incident:
    moved = RollbackProgress(cluster="eu-001", attempt=1, summary="cannot be judged", undecided=True, ordered=True)
    return rollback_facts.record_rollback_progress(approved(), moved, at(2))


def test_55_a_person_is_asked_while_probing_goes_on() -> None:
    incident = undecided()
    assert status(incident) is S.UNDECIDED
    assert of(incident, ObligationKind.DECISION_PAGE)
    assert of(incident, ObligationKind.ROLLBACK), "the process goes on"


@pytest.mark.parametrize(("healthy", "becomes"), [(True, S.HEALTHY), (False, S.UNHEALTHY)])
def test_55_the_person_decides_and_the_process_is_told(healthy: bool, becomes: RollbackStatus) -> None:
    command = JudgeRollback(by="ann", healthy=healthy, reason="customers say so")
    incident = apply_command(undecided(), command, RUNBOOK, at(4))
    assert status(incident) is becomes
    assert "judged by ann: customers say so" in incident.rollback.clusters[0].detail
    [tell] = of(incident, ObligationKind.SEND_VERDICT)
    assert not of(fulfil(incident, tell, at(4)), ObligationKind.SEND_VERDICT)
    assert (incident.status == Status.MONITORING) is healthy


def test_55_the_process_is_told_also_if_the_verdict_ends_the_incident() -> None:
    incident = apply_command(undecided(), c.Resolve(by="bob", force=True, reason="well"), RUNBOOK, at(3))
    assert incident.resolve_intent is not None
    incident = apply_command(incident, JudgeRollback(by="ann", healthy=True), RUNBOOK, at(4))
    assert incident.status == Status.RESOLVED
    assert of(incident, ObligationKind.SEND_VERDICT)


def test_a_look_that_could_not_be_taken_approves_nothing_later() -> None:
    incident = apply_command(settled(offered(), at(15)), RequestRollback(by="bob"), RUNBOOK, at(20))
    [look] = of(incident, ObligationKind.SEARCH_DEPLOYMENTS)
    skipped = outcomes.fulfilled(incident, look, ActivityResult(skipped="the portal is off"), RUNBOOK, at(20))
    failed = outcomes.failed(incident, look, "the portal is down", RUNBOOK, at(20))
    for after in (skipped, failed):
        assert after.rollback.request is None
        assert status(rollback_facts.apply_offers(after, (OFFER,), RUNBOOK, at(30))) is S.OFFERED


def test_55_after_the_limit_there_is_no_process_to_tell() -> None:
    incident = apply_command(ended(approved(), S.INCONCLUSIVE), JudgeRollback(by="ann", healthy=True), RUNBOOK, at(9))
    assert status(incident) is S.HEALTHY
    assert not of(incident, ObligationKind.SEND_VERDICT)


def test_a_verdict_that_nobody_asked_for_is_refused() -> None:
    for incident in (offered(), approved(), ended(approved(), S.HEALTHY)):
        with pytest.raises(CommandRejected, match="No rollback is waiting for a verdict"):
            apply_command(incident, JudgeRollback(by="ann", healthy=True), RUNBOOK, at(4))

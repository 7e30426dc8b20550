"""50, 52, 59: an offer, who decides about it, the check before the redeployment, and what is remembered."""

from typing import Any

import pytest

from incidents.domain import apply_result as outcomes
from incidents.domain.activity_requests import SendPage
from incidents.domain.activity_results import DeploymentsSearched
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.chat.activity_requests import KeepSummary
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.incident import commands as c
from incidents.domain.obligation import ObligationKind
from incidents.domain.rollback import events as rollback_facts
from incidents.domain.rollback.activity_requests import FindRollback
from incidents.domain.rollback.bad_releases import bad_releases, known_bad_versions
from incidents.domain.rollback.commands import ApproveRollback, DeclineRollback, FlagRelease, RequestRollback
from incidents.domain.rollback.known_good import Deployment
from incidents.domain.rollback.order import (
    Go,
    Preflight,
    RollbackProgress,
    build_order,
    decide_redeployment,
)
from incidents.domain.rollback.state import TRANSITIONS, RollbackStatus
from incidents.search_attributes import RESTORED, values
from tests.domain.rollback.attempts import OFFER, S, approved, automatic, ended, of, offered, row, status
from tests.support.incidents import RUNBOOK, at, fulfil, obligation, settled

# --- deciding ---------------------------------------------------------------------------------------------------------


def test_an_offer_says_what_and_why_and_what_was_passed_over() -> None:
    text = offered().timeline[-1].text
    assert "eu-001 from v3 to v2 (v3 was deployed to eu-001 5m before the alert)" in text
    assert "Approve or decline within 15m." in text
    assert "https://diff.example/v2...v3" in text
    assert "Skipped v2b (status failed)" in text


def test_a_p0_is_rolled_back_by_itself_where_the_policy_says_so() -> None:
    incident = offered(automatic())
    assert (status(incident), incident.rollback.clusters[0].decided_by) == (S.APPROVED, "system")


@pytest.mark.parametrize("caution", ["v3 is marked irreversible", "v4 was deployed after the alert began"])
def test_50_and_52_where_caution_is_due_a_person_is_asked(caution: str) -> None:
    incident = offered(automatic(), OFFER.replace(caution=caution))
    assert status(incident) is S.OFFERED
    assert f"Needs approval because {caution}." in incident.timeline[-1].text
    assert status(apply_command(incident, ApproveRollback(by="ann"), RUNBOOK, at(1))) is S.APPROVED


def test_an_offer_expires_and_the_on_call_is_paged() -> None:
    incident = offered()
    [lapse] = of(incident, ObligationKind.OFFER_EXPIRES)
    assert lapse.due == at(15)
    incident = fulfil(incident, lapse, at(15))
    assert status(incident) is S.EXPIRED
    [alarm] = of(incident, ObligationKind.DECISION_PAGE)
    page = request(alarm, incident, RUNBOOK, at(15))
    assert isinstance(page, SendPage)
    assert "the rollback of eu-001 is expired: not decided in time" in page.summary
    with pytest.raises(CommandRejected, match="To search again"):
        apply_command(incident, ApproveRollback(by="ann"), RUNBOOK, at(16))


def test_a_decided_offer_does_not_expire() -> None:
    assert not of(approved(), ObligationKind.OFFER_EXPIRES)
    declined = apply_command(offered(), DeclineRollback(by="ann", reason="it is the database"), RUNBOOK, at(1))
    assert not of(declined, ObligationKind.OFFER_EXPIRES)


def test_a_request_after_the_offer_expired_looks_again_and_is_the_approval() -> None:
    incident = settled(offered(), at(15))
    incident = apply_command(incident, RequestRollback(by="bob"), RUNBOOK, at(20))
    [look] = of(incident, ObligationKind.SEARCH_DEPLOYMENTS)
    asked = request(look, incident, RUNBOOK, at(20))
    assert isinstance(asked, FindRollback)

    incident = outcomes.fulfilled(incident, look, DeploymentsSearched(offers=(OFFER,)), RUNBOOK, at(20))
    assert (status(incident), incident.rollback.clusters[0].attempt) == (S.APPROVED, 2)
    assert incident.rollback.clusters[0].decided_by == "bob"
    assert incident.rollback.request is None
    assert not of(incident, ObligationKind.SEARCH_DEPLOYMENTS)


def test_a_request_for_a_cluster_that_the_service_does_not_run_on_is_refused() -> None:
    with pytest.raises(CommandRejected, match="does not run on cluster mars-001"):
        apply_command(offered(), RequestRollback(by="bob", cluster="mars-001"), RUNBOOK, at(1))


def test_the_second_asker_is_told_who_decided() -> None:
    with pytest.raises(AlreadyDone, match="was already decided by ann"):
        apply_command(approved(), RequestRollback(by="bob"), RUNBOOK, at(2))


# --- the last word ----------------------------------------------------------------------------------------------------


def preflight(newest: Deployment | None = OFFER.suspect, *, recovered: bool = False) -> Preflight:
    return Preflight(newest=newest, recovered=recovered, looks="eu: http_500")


def the_order(*, insist: bool = False) -> Any:
    incident = approved()
    return build_order(incident, incident.rollback.clusters[0].replace(insist=insist), RUNBOOK, at(1))


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


# --- what else is owed ------------------------------------------------------------------------------------------------


def test_a_second_request_waits_for_the_search_of_the_first() -> None:
    incident = apply_command(ended(approved(), S.UNHEALTHY), RequestRollback(by="ann", version="v1"), RUNBOOK, at(9))
    with pytest.raises(CommandRejected, match="is being searched for another request"):
        apply_command(incident, RequestRollback(by="bob", version="v0"), RUNBOOK, at(9))
    request = incident.rollback.request
    assert request is not None
    assert (request.by, request.version) == ("ann", "v1")


def test_a_flagged_release_is_no_candidate_here_nor_later() -> None:
    incident = apply_command(offered(), FlagRelease(by="ann", version="v2", reason="leaks"), RUNBOOK, at(1))
    assert status(incident) is S.DECLINED, "an offer of it is withdrawn"
    assert known_bad_versions(incident) == {"v2": "flagged as bad by ann: leaks"}
    assert bad_releases(incident) == ("v2", "v3"), "the suspect is not cleared by a bad candidate"
    with pytest.raises(AlreadyDone):
        apply_command(incident, FlagRelease(by="bob", version="v2", reason="again"), RUNBOOK, at(2))


def test_a_suspect_is_known_to_later_incidents_unless_it_was_cleared() -> None:
    assert bad_releases(approved()) == ("v3",)
    declined = apply_command(offered(), DeclineRollback(by="ann", reason="it is the database"), RUNBOOK, at(1))
    assert bad_releases(declined) == ()
    cancelled = apply_command(offered(), c.Cancel(by="ann", reason="a test"), RUNBOOK, at(1))
    assert bad_releases(cancelled) == ()


@pytest.mark.parametrize(("result", "restored"), [(S.HEALTHY, ("row-9",)), (S.UNHEALTHY, ()), (S.INCONCLUSIVE, ())])
def test_90_what_a_verified_rollback_restored_is_remembered(result: RollbackStatus, restored: tuple[str, ...]) -> None:
    ordered = RollbackProgress(cluster="eu-001", attempt=1, summary="v2 is deployed", ordered=True, deployment="row-9")
    incident = rollback_facts.record_rollback_progress(approved(), ordered, at(2))
    incident = ended(incident, result)
    assert incident.rollback.restored == restored
    assert values(incident, RUNBOOK).get(RESTORED.name) == (list(restored) or None)
    incident = apply_command(incident, RequestRollback(by="ann"), RUNBOOK, at(9))
    [search] = of(incident, ObligationKind.SEARCH_DEPLOYMENTS)
    asked = request(search, incident, RUNBOOK, at(9))
    assert isinstance(asked, FindRollback)
    assert (asked.deploys, asked.restored) == (("server",), restored)


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
    moved = RollbackProgress(cluster="eu-001", attempt=1, summary="eu: 3 probes", quiet=True)
    before = len(incident.timeline)
    incident = rollback_facts.record_rollback_progress(incident, moved, at(2))
    assert len(incident.timeline) == before, "probing is shown, not remembered"
    [show] = of(incident, ObligationKind.SHOW_ROLLBACK)
    newer = request(show, incident, RUNBOOK, at(2))
    assert isinstance(newer, KeepSummary)
    assert newer.ts is not None, "the same message is changed"
    assert "eu: 3 probes" in newer.text


def test_every_state_leads_somewhere_and_can_be_reached() -> None:
    reached = {end for ends in TRANSITIONS.values() for end in ends}
    assert reached == set(RollbackStatus)
    assert all(TRANSITIONS[status] for status in RollbackStatus), "nothing is a dead end"
    state = approved().rollback.clusters[0]
    for to in RollbackStatus:
        if to not in TRANSITIONS[S.APPROVED]:
            with pytest.raises(ValueError, match="cannot become"):
                state.moved(to)


def test_alarms_are_resolved_with_the_incident() -> None:
    incident = settled(ended(approved(), S.UNHEALTHY), at(3))
    incident = apply_command(incident, c.Resolve(by="ann", force=True, reason="x"), RUNBOOK, at(5))
    assert obligation(incident, "page-resolve/alarm/rollback/eu-001/1/unhealthy").kind is ObligationKind.RESOLVE_PAGE

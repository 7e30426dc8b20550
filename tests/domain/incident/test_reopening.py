"""88: a reopening starts the first response anew."""

from incidents.domain import apply_event as facts
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.core.status import Status
from incidents.domain.incident import commands as c
from incidents.domain.incident.checklist import Step, StepStatus
from incidents.domain.incident.display.current_details import render_current_details
from incidents.domain.incident.display.summary import people_line, summary_text
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem.figures.impact import figures
from incidents.domain.postmortem.postmortem import owner_of
from incidents.domain.reporting.record import record_of
from incidents.domain.rollback.activity_requests import FindRollback
from incidents.domain.rollback.events import apply_offers
from incidents.domain.rollback.known_good import Deployment, Offer
from incidents.domain.rollback.state import RollbackState, RollbackStatus
from tests.domain.rollback.searches import chosen
from tests.support.incidents import RUNBOOK, T0, at, firing, keys, opened, settled


def resolved() -> Incident:
    """An incident that ann acknowledged after two minutes and resolved after twenty."""
    incident = settled(facts.alert_fired(opened(), (firing(),), RUNBOOK, T0), T0)
    incident = settled(apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(2)), at(2))
    incident = apply_command(incident, c.Assess(by="ann", impact="Evaluations fail."), RUNBOOK, at(3))
    incident = apply_command(incident, c.Resolve(by="ann", force=True, reason="quiet"), RUNBOOK, at(20))
    return settled(facts.alert_resolved(incident, (firing().replace(ended_at=at(21)),), RUNBOOK, at(21)), at(21))


def reopened() -> Incident:
    return facts.alert_fired(resolved(), (firing(when=at(30)),), RUNBOOK, at(30))


def statuses(incident: Incident) -> dict[Step, StepStatus]:
    return {state.step: StepStatus(state.status) for state in incident.steps}


def test_88_acknowledgement_roles_and_checklist_begin_anew() -> None:
    incident = reopened()
    assert (incident.acknowledged_at, incident.acknowledged_by, incident.roles.commander) == (None, "", "")
    assert people_line(incident) == "Commander: unassigned · not acknowledged"
    assert {step for step, status in statuses(incident).items() if status is StepStatus.DONE} == {
        Step.TIMER,
        Step.SEVERITY,
    }
    assert incident.step(Step.TIMER).detail == "reopened 2026-11-23 14:30:00 UTC"
    for shown in (summary_text(incident, RUNBOOK, []), render_current_details(incident, RUNBOOK)):
        assert "not acknowledged" in shown
        assert "☐ 1. Acknowledge the alert" in shown
    assert "page/1/P0" in keys(incident)


def test_88_the_investigation_looks_again_and_completes_the_new_checklist() -> None:
    incident = reopened()
    assert keys(incident, "investigate/") == [f"investigate/1/{s}" for s in ("deployments", "logs", "metrics")]
    incident = settled(incident, at(30))
    done = statuses(incident)
    assert done[Step.INVESTIGATE] is done[Step.COMMUNICATE] is done[Step.CHANNEL] is StepStatus.DONE
    assert done[Step.ACKNOWLEDGE] is done[Step.ASSESS] is StepStatus.PENDING
    assert any(key.startswith("commander/") for key in keys(incident)), "the new round is asked for a commander"


def test_88_the_ladder_begins_anew_however_soon_it_is_reopened() -> None:
    ceo = next(o for o in keys(settled(reopened(), at(30)), "escalate/P0/") if "/ceo/page" in o)
    assert ceo.startswith("escalate/P0/1/"), "another episode: the thirty minutes count from the reopening"


def test_88_the_old_round_is_kept_and_its_figures_count() -> None:
    incident = reopened()
    [earlier] = incident.earlier_responses
    assert (earlier.acknowledged_by, earlier.acknowledged_at, earlier.until) == ("ann", at(2), at(30))
    assert earlier.roles.commander == "ann"
    assert {state.step for state in earlier.steps if state.status is StepStatus.DONE} == set(Step)
    again = apply_command(incident, c.Acknowledge(by="bob"), RUNBOOK, at(34))
    assert (again.acknowledged_by, again.acknowledged_at, again.roles.commander) == ("bob", at(34), "bob")
    assert again.first_acknowledged_at == at(2)
    assert record_of(again, RUNBOOK).acknowledged_at == at(2)
    assert figures(again, RUNBOOK).acknowledge == at(2) - T0
    assert owner_of(incident, "", RUNBOOK) == "ann", "the post-mortem is not ownerless"


def test_88_a_correction_of_the_acknowledgement_is_of_the_one_that_counts() -> None:
    command = c.CorrectTime(by="ann", which=c.Mark.ACKNOWLEDGED, to=at(1), reason="by phone")
    corrected = apply_command(reopened(), command, RUNBOOK, at(35))
    assert (corrected.first_acknowledged_at, corrected.acknowledged_at) == (at(1), None)


def test_88_reopening_manually_acknowledges_it() -> None:
    incident = apply_command(resolved(), c.Reopen(by="bob", reason="it is back"), RUNBOOK, at(60))
    assert (incident.status, incident.acknowledged_by, incident.acknowledged_at) == (
        Status.INVESTIGATING,
        "bob",
        at(60),
    )
    assert incident.roles.commander == "bob"
    assert not keys(incident, "page/")


def deployment(version: str, minutes: float, row: str = "") -> Deployment:
    return Deployment(id=row or version, cluster="eu-001", version=version, status="success", started_at=at(minutes))


OFFER = Offer(cluster="eu-001", suspect=deployment("v2", -5), candidate=deployment("v1", -900), reason="new")


def test_90_the_new_investigation_does_not_suspect_what_was_rolled_back_to() -> None:
    verifying = RollbackState(offer=OFFER, since=T0, status=RollbackStatus.RUNNING, ordered=True, deployment="row-9")
    before = resolved()
    before = before.replace(rollback=before.rollback.with_cluster(verifying))
    before = before.replace(rollback=before.rollback.with_cluster(verifying.moved(RollbackStatus.HEALTHY)))
    carried = Incident.model_validate_json(before.model_dump_json())  # as continue-as-new does
    incident = facts.alert_fired(carried, (firing(when=at(30)),), RUNBOOK, at(30))
    [search] = [o for o in agenda(incident, RUNBOOK) if o.key == "investigate/1/deployments"]
    asked = request(search, incident, RUNBOOK, at(30))
    assert isinstance(asked, FindRollback)
    assert asked.restored == ("row-9",)
    history = (deployment("v0", -9000), deployment("v1", -900), deployment("v2", -5), deployment("v1", 10, "row-9"))
    offer = chosen(history, "eu-001", at(30), RUNBOOK.rollback, asked.blamed, restored=asked.restored)
    assert (offer.possible, offer.reason) == (
        False,
        "eu-001: v1 was restored by a verified rollback. If it is bad, flag it (`incident flag`)",
    )


def test_an_offer_that_was_open_at_the_resolution_is_replaced_after_the_reopening() -> None:
    incident = apply_offers(settled(opened(), T0), (OFFER,), RUNBOOK, T0)
    incident = apply_command(incident, c.Resolve(by="ann", force=True, reason="quiet"), RUNBOOK, at(20))
    assert (incident.rollback.clusters[0].status, incident.rollback.clusters[0].detail) == (
        RollbackStatus.EXPIRED,
        "resolved before it was decided",
    )
    incident = apply_command(incident, c.Reopen(by="bob", reason="it is back"), RUNBOOK, at(30))
    assert not keys(incident, "alarm/"), "nobody is paged about an offer of before"
    incident = apply_offers(incident, (OFFER,), RUNBOOK, at(31))
    [state] = incident.rollback.clusters
    assert (state.status, state.attempt, state.since) == (RollbackStatus.OFFERED, 2, at(31))


def test_an_offer_that_is_still_open_is_replaced_by_a_newer_search() -> None:
    incident = apply_offers(settled(opened(), T0), (OFFER,), RUNBOOK, T0)
    newer = OFFER.replace(candidate=deployment("v0", -9000))
    [state] = apply_offers(incident, (newer,), RUNBOOK, at(5)).rollback.clusters
    assert (state.offer, state.status, state.attempt) == (newer, RollbackStatus.OFFERED, 2)

"""110: a rollback that two people have to approve."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.apply_command import apply_command
from incidents.domain.chat.cards import decision_card
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.command import Command
from incidents.domain.incident.commands import DeclareSeverity
from incidents.domain.incident.display.summary import rollback_text
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import ObligationKind
from incidents.domain.rollback import events as rollback_facts
from incidents.domain.rollback.commands import ApproveRollback, DeclineRollback, RequestRollback
from incidents.domain.rollback.config import RollbackPolicy
from incidents.domain.rollback.order import build_order
from tests.domain.rollback.attempts import NEXT, OFFER, S, ended, of, offered, status
from tests.support.incidents import RUNBOOK, T0, at, fulfil, opened, settled


def two_people() -> RunbookConfig:
    policy = RUNBOOK.policy("P0").replace(rollback=RollbackPolicy.TWO_PEOPLE)
    return RUNBOOK.replace(severities={**RUNBOOK.severities, "P0": policy})


TWO = two_people()


def first() -> Incident:
    return apply_command(offered(TWO), ApproveRollback(by="ann"), TWO, at(1))


def last(incident: Incident) -> str:
    return incident.timeline[-1].text


def test_110_an_offer_says_that_two_people_approve_it() -> None:
    assert "Two people have to approve it." in last(offered(TWO))
    assert "Two people" not in last(offered())


def test_110_the_first_approval_starts_nothing_and_the_second_does() -> None:
    incident = first()
    assert (status(incident), of(incident, ObligationKind.ROLLBACK, TWO)) == (S.OFFERED, [])
    assert "approved by ann. A second person has to approve it: `incident approve" in last(incident)
    incident = apply_command(incident, ApproveRollback(by="bob"), TWO, at(2))
    assert (status(incident), last(incident)) == (S.APPROVED, "Rollback of eu-001 approved by ann and bob")
    assert build_order(incident, incident.rollback.clusters[0], TWO, at(2)).requested_by == "ann and bob"
    assert of(incident, ObligationKind.ROLLBACK, TWO)


@pytest.mark.parametrize("by", ["ann", "Ann", "@ann", " ann"])
@pytest.mark.parametrize("command", [ApproveRollback, RequestRollback])
def test_110_nobody_is_the_second_person_to_their_own_approval(
    by: str, command: type[ApproveRollback] | type[RequestRollback]
) -> None:
    with pytest.raises(CommandRejected, match=r"You have approved the rollback of eu-001 already\. A second person"):
        apply_command(first(), command(by=by), TWO, at(2))


def test_110_a_request_is_the_first_approval_and_keeps_what_it_insists_on() -> None:
    incident = apply_command(settled(opened(), T0), RequestRollback(by="ann", insist=True), TWO, at(1))
    incident = rollback_facts.apply_offers(incident, (OFFER,), TWO, at(2))
    assert status(incident) is S.OFFERED
    assert "Requested by ann. A second person has to approve it" in last(incident)
    with pytest.raises(CommandRejected, match="A second person"):
        apply_command(incident, ApproveRollback(by="ann"), TWO, at(3))
    incident = apply_command(incident, ApproveRollback(by="bob"), TWO, at(3))
    [state] = incident.rollback.clusters
    assert (state.status, state.decided_by, state.insist) == (S.APPROVED, "ann and bob", True)


def test_110_one_person_can_still_decline() -> None:
    incident = apply_command(first(), DeclineRollback(by="ann", reason="it is the database"), TWO, at(2))
    assert status(incident) is S.DECLINED


def test_110_an_approval_ends_with_its_offer() -> None:
    incident = first()
    [lapse] = of(incident, ObligationKind.OFFER_EXPIRES, TWO)
    incident = fulfil(incident, lapse, lapse.due)
    incident = rollback_facts.apply_offers(incident, (NEXT,), TWO, at(20))
    assert incident.rollback.clusters[0].approved_by == ""
    incident = apply_command(incident, ApproveRollback(by="bob"), TWO, at(21))
    assert status(incident) is S.OFFERED, "it is the first one again"


def failed() -> Incident:
    incident = apply_command(first(), ApproveRollback(by="bob"), TWO, at(2))
    return ended(incident, S.UNHEALTHY, 3, TWO)


def test_110_two_people_roll_forward() -> None:
    forward = {"cluster": "eu-001", "forward": True}
    incident = apply_command(failed(), RequestRollback(by="ann", **forward), TWO, at(5))
    assert status(incident) is S.UNHEALTHY
    assert "approved by ann. A second person has to: `incident rollback" in last(incident)
    with pytest.raises(CommandRejected, match="A second person"):
        apply_command(incident, RequestRollback(by="ann", **forward), TWO, at(6))
    incident = apply_command(incident, RequestRollback(by="bob", **forward), TWO, at(6))
    assert (status(incident), incident.rollback.clusters[0].decided_by) == (S.APPROVED, "ann and bob")


def test_110_what_counts_is_the_severity_of_now() -> None:
    incident = apply_command(first(), DeclareSeverity(by="cleo", severity="P1", reason="smaller"), TWO, at(2))
    incident = apply_command(incident, ApproveRollback(by="ann"), TWO, at(3))
    assert (status(incident), incident.rollback.clusters[0].decided_by) == (S.APPROVED, "ann")


def test_110_the_channel_shows_who_has_approved() -> None:
    incident = first()
    [state] = incident.rollback.clusters
    assert "Decision by pending (approved by ann)" in rollback_text(incident, state)
    card = decision_card(incident, incident.timeline[-1])
    assert card is not None
    assert "ann; a second person has to" in {fact.label: fact.value for fact in card.facts}["Approved by"]


PEOPLE = st.sampled_from(["ann", "Ann", "bob", "cleo"])
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(ApproveRollback, by=PEOPLE),
    st.builds(RequestRollback, by=PEOPLE, forward=st.booleans(), insist=st.booleans()),
    st.builds(DeclineRollback, by=PEOPLE, reason=st.just("x")),
)
EVENTS = st.sampled_from(["offer", "expire", "unhealthy", "held"])


def happened(incident: Incident, event: str, minute: float) -> Incident:
    """The incident after that event, if it can come now."""
    [state] = incident.rollback.clusters
    if event == "offer":
        return rollback_facts.apply_offers(incident, (OFFER,), TWO, at(minute))
    if event == "expire":
        return rollback_facts.expire_offer(incident, "eu-001", TWO, at(minute))
    if event == "held":
        return rollback_facts.record_rollback_failure(incident, "eu-001", "locked", at(minute))
    return ended(incident, S.UNHEALTHY, minute, TWO) if state.status.under_way else incident


@given(st.lists(st.one_of(COMMANDS, EVENTS), max_size=30))
def test_110_whatever_happens_two_different_people_have_approved_each_rollback(steps: list[Command | str]) -> None:
    incident = offered(TWO)
    for minute, step in enumerate(steps, 1):
        before = status(incident)
        if isinstance(step, str):
            incident = happened(incident, step, minute)
        else:
            with contextlib.suppress(CommandRejected, AlreadyDone):
                incident = apply_command(incident, step, TWO, at(minute))
        if status(incident) is S.APPROVED and before is not S.APPROVED:
            first, second = incident.rollback.clusters[0].decided_by.split(" and ")
            assert first.casefold() != second.casefold()

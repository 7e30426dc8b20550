"""49: a responder chooses among the known-good versions, and nothing else can be chosen."""

from datetime import timedelta

import pytest

from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.chat.buttons import target_of
from incidents.domain.chat.form import ChoiceField, TextField
from incidents.domain.chat.forms import another_form
from incidents.domain.core.base import CommandRejected
from incidents.domain.obligation import ObligationKind
from incidents.domain.rollback import events as rollback_events
from incidents.domain.rollback.activity_requests import FindRollback
from incidents.domain.rollback.commands import RequestRollback
from incidents.domain.rollback.known_good import Deployment, Offer
from incidents.domain.rollback.state import RollbackStatus
from tests.domain.rollback.attempts import OFFER, of, offered
from tests.domain.rollback.searches import chosen
from tests.support.incidents import RUNBOOK, T0, at


def found(wanted: str = "") -> Offer:
    """The offer of a history in which v1 and v2 are known-good, v3 is flagged and v4 is suspect."""
    rows = tuple(
        Deployment(id=name, cluster="eu-001", version=name, status="success", started_at=T0 - timedelta(hours=hours))
        for name, hours in (("v1", 90), ("v2", 60), ("v3", 30), ("v4", 0.1))
    )
    return chosen(rows, "eu-001", T0, RUNBOOK.rollback, {"v3": "flagged"}, wanted=wanted)


def candidate(offer: Offer) -> str:
    return offer.candidate.version if offer.candidate else ""


def test_49_the_newest_known_good_version_or_the_one_that_is_chosen() -> None:
    assert [candidate(found(wanted)) for wanted in ("", "v2", "v1")] == ["v2", "v2", "v1"]
    chosen = {seen.deployment.version: seen.known_good for seen in found("v1").considered}
    assert chosen == {"v3": False, "v2": True, "v1": True}


@pytest.mark.parametrize("wanted", ["v3", "v4", "v9"])
def test_49_what_is_not_known_good_cannot_be_chosen(wanted: str) -> None:
    offer = found(wanted)
    assert not offer.possible
    assert offer.reason == f"eu-001: {wanted} is not a known-good version before v4"


def test_a_version_is_searched_although_another_one_is_offered() -> None:
    incident = apply_command(offered(), RequestRollback(by="ann", version="v1"), RUNBOOK, at(1))
    assert incident.timeline[-1].text == "Rollback to v1 requested by ann: searching the deployment history"
    assert incident.rollback.clusters[0].status is RollbackStatus.OFFERED, "the one that is offered is not approved"
    [search] = of(incident, ObligationKind.SEARCH_DEPLOYMENTS)
    asked = request(search, incident, RUNBOOK, at(1))
    assert isinstance(asked, FindRollback)
    assert asked.version == "v1"
    incident = rollback_events.apply_offers(incident, (found("v1"),), RUNBOOK, at(2))
    [state] = incident.rollback.clusters
    assert (candidate(state.offer), state.status, state.decided_by) == ("v1", RollbackStatus.APPROVED, "ann")
    assert incident.rollback.flags == (), "the version that was offered is not called bad"


def test_a_rollback_forward_names_no_version() -> None:
    with pytest.raises(CommandRejected, match="name no other one"):
        apply_command(offered(), RequestRollback(by="ann", version="v1", forward=True), RUNBOOK, at(1))


def test_the_form_offers_the_known_good_versions_and_says_why_not_the_others() -> None:
    incident = offered(offer=found())
    form = another_form(RUNBOOK, incident, target_of(incident, incident.rollback.clusters[0]))
    [field] = form.fields
    assert isinstance(field, ChoiceField)
    assert [option.value for option in field.options] == ["v1"]
    assert "Not to choose: v3 (flagged)" in form.guide
    incident = offered(offer=OFFER)
    [field] = another_form(RUNBOOK, incident, target_of(incident, incident.rollback.clusters[0])).fields
    assert isinstance(field, TextField), "none is known, so that it is typed"

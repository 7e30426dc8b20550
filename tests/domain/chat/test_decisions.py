"""46: the message of a decision loses its buttons once it is decided, in whatever way."""

import pytest

from incidents.domain import apply_result as outcomes
from incidents.domain.activity_results import MessagePosted, ResourcesChanged
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.chat.activity_requests import KeepSummary, PostMessage
from incidents.domain.core.status import Status
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.state import Resources
from incidents.domain.obligation import Obligation, ObligationKind
from incidents.domain.rollback import events as rollback_events
from incidents.domain.rollback.commands import ApproveRollback, DeclineRollback
from incidents.domain.rollback.state import RollbackStatus
from tests.domain.rollback.attempts import NEXT, of, offered
from tests.support.incidents import RUNBOOK, at


def posted(incident: Incident, ts: str) -> Incident:
    """The incident once all that its channel is to read is posted; the decision by the id `ts`."""
    while notices := of(incident, ObligationKind.NOTICE):
        asked = request(notices[0], incident, RUNBOOK, at(1))
        assert isinstance(asked, PostMessage)
        result = MessagePosted(ts=ts if asked.card else "other")
        incident = outcomes.fulfilled(incident, notices[0], result, RUNBOOK, at(1))
    return incident


def removals(incident: Incident) -> list[Obligation]:
    return of(incident, ObligationKind.SETTLE_DECISION)


def shown(incident: Incident) -> KeepSummary:
    """The one message that loses its buttons."""
    [removal] = removals(incident)
    asked = request(removal, incident, RUNBOOK, at(2))
    assert isinstance(asked, KeepSummary)
    assert asked.card is not None
    assert (asked.card.buttons, asked.pin) == ((), False)
    return asked


def test_46_a_decision_that_is_made_elsewhere_removes_its_buttons_once() -> None:
    incident = posted(offered(), "7.1")
    assert removals(incident) == [], "it is still asked for"
    incident = apply_command(incident, DeclineRollback(by="bob", reason="not the cause"), RUNBOOK, at(2))
    asked = shown(incident)
    assert (asked.ts, asked.channel_id) == ("7.1", incident.resources.channel_id)
    assert "The rollback of eu-001 to v2 is declined (decided by bob)" in asked.text
    done = ResourcesChanged(resources=Resources(summary_ts="7.1", summary_text=asked.text))
    before = incident.resources
    incident = outcomes.fulfilled(incident, removals(incident)[0], done, RUNBOOK, at(3))
    assert incident.resources == before, "it is not the summary"
    assert (removals(incident), incident.chat.decisions) == ([], ())


@pytest.mark.parametrize("status", [RollbackStatus.UNDECIDED, RollbackStatus.INCONCLUSIVE])
def test_46_a_decision_that_nobody_made_loses_its_buttons_when_the_incident_ends(status: RollbackStatus) -> None:
    incident = posted(offered(), "7.1")
    [state] = incident.rollback.clusters
    incident = incident.with_rollback(state.replace(status=status))
    assert removals(incident) == [], "it is still asked for"
    asked = shown(incident.replace(status=Status.RESOLVED))
    assert asked.ts == "7.1"
    assert "The incident ended before a decision was made." in asked.text


def test_46_an_offer_of_another_version_takes_the_place_of_the_first() -> None:
    incident = posted(offered(), "7.1")
    incident = rollback_events.apply_offers(incident, (NEXT,), RUNBOOK, at(1))
    incident = posted(incident, "7.2")
    asked = shown(incident)
    assert asked.ts == "7.1", "the newer one keeps its buttons"
    assert "A newer message asks for this decision." in asked.text
    incident = apply_command(incident, ApproveRollback(by="ann"), RUNBOOK, at(2))
    assert [each.sequence for each in removals(incident)] == [each.sequence for each in incident.chat.decisions]


def test_a_message_whose_id_is_not_known_is_left_alone() -> None:
    """Such as of an incident that an earlier version opened."""
    incident = posted(offered(), "")
    incident = apply_command(incident, DeclineRollback(by="bob", reason="not the cause"), RUNBOOK, at(2))
    assert removals(incident) == []


def test_a_channel_that_was_left_is_left_alone() -> None:
    incident = posted(offered(), "7.1")
    incident = apply_command(incident, DeclineRollback(by="bob", reason="not the cause"), RUNBOOK, at(2))
    moved = incident.replace(resources=incident.resources.replace(channel_id="C-other"))
    assert removals(moved) == []

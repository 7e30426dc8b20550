"""Cards and their buttons: which ones, by the state of the incident."""

import pytest

from incidents.domain.apply_command import apply_command
from incidents.domain.chat.buttons import Action, Target, decision_buttons, summary_buttons
from incidents.domain.chat.cards import decision_card, summary_card
from incidents.domain.chat.promised import promised
from incidents.domain.core.base import CommandRejected
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.rollback import commands as r
from incidents.domain.rollback import events as rollback_events
from incidents.domain.rollback.config import RollbackPolicy
from incidents.domain.rollback.order import RollbackProgress
from incidents.domain.rollback.state import RollbackStatus
from tests.domain.rollback.attempts import NEXT, OFFER, approved, ended, offered
from tests.support.incidents import RUNBOOK, T0, at, opened, settled


def labels(incident: Incident) -> list[str]:
    return [button.label for button in summary_buttons(incident, RUNBOOK)]


def test_the_buttons_of_the_summary_change_with_the_state() -> None:
    incident = settled(opened(), T0)
    assert labels(incident) == ["Acknowledge", "Update…", "Severity…", "Roll back…", "Escalate", "Resolve…"]
    incident = apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(1))
    assert labels(incident) == ["Take command", "Update…", "Severity…", "Roll back…", "Escalate", "Resolve…"]
    [take, *_] = summary_buttons(incident, RUNBOOK)
    assert take.confirm == "ann is incident commander. Take over?"
    resolved = apply_command(incident, c.Resolve(by="ann", force=True, reason="x"), RUNBOOK, at(2))
    assert labels(resolved) == ["Reopen…"]
    assert labels(resolved.replace(closed=True)) == []


def test_a_rollback_is_no_button_where_it_cannot_be_had() -> None:
    incident = settled(opened(), T0)
    policy = RUNBOOK.policy("P0").replace(rollback=RollbackPolicy.NEVER)
    never = RUNBOOK.replace(severities={**RUNBOOK.severities, "P0": policy})
    assert Action.ROLLBACK not in [button.action for button in summary_buttons(incident, never)]
    elsewhere = incident.replace(service="nowhere")
    assert Action.ROLLBACK not in [button.action for button in summary_buttons(elsewhere, RUNBOOK)]
    assert Action.ROLLBACK not in [button.action for button in summary_buttons(approved(), RUNBOOK)], "one is running"


def test_the_summary_has_its_facts_and_says_what_is_missing() -> None:
    incident = settled(opened(), T0)
    card = summary_card(incident, RUNBOOK, promised(incident, RUNBOOK))
    assert card.title == "INC-1 · P0 · investigating · Evaluation errors"
    facts = {fact.label: fact.value for fact in card.facts}
    assert facts["Severity"] == "P0 Critical"
    assert (facts["Commander"], facts["Acknowledged"]) == ("unassigned", "not yet")
    assert facts["Next update"] == RUNBOOK.calendar.in_brackets(at(30))
    text = "\n".join(card.paragraphs)
    assert "Service: flag-evaluation (production)" in text
    assert "☐ 1. Acknowledge the alert" in text
    assert "<https://meet.example/1|War room>" in card.note


@pytest.mark.parametrize(
    ("status", "ordered", "expected"),
    [
        (RollbackStatus.OFFERED, False, ["Approve", "Decline…", "Choose another…"]),
        (RollbackStatus.UNDECIDED, True, ["Healthy", "Unhealthy"]),
        (RollbackStatus.UNHEALTHY, True, ["Try the next version", "Roll forward", "Leave it…"]),
        (RollbackStatus.FAILED, False, ["Try the next version", "Leave it…"]),
        (
            RollbackStatus.INCONCLUSIVE,
            True,
            ["Try the next version", "Roll forward", "Healthy", "Unhealthy", "Leave it…"],
        ),
        (RollbackStatus.APPROVED, False, []),
        (RollbackStatus.RUNNING, True, []),
        (RollbackStatus.HEALTHY, True, []),
        (RollbackStatus.DECLINED, False, []),
        (RollbackStatus.EXPIRED, False, []),
        (RollbackStatus.HELD, False, []),
    ],
)
def test_a_decision_has_the_buttons_that_it_can_be_made_with(
    status: RollbackStatus, ordered: bool, expected: list[str]
) -> None:
    incident = offered()
    [state] = incident.rollback.clusters
    shown = decision_buttons(incident, state.replace(status=status, ordered=ordered))
    assert [button.label for button in shown] == expected
    for button in shown:
        target = Target.model_validate_json(button.value)
        assert (target.incident, target.cluster, target.version) == ("incident-x", "eu-001", "v2")


def test_an_offer_is_a_card_until_it_is_decided() -> None:
    incident = offered()
    entry = incident.timeline[-1]
    card = decision_card(incident, entry)
    assert card is not None
    assert card.title == "INC-1 · Approve the rollback of eu-001?"
    facts = {fact.label: fact.value for fact in card.facts}
    assert facts == {"Suspect": "v3", "Candidate": "v2", "Evidence": OFFER.reason}
    assert card.note == "<https://diff.example/v2...v3|Diff>"
    assert card.paragraphs[-1] == "Skipped v2b: status failed"
    assert decision_card(approved(), entry) is None, "decided before it was posted"
    assert decision_card(incident, incident.timeline[0]) is None


def test_a_verdict_that_is_needed_and_a_failed_rollback_are_cards() -> None:
    running = settled(approved(), at(1))
    asked = RollbackProgress(cluster="eu-001", attempt=1, summary="no traffic to probe", ordered=True, undecided=True)
    undecided = rollback_events.record_rollback_progress(running, asked, at(2))
    card = decision_card(undecided, undecided.timeline[-1])
    assert card is not None
    assert card.title == "INC-1 · Verdict needed: is eu-001 healthy?"
    failed = ended(running, RollbackStatus.UNHEALTHY)
    [asks] = [entry for entry in failed.timeline if entry.decision and "Decision needed" in entry.text]
    card = decision_card(failed, asks)
    assert card is not None
    assert card.title == "INC-1 · Decision needed for eu-001"


def test_46_an_approval_is_for_the_candidate_that_was_shown() -> None:
    incident = rollback_events.apply_offers(offered(), (NEXT,), RUNBOOK, at(1))
    with pytest.raises(CommandRejected, match="eu-001 would be rolled back to v1, not to v2"):
        apply_command(incident, r.ApproveRollback(by="ann", cluster="eu-001", version="v2"), RUNBOOK, at(2))
    taken = apply_command(incident, r.ApproveRollback(by="ann", cluster="eu-001", version="v1"), RUNBOOK, at(2))
    assert taken.rollback.clusters[0].status is RollbackStatus.APPROVED

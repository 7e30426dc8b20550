"""89: resolve while a rollback is verified."""

import pytest

from incidents.domain import apply_event as facts
from incidents.domain.apply_command import apply_command
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.status import Status
from incidents.domain.core.timeline import Entry
from incidents.domain.incident import commands as c
from incidents.domain.incident.display.summary import headline, topic_text
from incidents.domain.incident.incident import Incident
from incidents.domain.rollback import events as rollback
from incidents.domain.rollback.known_good import Deployment, Offer
from incidents.domain.rollback.order import RollbackProgress, RollbackResult
from incidents.domain.rollback.state import RollbackState, RollbackStatus
from tests.support.incidents import RUNBOOK, T0, at, firing, opened, settled

ASK = c.Resolve(by="ann")


def row(version: str, minutes: float) -> Deployment:
    return Deployment(id=version, cluster="eu-001", version=version, status="success", started_at=at(minutes))


def rolling_back() -> Incident:
    offer = Offer(cluster="eu-001", suspect=row("v2", -5), candidate=row("v1", -900), reason="new")
    running = RollbackState(offer=offer, since=T0, status=RollbackStatus.APPROVED, decided_by="bob")
    incident = opened().replace(number=1)
    return incident.replace(rollback=incident.rollback.replace(clusters=(running,)))


def verifying() -> Incident:
    ordered = RollbackProgress(cluster="eu-001", attempt=1, summary="v1 is ordered", ordered=True)
    probed = RollbackProgress(cluster="eu-001", attempt=1, summary="eu: 2 good", quiet=True)
    incident = rollback.record_rollback_progress(rolling_back(), ordered, at(1))
    return rollback.record_rollback_progress(incident, probed, at(2))


def ended(incident: Incident, status: RollbackStatus) -> Incident:
    result = RollbackResult(cluster="eu-001", attempt=1, status=status, detail="eu: p95 890 ms")
    return rollback.record_rollback_result(incident, result, RUNBOOK, at(9))


def announced(before: Incident, after: Incident) -> list[Entry]:
    return [entry for entry in after.timeline[len(before.timeline) :] if entry.announce]


def test_89_it_says_what_it_waits_for_and_until_when() -> None:
    before = verifying()
    waiting = apply_command(before, ASK, RUNBOOK, at(3))
    [said] = announced(before, waiting)
    assert said.text == (
        "Not resolved yet: the rollback of eu-001 is being verified (at most 9m, until 14:12 UTC). Resolves by itself"
        " if the check passes; `incident resolve 1 --now` does not wait."
    )
    assert waiting.status == Status.INVESTIGATING
    assert "· resolving ·" in headline(waiting)
    assert "· resolving ·" in topic_text(waiting)


def test_89_before_the_verification_the_bound_holds_the_deployment_too() -> None:
    waiting = apply_command(rolling_back(), ASK, RUNBOOK, at(1))
    assert "the rollback of eu-001 is running (at most 28m, until 14:29 UTC)" in waiting.timeline[-1].text


def test_89_a_forced_one_is_answered_with_what_it_waits_for_first() -> None:
    before = facts.alert_fired(verifying(), (firing(),), RUNBOOK, at(3))
    forced = apply_command(before, c.Resolve(by="ann", force=True, reason="seen"), RUNBOOK, at(3))
    first, second = forced.timeline[len(before.timeline) :]
    assert first.text.startswith("Not resolved yet: ")
    assert (second.text, second.announce) == ("Forced resolution with 1 alert(s) firing: seen", False)


def test_89_asking_again_changes_nothing_and_now_does_not_wait() -> None:
    waiting = apply_command(verifying(), ASK, RUNBOOK, at(3))
    with pytest.raises(AlreadyDone, match="is already resolving \\(requested by ann\\)"):
        apply_command(waiting, c.Resolve(by="bob"), RUNBOOK, at(4))
    with pytest.raises(CommandRejected, match="--now needs a --reason"):
        apply_command(waiting, c.Resolve(by="bob", now=True), RUNBOOK, at(4))
    over = apply_command(waiting, c.Resolve(by="bob", now=True, reason="customers are fine"), RUNBOOK, at(4))
    assert (over.status, over.resolved_by, over.resolve_intent) == (Status.RESOLVED, "bob", None)
    said = [entry.text for entry in over.timeline[len(waiting.timeline) :]]
    assert said[0] == "Resolved without waiting for the rollback of eu-001: customers are fine"
    assert [entry.text for entry in announced(waiting, over)] == ["Resolved: Service is back to normal."]


def test_89_a_healthy_rollback_resolves_with_one_message() -> None:
    waiting = apply_command(verifying(), ASK, RUNBOOK, at(3))
    over = ended(waiting, RollbackStatus.HEALTHY)
    assert (over.status, over.resolved_by) == (Status.RESOLVED, "ann")
    assert [entry.text for entry in announced(waiting, over)] == ["Resolved: Service is back to normal."]
    assert headline(over).split(" · ")[2] == "resolved"


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (RollbackStatus.UNHEALTHY, "failed verification"),
        (RollbackStatus.INCONCLUSIVE, "is inconclusive"),
        (RollbackStatus.HELD, "is held"),
    ],
)
def test_89_a_failed_one_notifies_the_requester_in_one_message(status: RollbackStatus, why: str) -> None:
    waiting = apply_command(verifying(), ASK, RUNBOOK, at(3))
    after = ended(waiting, status)
    [said] = announced(waiting, after)
    assert said.text.startswith(f"Not resolved: the rollback of eu-001 {why}. Resolve again once service is healthy.")
    assert said.mentions == ("ann",)
    assert after.resolve_intent is None
    assert "· investigating ·" in headline(after)
    if status is not RollbackStatus.HELD:
        assert "Decision needed for eu-001" in said.text


def test_89_an_alert_that_fires_meanwhile_is_not_resolved_away() -> None:
    waiting = apply_command(verifying(), ASK, RUNBOOK, at(3))
    waiting = facts.alert_fired(waiting, (firing("Latency"),), RUNBOOK, at(5))
    after = ended(waiting, RollbackStatus.HEALTHY)
    [said] = announced(waiting, after)
    assert (after.status, after.resolve_intent) == (Status.INVESTIGATING, None)
    assert (said.text, said.mentions) == (
        "Rollback verified, but not resolved. Still firing: Latency is high",
        ("ann",),
    )


def test_87_an_alert_that_nobody_can_be_asked_about_is_not_said_to_fire() -> None:
    waiting = apply_command(verifying(), ASK, RUNBOOK, at(3))
    alert = firing("Latency").model_copy(update={"source": "Nagios"})
    waiting = facts.alert_fired(waiting, (alert,), RUNBOOK, at(5))
    after = ended(waiting, RollbackStatus.HEALTHY)
    assert announced(waiting, after)[0].text == (
        "Rollback verified, but not resolved. Not known to have ended: Latency is high (Nagios cannot be polled)"
    )


def test_open_checklist_steps_keep_from_resolving_where_the_runbook_says_so() -> None:
    policy = RUNBOOK.policy("P0").replace(complete_checklist=True)
    runbook = RUNBOOK.replace(severities={**RUNBOOK.severities, "P0": policy})
    incident = apply_command(settled(opened(), T0), c.Acknowledge(by="ann"), runbook, at(1))
    with pytest.raises(CommandRejected) as rejected:
        apply_command(incident, c.Resolve(by="ann"), runbook, at(2))
    assert str(rejected.value) == (
        "Open checklist steps: Assess blast radius. To resolve a P0 anyway, use --force with --reason."
    )
    forced = apply_command(incident, c.Resolve(by="ann", force=True, reason="a typo"), runbook, at(2))
    assert "(Open checklist steps: Assess blast radius): a typo" in "".join(e.text for e in forced.timeline)
    skipped = apply_command(
        incident, c.SettleStep(by="ann", step="assess", how="skip", reason="no customer saw it"), runbook, at(2)
    )
    assert apply_command(skipped, c.Resolve(by="ann"), runbook, at(3)).status is Status.RESOLVED


def test_89_why_it_is_not_resolved_is_known_from_the_state() -> None:
    waiting = apply_command(verifying(), ASK, RUNBOOK, at(3))
    failed = ended(waiting, RollbackStatus.UNHEALTHY)
    assert rollback.why_not_resolved(failed) == (
        "Not resolved: the rollback of eu-001 failed verification. Resolve again once service is healthy."
    )
    fires = ended(facts.alert_fired(waiting, (firing("Latency"),), RUNBOOK, at(5)), RollbackStatus.HEALTHY)
    assert rollback.why_not_resolved(fires) == "Not resolved: still firing: Latency is high."
    assert rollback.why_not_resolved(opened().replace(number=1)).startswith("Not resolved: INC-1 is investigating.")

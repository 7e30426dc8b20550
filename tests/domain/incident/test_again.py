"""An alert that comes back always reaches somebody, whatever state its incident is in."""

from datetime import timedelta

import pytest

from incidents.domain import apply_event as facts
from incidents.domain import apply_result as outcomes
from incidents.domain.activity_requests import SendPage, SettlePage
from incidents.domain.agenda import agenda
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.core.status import Status
from incidents.domain.core.time.duration import Term
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import ObligationKind
from incidents.domain.rollback.known_good import Offer
from incidents.domain.rollback.state import RollbackState, RollbackStatus
from tests.domain.rollback.test_recovery import row
from tests.support.incidents import RUNBOOK, T0, at, firing, lived, obligation, opened, settled


def fired(incident: Incident, minute: float, name: str = "EvaluationErrors") -> Incident:
    return settled(facts.alert_fired(incident, (firing(name, at(minute)),), RUNBOOK, at(minute)), at(minute))


def ended(incident: Incident, minute: float) -> Incident:
    """The alert ends, and nothing fires for the quiet period of two minutes."""
    alert = firing().replace(ended_at=at(minute))
    return lived(facts.alert_resolved(incident, (alert,), RUNBOOK, at(minute)), minute, minute + 2)


def pages(incident: Incident) -> list[str]:
    return [key for key in incident.ledger.fulfilled if key.startswith("page/")]


def forced(minute: float) -> Incident:
    incident = settled(apply_command(fired(opened(), 0), c.Acknowledge(by="ann"), RUNBOOK, at(1)), at(1))
    resolve = c.Resolve(by="ann", force=True, reason="known")
    return settled(apply_command(incident, resolve, RUNBOOK, at(minute)), at(minute))


def test_9_after_a_forced_resolution_the_same_alert_reopens_when_it_comes_back() -> None:
    incident = ended(forced(10), 20)
    assert incident.status == Status.RESOLVED
    assert not incident.alerting.firing
    again = fired(incident, 60)
    assert again.status == Status.INVESTIGATING
    assert len(pages(again)) == 2


def test_9_also_if_its_end_was_never_told() -> None:
    assert fired(forced(10), 60).status == Status.INVESTIGATING


def test_a_repeated_notification_of_the_known_alert_does_not_undo_a_forced_resolution() -> None:
    repeated = facts.alert_fired(forced(10), (firing(),), RUNBOOK, at(20))
    assert repeated.status == Status.RESOLVED


def test_6_an_alert_that_ended_by_itself_and_comes_back_pages_again() -> None:
    watched = ended(fired(opened(), 0), 2)
    assert watched.status == Status.MONITORING
    assert "page-resolve/0" in watched.ledger.fulfilled, "an acknowledged page would not sound again"
    again = fired(watched, 4)
    assert again.status == Status.INVESTIGATING
    assert len(pages(again)) == 2


def test_a_second_paging_is_a_page_of_its_own() -> None:
    first, again = opened(), facts.alert_fired(ended(fired(opened(), 0), 2), (firing("B", at(4)),), RUNBOOK, at(4))
    keys = []
    for incident in (first, again):
        page = request(obligation(incident, "page/"), incident, RUNBOOK, at(4))
        assert isinstance(page, SendPage)
        keys.append(page.dedup_key)
    assert keys == ["incident-x", "incident-x/1"]
    resolved = apply_command(settled(again, at(4)), c.Resolve(by="a", force=True, reason="x"), RUNBOOK, at(5))
    settle = request(obligation(resolved, "page-resolve/1"), resolved, RUNBOOK, at(5))
    assert isinstance(settle, SettlePage)
    assert settle.dedup_key == "incident-x/1"


@pytest.mark.parametrize("how", ["cancelled", "published", "closed"])
def test_an_incident_that_is_closing_takes_a_new_alert(how: str) -> None:
    """The workflow still runs, so a new alert comes here and nowhere else: it must not be swallowed."""
    incident = fired(opened(), 0)
    if how == "cancelled":
        incident = apply_command(incident, c.Cancel(by="a", reason="probe"), RUNBOOK, at(5))
    else:
        incident = apply_command(incident, c.Resolve(by="a", force=True, reason="x"), RUNBOOK, at(5))
        incident = facts.postmortem_published(incident, at(6), "url")
        incident = settled(incident, at(6)) if how == "closed" else incident
        assert incident.closed is (how == "closed")
    again = fired(incident, 7)
    assert (again.status, again.closed, again.paging.attended) == (Status.INVESTIGATING, False, False)
    assert len(pages(again)) == 2


def test_a_storm_of_more_alerts_than_are_remembered_still_reopens() -> None:
    incident = opened()
    for number in range(210):
        incident = facts.alert_fired(incident, (firing(f"A{number}"),), RUNBOOK, T0)
    assert len(incident.alerting.alerts) == 200
    resolved = apply_command(incident, c.Resolve(by="a", force=True, reason="x"), RUNBOOK, at(5))
    again = facts.alert_fired(resolved, (firing("yet another", at(9)),), RUNBOOK, at(9))
    assert again.status == Status.INVESTIGATING


def test_57_a_rollback_that_breaks_down_drops_the_resolution_that_waited_for_it() -> None:
    offer = Offer(cluster="eu-001", suspect=row("v2", -5), candidate=row("v1", -900), reason="new")
    approved = RollbackState(offer=offer, since=T0, status=RollbackStatus.APPROVED, decided_by="ann")
    incident = opened().replace(rollback=opened().rollback.replace(clusters=(approved,)))
    waiting = apply_command(incident, c.Resolve(by="ann"), RUNBOOK, at(1))
    assert waiting.resolve_intent is not None
    broken = outcomes.failed(waiting, obligation(waiting, "rollback/"), "terminated", RUNBOOK, at(2))
    assert broken.resolve_intent is None
    assert any("Not resolved" in entry.text for entry in broken.timeline)


def test_the_time_to_acknowledge_is_the_runbooks_and_not_a_second_figure() -> None:
    policy = RUNBOOK.policy("P0").replace(acknowledge_within=Term(elapsed=timedelta(minutes=2)))
    runbook = RUNBOOK.replace(severities={**RUNBOOK.severities, "P0": policy})
    backup = next(o for o in agenda(opened(), runbook) if "/on_call_backup/" in o.key)
    assert backup.due == at(2)


def test_a_missed_target_is_said() -> None:
    incident = settled(opened(), T0)
    missed = [o for o in agenda(incident, RUNBOOK) if o.kind is ObligationKind.TARGET]
    assert [(o.due, o.subject) for o in missed] == [(at(5), "acknowledge")]
    late = settled(incident, at(6))
    assert any(e.text == "Target missed: acknowledged within 5m" and e.announce for e in late.timeline)
    in_time = settled(apply_command(incident, c.Acknowledge(by="ann"), RUNBOOK, at(3)), at(6))
    assert not any(e.text.startswith("Target missed") for e in in_time.timeline)


def test_the_fix_of_a_p2_is_due_by_the_next_business_day() -> None:
    fix = next(o for o in agenda(opened("P2"), RUNBOOK) if o.subject == "fix")
    assert fix.due == RUNBOOK.calendar.add_business_days(T0, 1)


def test_96_the_end_of_an_earlier_incidents_post_mortem_changes_nothing() -> None:
    incident = opened()
    assert facts.postmortem_published(incident, at(1), "url", "run-0") is incident
    assert facts.postmortem_waived(incident, at(1), "run-0") is incident
    assert facts.postmortem_published(incident, at(1), "url", "run-1").postmortem.published
    assert facts.postmortem_waived(incident, at(1), "run-1").postmortem.waived

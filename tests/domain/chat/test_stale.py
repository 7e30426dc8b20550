"""46: a button that is out of date is refused with the state of now."""

from incidents.domain.apply_command import apply_command
from incidents.domain.chat.buttons import Action, Target, target_of
from incidents.domain.chat.stale import why_stale
from incidents.domain.incident import commands as c
from incidents.domain.rollback import events as rollback_events
from tests.domain.rollback.attempts import NEXT, approved, offered
from tests.support.incidents import RUNBOOK, T0, at, opened, settled


def test_46_a_decision_is_only_for_what_was_shown() -> None:
    incident = offered()
    shown = target_of(incident, incident.rollback.clusters[0])
    assert why_stale(incident, Action.APPROVE, shown) == ""
    assert why_stale(approved(), Action.APPROVE, shown) == (
        "The incident has changed: the rollback of eu-001 to v2 is approved (decided by ann). Nothing was changed."
    )
    other = rollback_events.apply_offers(incident, (NEXT,), RUNBOOK, at(1))
    assert "the rollback of eu-001 to v1 is offered" in why_stale(other, Action.APPROVE, shown)
    assert "no rollback of mars is offered" in why_stale(incident, Action.DECLINE, shown.replace(cluster="mars"))


def test_46_command_is_taken_from_whom_the_button_showed() -> None:
    incident = settled(opened(), T0)
    shown = target_of(incident)
    assert why_stale(incident, Action.TAKE_COMMAND, shown) == ""
    taken = apply_command(incident, c.Acknowledge(by="bob"), RUNBOOK, at(1))
    assert "the incident commander is bob" in why_stale(taken, Action.TAKE_COMMAND, shown)


def test_46_an_update_that_was_published_is_not_held() -> None:
    incident = settled(opened(), T0)
    shown = target_of(incident)
    assert why_stale(incident, Action.SNOOZE, shown) == ""
    published = apply_command(incident, c.PostUpdate(by="ann", text="A fix is on its way."), RUNBOOK, at(5))
    assert "status update 2 has been published" in why_stale(published, Action.SNOOZE, shown)


def test_what_the_rules_refuse_by_themselves_is_not_checked() -> None:
    assert why_stale(settled(opened(), T0), Action.ACKNOWLEDGE, Target(incident="incident-x")) == ""

"""What the metrics count of an incident: each thing once, by comparing two states."""

from collections import Counter
from datetime import timedelta

import pytest

from incidents import metrics
from incidents.domain import apply_result as outcomes
from incidents.domain.apply_command import apply_command
from incidents.domain.core.command import Command
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.observations import Observation, observe
from tests.support.incidents import RUNBOOK, T0, at, obligation, opened, settled

P0 = {"severity": "P0"}


def told(command: Command, incident: Incident, minute: float) -> Incident:
    return apply_command(incident, command, RUNBOOK, at(minute))


def life() -> list[Incident]:
    """The states of a P0: opened, paged, acknowledged after 4 min, an update in time, and resolved after an hour."""
    incident = opened()
    states = [incident, settled(incident, T0)]
    states.append(told(c.Acknowledge(id="1", by="ann"), states[-1], 4))
    states.append(settled(states[-1], at(31)))
    states.append(told(c.Resolve(id="2", by="ann", force=True, reason="fixed"), states[-1], 60))
    return states


def counted(states: list[Incident]) -> list[Observation]:
    befores = [None, *states[:-1]]
    return [found for before, after in zip(befores, states, strict=True) for found in observe(before, after)]


def test_each_step_of_an_incident_is_counted_once() -> None:
    found = counted(life())
    assert Counter(each.metric for each in found) == {
        metrics.OPENED: 1,
        metrics.TIME_TO_PAGE: 1,
        metrics.TIME_TO_ACKNOWLEDGE: 1,
        metrics.UPDATE_LATENESS: 2,
        metrics.TIME_TO_RESOLVE: 1,
    }
    took = {each.metric: (each.labels, each.took) for each in found}
    assert took[metrics.TIME_TO_PAGE] == (P0, timedelta())
    assert took[metrics.TIME_TO_ACKNOWLEDGE] == (P0, timedelta(minutes=4))
    assert took[metrics.UPDATE_LATENESS] == (P0, timedelta(minutes=1)), "due at 30, out at 31"
    assert took[metrics.TIME_TO_RESOLVE] == (P0, timedelta(hours=1))


def test_a_state_that_was_counted_counts_as_nothing_again() -> None:
    assert [list(observe(state, state)) for state in life()] == [[]] * 5


def test_what_several_steps_at_once_bring_is_counted_as_one_by_one() -> None:
    states = life()
    assert Counter(each.metric for each in observe(None, states[-1])) == Counter(
        each.metric for each in counted(states)
    )


def test_an_obligation_that_is_given_up_is_counted_by_its_kind() -> None:
    incident = settled(opened(), T0)
    due = obligation(incident, "update/2")
    failed = outcomes.failed(incident, due, "Slack does not answer", RUNBOOK, at(30))
    [found] = observe(incident, failed)
    assert (found.metric, found.labels) == (metrics.OBLIGATIONS_FAILED, {"kind": "update"})


@pytest.mark.parametrize("change", [{"drill": True}, {"backfilled": True}])
def test_drills_and_past_incidents_count_as_nothing(change: dict[str, bool]) -> None:
    assert [found for state in life() for found in observe(None, state.replace(**change))] == []

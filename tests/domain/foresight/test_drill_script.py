"""The script of a drill: what of a scenario is played, what is told, and what is left to people."""

from datetime import timedelta

import pytest

from incidents.domain.drill.script import MOST_STEPS, DrillScript, DrillStep, StepKind
from incidents.domain.foresight.drill_script import drill_script
from incidents.domain.foresight.scenario import ScenarioError, parse_scenario
from incidents.domain.incident.opening import open_incident
from tests.support.incidents import RUNBOOK, T0, at

TEXT = """
severity: P1
title: It is slow
facts:
  - {at: -10m, do: deploy, version: v2.15.0}
  - {at: 2m, do: inject, text: Three customers wrote to support.}
  - {at: 4m, do: ack, by: ann}
  - {at: 5m, do: outage, of: product, for: 10m}
  - {at: 30m, do: alert ended}
  - {at: 40m, do: alert fired}
"""


def script(text: str = TEXT) -> DrillScript:
    return drill_script(parse_scenario(text, "slow.yaml"), "slow", RUNBOOK, "ann", T0)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def test_the_world_outside_is_told_the_alert_is_played_and_people_act_themselves() -> None:
    made = script()
    assert made.steps == (
        DrillStep(at=minutes(0), kind=StepKind.NOTE, text="v2.15.0 is deployed"),
        DrillStep(at=minutes(2), kind=StepKind.NOTE, text="Three customers wrote to support."),
        DrillStep(at=minutes(5), kind=StepKind.NOTE, text="The product is down for 10m"),
        DrillStep(at=minutes(30), kind=StepKind.ALERT_ENDED),
        DrillStep(at=minutes(40), kind=StepKind.ALERT_FIRED),
    )
    assert made.left_to_people == 1


def test_its_incident_is_a_drill_of_the_scenario_opened_when_the_drill_begins() -> None:
    begun = script().begun("drill-1", at(60))
    opened = open_incident(begun.opening, RUNBOOK, at(60), workflow_id="incident-drill-1", first_run_id="run")
    assert (opened.drill, opened.exercise.scenario, opened.severity) == (True, "slow", "P1")
    assert (opened.title, opened.reporter, opened.started_at) == ("It is slow", "ann", at(60))
    assert not opened.needs_triage
    assert begun.alert.started_at == at(60)


def test_an_alert_that_fires_again_is_the_same_alert() -> None:
    made = script()
    ended, fired = (made.alert_of(step, at(30)) for step in made.steps[-2:])
    assert (ended.ended_at, fired.ended_at) == (at(30), None)
    assert ended.fingerprint == fired.fingerprint == made.alert.fingerprint


def test_a_step_that_is_told_again_is_the_same_command() -> None:
    [_, inject, *_] = script().steps
    assert inject.note("drill-1/1") == inject.note("drill-1/1")
    assert inject.note("drill-1/1").by == "drill"


def test_too_many_steps_are_refused() -> None:
    facts = "".join(f"  - {{at: {number}m, do: inject, text: More.}}\n" for number in range(MOST_STEPS + 1))
    with pytest.raises(ScenarioError, match=f"a drill has {MOST_STEPS} at most"):
        script(f"severity: P1\nfacts:\n{facts}")


def test_a_severity_that_the_runbook_lacks_is_refused() -> None:
    with pytest.raises(ScenarioError, match="severity: 'P9' is not one of"):
        script("severity: P9\n")

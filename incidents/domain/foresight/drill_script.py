"""The script of a drill: it posts what happens outside and plays the alert; people's actions are left to them."""

from datetime import datetime
from typing import assert_never

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.command import Command
from incidents.domain.drill.script import MOST_STEPS, DrillScript, DrillStep, StepKind
from incidents.domain.foresight.facts import AlertFact, Fact
from incidents.domain.foresight.rehearsal.outside import Deployed, Inject, Outage
from incidents.domain.foresight.scenario import Scenario, ScenarioError
from incidents.domain.foresight.simulation import alert_of
from incidents.domain.incident.opening import opening_from

_SOURCE = "drill"
"""Of its alert: no system that could be asked of it."""


def drill_script(scenario: Scenario, name: str, runbook: RunbookConfig, by: str, at: datetime) -> DrillScript:
    """Return the script of a scenario called `name`, which `by` starts.

    What would fail or be deployed is posted as a note at its time, since a drill reaches no vendor and no product.

    Raises:
        ScenarioError: the runbook lacks the scenario's severity, service or region, or the script has too many steps.
    """
    filled = scenario.filled(runbook)
    alert = alert_of(filled, runbook, at).replace(source=_SOURCE)
    opening = opening_from((alert,), name, runbook).replace(
        severity=filled.severity, needs_triage=False, drill=True, reporter=by, scenario=name
    )
    steps = tuple(step for fact in filled.facts if (step := _step(fact)) is not None)
    if len(steps) > MOST_STEPS:
        raise ScenarioError(f"facts: {len(steps)} of them would be played; a drill has {MOST_STEPS} at most")
    return DrillScript(
        scenario=name, opening=opening, alert=alert, steps=steps, left_to_people=len(filled.facts) - len(steps)
    )


def _step(fact: Fact) -> DrillStep | None:
    """Return what is played of a fact; None for what people do. What was before the alert is posted at its start."""
    at = max(fact.at, type(fact.at)())
    match fact.what:
        case Command():
            return None
        case AlertFact.ENDED:
            return DrillStep(at=at, kind=StepKind.ALERT_ENDED)
        case AlertFact.FIRED:
            return DrillStep(at=at, kind=StepKind.ALERT_FIRED)
        case Outage() | Deployed() | Inject():
            return DrillStep(at=at, kind=StepKind.NOTE, text=fact.what.summary)
        case _:
            assert_never(fact.what)

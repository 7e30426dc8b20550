"""A plan: everything that a runbook does for one incident, from its alert on."""

from datetime import datetime, timedelta

from pydantic import AwareDatetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.foresight.messages import Message, describe
from incidents.domain.foresight.scenario import Scenario
from incidents.domain.foresight.settling import Done
from incidents.domain.foresight.simulation import Happened, simulate
from incidents.domain.incident.incident import Incident

FACT = "fact"
"""The kind of a step that the scenario states; all others are kinds of obligations."""


class PlannedStep(Frozen):
    """One thing that happens. `after`: since the alert. `obligation`: what is owed, in words.

    `channel`, `recipient` and `text`: of what is sent; "" where only the incident's own state changes. Of a fact the
    text says why it changes nothing, and `rejected` whether that is because the runbook rejects it.
    `housekeeping`: it keeps records and the channel current, or only prepares other steps.
    """

    after: timedelta
    key: str
    kind: str
    obligation: str
    channel: str = ""
    recipient: str = ""
    text: str = ""
    housekeeping: bool = False
    rejected: bool = False

    @property
    def is_fact(self) -> bool:
        """Whether the scenario states it."""
        return self.kind == FACT


class Plan(Frozen):
    """What happens to an incident of that severity until `until` after its alert at `start`."""

    product: str
    severity: Severity
    service: str
    region: str
    start: AwareDatetime
    until: timedelta
    steps: tuple[PlannedStep, ...]


def plan(scenario: Scenario, runbook: RunbookConfig, start: datetime) -> Plan:
    """Return what happens by the scenario. `start`: of the alert, aware UTC. Every activity succeeds at once.

    Raises:
        ScenarioError: the runbook lacks the scenario's severity, service or region.
    """
    filled = scenario.filled(runbook)
    steps = tuple(_step(done, incident, runbook, start) for done, incident in simulate(filled, runbook, start))
    return Plan(
        product=runbook.product,
        severity=filled.severity,
        service=filled.service,
        region=filled.region,
        start=start,
        until=filled.until,
        steps=steps,
    )


def _step(done: Done | Happened, incident: Incident, runbook: RunbookConfig, start: datetime) -> PlannedStep:
    if isinstance(done, Happened):
        stated = PlannedStep(after=done.at - start, key=done.key, kind=FACT, obligation=done.summary)
        return stated.replace(text=done.why_not, rejected=done.rejected)
    message = describe(done.request, incident, runbook) if done.request is not None else Message()
    return PlannedStep(
        after=done.at - start,
        key=done.key,
        kind=done.kind,
        obligation=done.summary,
        channel=message.channel,
        recipient=message.recipient,
        text=message.text,
        housekeeping=done.housekeeping,
    )

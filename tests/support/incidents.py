"""Incidents to try rules on, and the workflow's interpreter without Temporal."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult
from incidents.domain.agenda import agenda
from incidents.domain.alerting.alert import Alert
from incidents.domain.config.loading import parse_runbook
from incidents.domain.core.severity import Severity
from incidents.domain.foresight import answers, settling
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident
from incidents.domain.incident.state import Opening
from incidents.domain.obligation import Obligation
from incidents.domain.postmortem.document.sections import Cause, Document

TEXT = Path("runbook.yaml").read_text(encoding="utf-8")
RUNBOOK = parse_runbook(TEXT)
PROBE_VARIABLES = {name for probe in RUNBOOK.probes for name in probe.variables}
T0 = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
WRITTEN = Document(
    summary="A release that could not read its own cache made evaluations fail.",
    cause=Cause.DEPLOYMENT,
    whys=("The cache could not be read.", "Its format had changed.", "No test reads what an older release wrote."),
    root_cause="Releases are not tested against what their predecessors left behind.",
    well=("The rollback took three minutes.",),
    better=("The alert came four minutes after the first error.",),
    no_items_because="the test exists since yesterday",
)
"""A document that lacks nothing."""


def at(minutes: float) -> datetime:
    """The instant so many minutes after T0."""
    return T0 + timedelta(minutes=minutes)


def opened(severity: Severity = "P0", when: datetime = T0, needs_triage: bool = False) -> Incident:
    """A fresh incident of flag evaluation."""
    opening = Opening(
        key="flag-evaluation:production",
        title="Evaluation errors",
        service="flag-evaluation",
        severity=severity,
        needs_triage=needs_triage,
        alerted_at=when,
        source="Alertmanager",
    )
    return open_incident(opening, RUNBOOK, when, workflow_id="incident-x", first_run_id="run-1")


def firing(name: str = "EvaluationErrors", when: datetime = T0) -> Alert:
    """An alert that fires."""
    labels = {"alertname": name}
    return Alert(
        name=name, labels=labels, summary=f"{name} is high", started_at=when, fingerprint=name, source="Alertmanager"
    )


def answer(effect: ActivityRequest) -> ActivityResult:
    """What an activity that succeeds reports."""
    return answers.answer(effect, RUNBOOK)


def fulfil(incident: Incident, obligation: Obligation, when: datetime) -> Incident:
    """Do one obligation, as the workflow would."""
    return settling.fulfil(incident, obligation, RUNBOOK, when)


def settled(incident: Incident, when: datetime) -> Incident:
    """Do all that is due, and what follows from it, at one instant."""
    return settling.settled(incident, RUNBOOK, when)


def lived(incident: Incident, start: float, end: float) -> Incident:
    """Let the minutes pass one by one, doing what falls due."""
    minute = start
    while minute <= end:
        incident = settled(incident, at(minute))
        minute += 1
    return incident


def obligation(incident: Incident, prefix: str) -> Obligation:
    """The first obligation whose key begins so."""
    return next(o for o in agenda(incident, RUNBOOK) if o.key.startswith(prefix))


def keys(incident: Incident, prefix: str = "") -> list[str]:
    """The keys of what is owed."""
    return [o.key for o in agenda(incident, RUNBOOK) if o.key.startswith(prefix)]

"""Incidents to try rules on, and the workflow's interpreter without Temporal."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from incidents.domain import activity_requests
from incidents.domain import apply_result as outcomes
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import (
    ActivityResult,
    AlertsSilenced,
    EvidencePreserved,
    NumberAllocated,
    ResourcesChanged,
)
from incidents.domain.agenda import agenda
from incidents.domain.alerting.alert import Alert
from incidents.domain.alerting.state import Silence
from incidents.domain.build_request import request
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.config.loading import parse_runbook
from incidents.domain.core.severity import Severity
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident
from incidents.domain.incident.state import Opening, Resources
from incidents.domain.obligation import Obligation
from incidents.domain.obligation_spec import WorkflowStep
from incidents.domain.postmortem.document.sections import Cause, Document
from incidents.domain.registry import spec_of

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
    match effect:
        case activity_requests.AllocateNumber():
            return NumberAllocated(number=1)
        case chat_requests.OpenChannel():
            channel = Resources(channel_id="C1", channel_name=effect.name, channel_url="https://chat.example/C1")
            return ResourcesChanged(resources=channel)
        case chat_requests.SetTopic():
            return ResourcesChanged(resources=Resources(topic=effect.topic))
        case chat_requests.KeepSummary():
            return ResourcesChanged(resources=Resources(summary_ts="1.1", summary_text=effect.text))
        case activity_requests.SilenceAlerts():
            made = [Silence(id=name, fingerprint=name, until=effect.until) for name in effect.alerts]
            return AlertsSilenced(silences=tuple(made))
        case activity_requests.OpenBridge():
            return ResourcesChanged(resources=Resources(bridge_url="https://meet.example/1"))
        case activity_requests.PublishStatus():
            return ResourcesChanged(resources=Resources(status_page_id="p1"))
    return effect.result_type()()


def stepped(step: WorkflowStep) -> ActivityResult:
    """What a step of the workflow that succeeds returns."""
    return EvidencePreserved() if step is WorkflowStep.PRESERVE_EVIDENCE else ActivityResult()


def fulfil(incident: Incident, obligation: Obligation, when: datetime) -> Incident:
    """Do one obligation, as the workflow would."""
    spec = spec_of(obligation)
    if spec.apply_due is not None:
        return outcomes.apply_due(incident, obligation, RUNBOOK, when)
    asked = stepped(spec.workflow_step) if spec.workflow_step else request(obligation, incident, RUNBOOK, when)
    outcome = asked if isinstance(asked, ActivityResult) else answer(asked)
    return outcomes.fulfilled(outcomes.begun(incident, obligation, RUNBOOK), obligation, outcome, RUNBOOK, when)


def settled(incident: Incident, when: datetime) -> Incident:
    """Do all that is due, and what follows from it, at one instant."""
    for _ in range(200):
        due = [obligation for obligation in agenda(incident, RUNBOOK) if obligation.due <= when]
        if not due:
            return incident
        incident = fulfil(incident, due[0], when)
    raise AssertionError(f"always something due: {due[0].key}")


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

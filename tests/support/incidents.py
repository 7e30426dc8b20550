"""Incidents to try rules on, and the workflow's interpreter without Temporal."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from incidents.domain import activity_requests as effects
from incidents.domain import apply_event as facts
from incidents.domain import apply_result as outcomes
from incidents.domain.activity_requests import Effect, Outcome
from incidents.domain.agenda import agenda
from incidents.domain.alerting.alert import Alert
from incidents.domain.build_request import request
from incidents.domain.config.loading import parse_runbook
from incidents.domain.core.severity import Severity
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident
from incidents.domain.incident.parts import Opening, Resources, Silence
from incidents.domain.obligation import INNER_DUTIES, Duty, Obligation
from incidents.domain.postmortem.document import Cause, Document

TEXT = Path("runbook.yaml").read_text(encoding="utf-8")
RUNBOOK = parse_runbook(TEXT)
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
CHILDREN = (Duty.ROLLBACK, Duty.TELL_ROLLBACK, Duty.EVIDENCE, Duty.POSTMORTEM, Duty.WITHDRAW_POSTMORTEM)


def at(minutes: float) -> datetime:
    """The instant so many minutes after T0."""
    return T0 + timedelta(minutes=minutes)


def opened(severity: Severity = Severity.P0, when: datetime = T0, needs_triage: bool = False) -> Incident:
    """A fresh incident of flag evaluation."""
    opening = Opening(
        key="flag-evaluation:production",
        title="Evaluation errors",
        service="flag-evaluation",
        severity=severity,
        needs_triage=needs_triage,
        alerted_at=when,
        source="alertmanager",
    )
    return open_incident(opening, RUNBOOK, when, workflow_id="incident-x", run_key="run-1")


def firing(name: str = "EvaluationErrors", when: datetime = T0) -> Alert:
    """An alert that fires."""
    labels = {"alertname": name}
    return Alert(name=name, labels=labels, summary=f"{name} is high", started_at=when, fingerprint=name)


def answer(effect: Effect) -> Outcome:
    """What a hand that succeeds reports."""
    match effect:
        case effects.AllocateNumber():
            return Outcome(number=1)
        case effects.OpenChannel():
            return Outcome(resources=Resources(channel_id="C1", channel_name=effect.name))
        case effects.SetTopic():
            return Outcome(resources=Resources(topic=effect.topic))
        case effects.KeepSummary():
            return Outcome(resources=Resources(summary_ts="1.1", summary_text=effect.text))
        case effects.SilenceAlerts():
            made = [Silence(id=name, fingerprint=name, until=effect.until) for name in effect.alerts]
            return Outcome(silences=tuple(made))
        case effects.OpenBridge():
            return Outcome(resources=Resources(bridge_url="https://meet.example/1"))
        case effects.PublishStatus():
            return Outcome(resources=Resources(status_page_id="p1"))
    return Outcome()


def fulfil(incident: Incident, duty: Obligation, when: datetime) -> Incident:
    """Do one duty, as the workflow would."""
    if duty.duty in INNER_DUTIES:
        return facts.inner_duty_due(incident, duty, RUNBOOK, when)
    asked = Outcome() if duty.duty in CHILDREN else request(duty, incident, RUNBOOK, when)
    outcome = asked if isinstance(asked, Outcome) else answer(asked)
    return outcomes.fulfilled(outcomes.begun(incident, duty.key), duty, outcome, RUNBOOK, when)


def settled(incident: Incident, when: datetime) -> Incident:
    """Do all that is due, and what follows from it, at one instant."""
    for _ in range(200):
        due = [duty for duty in agenda(incident, RUNBOOK) if duty.due <= when]
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


def duty(incident: Incident, prefix: str) -> Obligation:
    """The first obligation whose key begins so."""
    return next(o for o in agenda(incident, RUNBOOK) if o.key.startswith(prefix))


def keys(incident: Incident, prefix: str = "") -> list[str]:
    """The keys of what is owed."""
    return [o.key for o in agenda(incident, RUNBOOK) if o.key.startswith(prefix)]

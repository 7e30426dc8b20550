"""Open an incident, from an alert or by hand."""

from datetime import datetime

from incidents.domain.alerting.alert import (
    Alert,
    identity,
    is_private,
    severity_of,
)
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.program_errors import with_fault
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.core.time.duration import in_words
from incidents.domain.core.time.instants import EARLIEST, bounded, written
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.checklist import Step, StepState, StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Episode, Opening, UpdateKind
from incidents.domain.updates.publishing import opening_text, publish

_SKEW = 60
"""Delay in seconds between alert and opening from which the timeline shows it (behaviour 26)."""


def opening_from(alerts: tuple[Alert, ...], key: str, runbook: RunbookConfig) -> Opening:
    """Return the opening for alerts of one correlation key: the most severe alert names the incident."""
    intake = runbook.intake
    judged = ((*severity_of(alert, runbook), alert) for alert in alerts)
    severity, needs_triage, alert = min(judged, key=lambda j: (runbook.rank(j[0]), j[1], j[2].started_at))
    labels = identity(alert, intake)
    return Opening(
        key=key,
        title=alert.title[:200],
        service=one_line(labels.get("service") or next(iter(labels.values())), 200),
        environment=one_line(labels.get("environment") or intake.defaults.get("environment", "production"), 200),
        severity=severity,
        needs_triage=needs_triage,
        alerted_at=min(alert.started_at for alert in alerts),
        source=alert.source,
        reporter=alert.source,
        private=any(is_private(alert, intake) for alert in alerts),
    )


def with_known_severity(opening: Opening, runbook: RunbookConfig) -> Opening:
    """Return an opening whose severity the runbook has: another one is replaced, and a person is asked to confirm."""
    severity = runbook.severity_named(opening.severity)
    if severity is None:
        return opening.replace(severity=runbook.unknown_severity, needs_triage=True)
    return opening.replace(severity=severity)


def open_incident(
    opening: Opening, runbook: RunbookConfig, at: datetime, *, workflow_id: str, first_run_id: str
) -> Incident:
    """Return the new incident: severity set, timer started, first update queued.

    The SLA clock starts at the alert's own time, not at ours; a time in the future or out of bounds is clamped and
    flagged (behaviour 26).
    """
    started = min(bounded(opening.alerted_at, at), at)
    incident = Incident(
        key=opening.key,
        workflow_id=workflow_id,
        first_run_id=first_run_id,
        title=opening.title,
        service=opening.service,
        environment=opening.environment,
        source=opening.source,
        reporter=opening.reporter,
        drill=opening.drill,
        private=opening.private,
        severity=opening.severity,
        highest_severity=opening.severity,
        needs_triage=opening.needs_triage,
        episodes=(Episode(severity=opening.severity, since=at),),
        started_at=started,
        opened_at=at,
        last_paged_at=at,
        no_commander_since=at,
        steps=tuple(StepState(step=step) for step in Step),
    )
    incident = incident.logged(
        at, opening.reporter, Kind.OPENED, f"{opening.severity}: {opening.title}", happened_at=started
    )
    incident = _with_timer(incident, opening, at)
    incident = _with_severity(incident, at)
    if runbook.policy(incident.severity).updates.every is not None:
        text = opening_text(incident, runbook)
        incident = publish(incident, runbook, at, UpdateKind.INITIAL, text, anchor=at)
    return incident


def open_minimal_incident(
    opening: Opening, at: datetime, error: str, *, workflow_id: str, first_run_id: str
) -> Incident:
    """Return a minimal incident, good enough to page on-call, after `open_incident` failed.

    It has the opening's severity, starts now, and publishes no first update.
    """
    incident = Incident(
        key=opening.key,
        workflow_id=workflow_id,
        first_run_id=first_run_id,
        title=opening.title[:200],
        service=opening.service,
        environment=opening.environment,
        source=opening.source,
        reporter=opening.reporter,
        drill=opening.drill,
        private=opening.private,
        severity=opening.severity,
        highest_severity=opening.severity,
        needs_triage=True,
        episodes=(Episode(severity=opening.severity, since=at),),
        started_at=at,
        opened_at=at,
        last_paged_at=at,
        no_commander_since=at,
        steps=tuple(StepState(step=step) for step in Step),
    )
    incident = incident.replace(faults=with_fault(incident, "opening the incident", error, at))
    text = f"Opened with partial alert data because of an error in this program ({error}). Check title and severity."
    return incident.logged(at, SYSTEM, Kind.OPENED, text, announce=True)


def _with_timer(incident: Incident, opening: Opening, at: datetime) -> Incident:
    detail = f"started {incident.started_at:%Y-%m-%d %H:%M:%S} UTC"
    skew = at - opening.alerted_at
    if opening.alerted_at < EARLIEST:
        detail += f"; ignored the alert's own time {written(opening.alerted_at)} (before {EARLIEST.year})"
    elif skew.total_seconds() < 0:
        detail += f"; ignored the alert's own time {opening.alerted_at:%H:%M:%S} UTC (in the future)"
    elif skew.total_seconds() > _SKEW:
        detail += f"; opened {in_words(skew)} after the alert"
    incident = incident.with_step(Step.TIMER, StepStatus.DONE, at, SYSTEM, detail)
    return incident.logged(at, SYSTEM, Kind.CHECKLIST, f"Timer: {detail}")


def _with_severity(incident: Incident, at: datetime) -> Incident:
    if not incident.needs_triage:
        detail = f"{incident.severity} (from {_display_name(incident)})"
        return incident.with_step(Step.SEVERITY, StepStatus.DONE, at, incident.reporter, detail)
    text = f"Unknown alert severity: using {incident.severity}. Confirm or change it (`incident severity`)."
    return incident.logged(at, SYSTEM, Kind.SEVERITY, text, announce=True)


def _display_name(incident: Incident) -> str:
    """Return the reporter as people write it: `Alertmanager`, or a person's login."""
    return "Alertmanager" if incident.reporter == "alertmanager" else incident.reporter

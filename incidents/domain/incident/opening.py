"""Open an incident, from an alert or by hand."""

from datetime import datetime

from incidents.domain.alerting.alert import (
    Alert,
    identity,
    is_private,
    region_of,
    routed_labels,
    severity_of,
)
from incidents.domain.alerting.maintenance import wait_for_window
from incidents.domain.alerting.state import AlertingState
from incidents.domain.alerting.triage import start_triage
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.core.time.instants import EARLIEST, bounded, written
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.drill.state import DrillState
from incidents.domain.incident.checklist import Step, StepState, StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.state import Episode, Opening, RolesState
from incidents.domain.paging.state import PagingState
from incidents.domain.updates.publishing import publish_first_update

_SKEW = 60
"""Delay in seconds between alert and opening from which the timeline shows it (behaviour 26)."""


def opening_from(alerts: tuple[Alert, ...], key: str, runbook: RunbookConfig) -> Opening:
    """Return the opening for alerts of one correlation key: the most severe alert names the incident."""
    intake = runbook.intake
    judged = ((*severity_of(alert, runbook), alert) for alert in alerts)
    severity, needs_triage, alert = min(judged, key=lambda j: (runbook.rank(j[0]), j[1], j[2].started_at))
    labels, route = identity(alert, intake), intake.route(alert.route)
    service = (route.service if route is not None else "") or labels.get("service") or next(iter(labels.values()))
    return Opening(
        key=key,
        title=one_line(alert.title, 200),
        service=one_line(service, 200),
        environment=one_line(labels.get("environment") or intake.defaults.get("environment", "production"), 200),
        severity=severity,
        needs_triage=needs_triage,
        alerted_at=min(alert.started_at for alert in alerts),
        source=alert.source,
        reporter=alert.source,
        private=any(is_private(alert, intake) for alert in alerts),
        service_assumed=not routed_labels(alert, intake).get("service"),
        by_alert=True,
        region=region_of(alert),
        route=alert.route,
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
    incident = _new_incident(opening, at, workflow_id, first_run_id).replace(
        recurrence_of=opening.recurrence_of, needs_triage=opening.needs_triage, started_at=started
    )
    text = f"{opening.severity}: {opening.title}"
    incident = incident.logged(at, incident.reporter, Kind.OPENED, text, happened_at=started)
    incident = _with_timer(incident, opening, at)
    incident = _with_severity(incident, at)
    incident = start_triage(incident, opening, runbook, at)
    incident = wait_for_window(incident, opening, runbook, at)
    if incident.alerting.waiting is not None:
        return incident
    return publish_first_update(incident, runbook, at)


def open_minimal_incident(
    opening: Opening, at: datetime, error: str, *, workflow_id: str, first_run_id: str
) -> Incident:
    """Return a minimal incident, good enough to page on-call, after `open_incident` failed.

    It has the opening's severity, starts now, and publishes no first update.
    """
    incident = _new_incident(opening, at, workflow_id, first_run_id).replace(title=one_line(opening.title, 200))
    incident = incident.replace(operators=incident.operators.with_fault("opening the incident", error, at))
    text = f"Opened with partial alert data because of an error in this program ({error}). Check title and severity."
    return incident.logged(at, SYSTEM, Kind.OPENED, text, announce=True)


def _new_incident(opening: Opening, at: datetime, workflow_id: str, first_run_id: str) -> Incident:
    """Return an incident that starts now, is no recurrence, and whose severity a person is asked to confirm."""
    return Incident(
        key=opening.key,
        workflow_id=workflow_id,
        first_run_id=first_run_id,
        title=opening.title,
        service=opening.service,
        environment=opening.environment,
        source=opening.source,
        reporter=opening.reporter or opening.source,
        drill=opening.drill,
        exercise=DrillState(scenario=opening.scenario),
        private=opening.private,
        alerting=AlertingState(route=opening.route),
        severity=opening.severity,
        highest_severity=opening.severity,
        needs_triage=True,
        episodes=(Episode(severity=opening.severity, since=at),),
        started_at=at,
        opened_at=at,
        paging=PagingState(last_paged_at=at),
        roles=RolesState(no_commander_since=at),
        steps=tuple(StepState(step=step) for step in Step),
    )


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
    """Return the reporter as people write it: a source with a capital, a person's login as it is."""
    is_source = incident.reporter == incident.source
    return incident.reporter[:1].upper() + incident.reporter[1:] if is_source else incident.reporter

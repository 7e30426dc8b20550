"""Obligations to Alertmanager: silence the alerts that are being worked on, poll them, expire the silences."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult
from incidents.domain.apply_event import alerts_ended
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import AlertState
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import (
    LIVE,
    ObligationSpec,
    Owed,
    Phase,
)


def silenceable(incident: Incident) -> tuple[AlertState, ...]:
    """Return the firing alerts whose labels are known, which are few: exactly these are ever silenced."""
    return tuple(alert for alert in incident.firing if alert.labels)


def silence_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the silence of the firing alerts, once somebody has acknowledged."""
    if incident.attended and silenceable(incident):
        since = incident.heard_at or incident.opened_at
        yield at_once(ObligationKind.SILENCE, f"silence/{incident.repage_count}", since, "Silence the alerts")


def silences_to_expire(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the expiry of the silences, also of one that was still being created when the incident closed."""
    if incident.silences:
        says, at = "Expire the Alertmanager silence", incident.timeline[-1].at
        yield at_once(ObligationKind.UNSILENCE, f"unsilence/{incident.repage_count}", at, says)


def alerts_to_check(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Poll silenced alerts: Alertmanager sends no "resolved" for an alert that is silenced."""
    firing = {alert.fingerprint for alert in incident.firing}
    hidden = [silence for silence in incident.silences if silence.fingerprint in firing]
    if not hidden or incident.alerts_checked_at is None:
        return
    due = incident.alerts_checked_at + runbook.paging.check_alerts_every
    if due <= max(silence.until for silence in hidden):
        yield Obligation(
            key=f"alerts-check/{incident.alert_checks}",
            kind=ObligationKind.CHECK_ALERTS,
            due=due,
            since=incident.alerts_checked_at,
            says="Ask whether the silenced alerts still fire",
        )


def build_silence(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Silence exactly the alerts that are being worked on, for `paging.silence_for`."""
    return activity_requests.SilenceAlerts(
        key=obligation.key,
        alerts={alert.fingerprint: alert.labels for alert in silenceable(incident)},
        since=at,
        until=at + runbook.paging.silence_for,
        by=incident.commander or incident.acknowledged_by or "incident runbook",
        comment=f"{incident.name}, acknowledged by {incident.acknowledged_by or incident.commander}",
    )


def build_expiry(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Expire the silences, so that an alert that fires again after the incident pages."""
    return activity_requests.LiftSilences(
        key=obligation.key, silences=tuple(silence.id for silence in incident.silences)
    )


def build_check(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Ask which of the silenced alerts still fire."""
    hidden = {silence.fingerprint for silence in incident.silences}
    alerts = {alert.fingerprint: alert.labels for alert in silenceable(incident) if alert.fingerprint in hidden}
    return activity_requests.CheckAlerts(key=obligation.key, alerts=alerts)


def apply_silences(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Remember which alerts are silenced."""
    return incident.replace(silences=(*incident.silences, *result.silences), alerts_checked_at=at)


def apply_expiry(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Forget the silences."""
    return incident.replace(silences=())


def apply_check(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Take in which alerts have ended; the next poll counts from now."""
    incident = incident.replace(alert_checks=incident.alert_checks + 1, alerts_checked_at=at)
    return alerts_ended(incident, dict.fromkeys(result.ended, at), runbook, at)


def apply_check_failure(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Poll again at the next interval: the silence lasts, and so does the question."""
    return incident.replace(alert_checks=incident.alert_checks + 1, alerts_checked_at=at)


SILENCE = ObligationSpec(
    ObligationKind.SILENCE,
    (Owed(silence_owed, LIVE),),
    build_request=build_silence,
    apply_result=apply_silences,
    timeline=Kind.ALERT,
    announce=True,
)
UNSILENCE = ObligationSpec(
    ObligationKind.UNSILENCE,
    (Owed(silences_to_expire, frozenset({Phase.OVER, Phase.CLOSED})),),
    build_request=build_expiry,
    apply_result=apply_expiry,
    timeline=Kind.ALERT,
)
CHECK_ALERTS = ObligationSpec(
    ObligationKind.CHECK_ALERTS,
    (Owed(alerts_to_check, LIVE),),
    build_request=build_check,
    apply_result=apply_check,
    apply_failure=apply_check_failure,
    repeats=True,
    silent=True,
    housekeeping=True,
)

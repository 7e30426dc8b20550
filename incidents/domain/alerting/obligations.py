"""Obligations to the alert source: silence the alerts that are being worked on, poll them, expire the silences."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult, AlertsChecked, AlertsSilenced
from incidents.domain.alerting.ending import alerts_ended, quiet_period_over
from incidents.domain.alerting.maintenance import end_waiting
from incidents.domain.alerting.sources import log_unaskable, silenceable, unaskable
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import (
    LIVE,
    ObligationSpec,
    Owed,
    Phase,
    spent_instants,
)


def silence_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the silence of the firing alerts once acknowledged, or a note that there can be none."""
    if incident.paging.attended and (silenceable(incident, runbook) or unaskable(incident, runbook)):
        since = incident.paging.last_response_at or incident.opened_at
        yield at_once(ObligationKind.SILENCE, Key("silence", incident.paging.repage_count), since, "Silence the alerts")


def silences_to_expire(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the expiry of the silences, also of one that was still being created when the incident closed."""
    if incident.alerting.silences:
        summary, at = "Expire the alert silence", incident.timeline[-1].at
        yield at_once(ObligationKind.UNSILENCE, Key("unsilence", incident.paging.repage_count), at, summary)


def alerts_to_check(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Poll silenced alerts: the source may send no "resolved" for an alert that is silenced."""
    firing = {alert.fingerprint for alert in incident.alerting.firing}
    hidden = [silence for silence in incident.alerting.silences if silence.fingerprint in firing]
    if not hidden or incident.alerting.checked_at is None:
        return
    due = incident.alerting.checked_at + runbook.paging.check_alerts_every
    if due <= max(silence.until for silence in hidden):
        yield Obligation(
            key=Key("alerts-check", incident.alerting.checks),
            kind=ObligationKind.CHECK_ALERTS,
            due=due,
            since=incident.alerting.checked_at,
            summary="Poll the silenced alerts",
        )


def quiet_period(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the end of the quiet period, after which the end of the alerts counts."""
    ended, until = incident.alerting.all_ended_at, incident.alerting.quiet_until
    if ended is not None and until is not None:
        yield Obligation(
            key=Key("quiet", ended.isoformat()),
            kind=ObligationKind.QUIET,
            due=until,
            since=ended,
            summary="Quiet period ends: the alerts count as ended",
        )


def quiet(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Let the end of the alerts count."""
    return quiet_period_over(incident.with_fulfilled(obligation.key), runbook, at)


def window_end(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the end of the maintenance window that the incident waits for."""
    waiting = incident.alerting.waiting
    if waiting is not None and waiting.reopens == incident.over:
        what = "reopen" if waiting.reopens else "open"
        yield Obligation(
            key=Key("maintenance", waiting.until.isoformat()),
            kind=ObligationKind.MAINTENANCE,
            due=max(waiting.until, incident.opened_at),
            since=incident.opened_at,
            summary=f"Maintenance window ends: {what} if the alert still fires",
        )


def window_ended(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Open or reopen the incident if its alert still fires."""
    return end_waiting(incident.with_fulfilled(obligation.key), runbook, at)


def build_silence(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[AlertsSilenced] | AlertsSilenced:
    """Silence exactly the alerts that are being worked on, for `paging.silence_for`."""
    if not silenceable(incident, runbook):
        return AlertsSilenced(skipped="no firing alert has a source that can be silenced")
    return activity_requests.SilenceAlerts(
        key=obligation.key,
        alerts={alert.fingerprint: alert.labels for alert in silenceable(incident, runbook)},
        apis={alert.fingerprint: runbook.intake.api_of(alert.source) for alert in silenceable(incident, runbook)},
        since=at,
        until=at + runbook.paging.silence_for,
        by=incident.roles.commander or incident.acknowledged_by or "incident runbook",
        comment=f"{incident.name}, acknowledged by {incident.acknowledged_by or incident.roles.commander}",
    )


def build_expiry(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Expire the silences, so that an alert that fires again after the incident pages."""
    silences = incident.alerting.silences
    return activity_requests.LiftSilences(
        key=obligation.key,
        silences=tuple(silence.id for silence in silences),
        apis={silence.id: silence.api for silence in silences},
    )


def build_check(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[AlertsChecked]:
    """Ask which of the silenced alerts still fire."""
    hidden = {silence.fingerprint for silence in incident.alerting.silences}
    found = [alert for alert in silenceable(incident, runbook) if alert.fingerprint in hidden]
    return activity_requests.CheckAlerts(
        key=obligation.key,
        alerts={alert.fingerprint: alert.labels for alert in found},
        apis={alert.fingerprint: runbook.intake.api_of(alert.source) for alert in found},
    )


def apply_silences(
    incident: Incident, obligation: Obligation, result: AlertsSilenced, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Remember which alerts are silenced, without silences that have expired, and say which could not be."""
    active = (silence for silence in incident.alerting.silences if silence.until > at)
    incident = incident.replace(alerting=incident.alerting.replace(silences=(*active, *result.silences), checked_at=at))
    return log_unaskable(incident, runbook, at)


def apply_no_silence(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Say which alerts cannot be silenced by any means."""
    return log_unaskable(incident, runbook, at)


def apply_expiry(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Forget the silences."""
    return incident.replace(alerting=incident.alerting.replace(silences=()))


def apply_check(
    incident: Incident, obligation: Obligation, result: AlertsChecked, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Take in which alerts have ended; the next poll counts from now."""
    incident = incident.replace(alerting=incident.alerting.replace(checks=incident.alerting.checks + 1, checked_at=at))
    return alerts_ended(incident, dict.fromkeys(result.ended, at), runbook, at)


def apply_check_failure(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Poll again at the next interval: the silence lasts, and so does the question."""
    return incident.replace(alerting=incident.alerting.replace(checks=incident.alerting.checks + 1, checked_at=at))


def spent_checks(incident: Incident) -> Iterator[Key]:
    """Yield the keys of the polls before the next one."""
    yield from (Key("alerts-check", number) for number in range(incident.alerting.checks))


def spent_silences(incident: Incident) -> Iterator[Key]:
    """Yield the keys of the silences of earlier re-pages."""
    yield from (Key("silence", number) for number in range(incident.paging.repage_count))


def spent_expiries(incident: Incident) -> Iterator[Key]:
    """Yield the keys of the expiries before the last re-page."""
    yield from (Key("unsilence", number) for number in range(incident.paging.repage_count))


SILENCE = ObligationSpec(
    ObligationKind.SILENCE,
    (Owed(silence_owed, LIVE),),
    build_request=build_silence,
    apply_result=apply_silences,
    apply_failure=apply_no_silence,
    apply_skip=apply_no_silence,
    spent=spent_silences,
    timeline=Kind.ALERT,
    announce=True,
)
UNSILENCE = ObligationSpec(
    ObligationKind.UNSILENCE,
    (Owed(silences_to_expire, frozenset({Phase.OVER, Phase.CLOSED})),),
    build_request=build_expiry,
    apply_result=apply_expiry,
    spent=spent_expiries,
    timeline=Kind.ALERT,
)
CHECK_ALERTS = ObligationSpec(
    ObligationKind.CHECK_ALERTS,
    (Owed(alerts_to_check, LIVE),),
    build_request=build_check,
    apply_result=apply_check,
    apply_failure=apply_check_failure,
    spent=spent_checks,
    repeats=True,
    silent=True,
    housekeeping=True,
)
QUIET = ObligationSpec(
    ObligationKind.QUIET, (Owed(quiet_period, LIVE),), apply_due=quiet, spent=spent_instants("quiet")
)
MAINTENANCE = ObligationSpec(
    ObligationKind.MAINTENANCE,
    (Owed(window_end, frozenset({Phase.WAITING, Phase.OVER, Phase.CLOSED})),),
    apply_due=window_ended,
    spent=spent_instants("maintenance"),
)

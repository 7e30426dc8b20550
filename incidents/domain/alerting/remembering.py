"""Remember alerts: which are known, which of them are news, where they came from, and when they ended."""

from datetime import datetime

from incidents.domain.alerting.alert import Alert
from incidents.domain.alerting.flapping import with_refiring
from incidents.domain.alerting.severity import claimed_severity, is_judged
from incidents.domain.alerting.state import MOST_ALERTS, AlertingState, AlertState
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.severity import Severity
from incidents.domain.core.status import Status
from incidents.domain.core.time.instants import bounded
from incidents.domain.incident.incident import Incident

_MOST_LABELLED = 20
"""Alerts whose labels are kept, so that exactly they can be silenced."""


def remember_alerts(
    incident: Incident, alerts: tuple[Alert, ...], runbook: RunbookConfig, at: datetime
) -> tuple[Incident, list[Alert]]:
    """Return the incident with these alerts remembered or counted, and those of them that are news."""
    fresh = []
    for alert in alerts:
        severity = claimed_severity(alert, runbook)
        known = next((a for a in incident.alerting.alerts if a.fingerprint == alert.fingerprint), None)
        if known is None:
            before = incident.alerting.alerts
            incident = incident.replace(alerting=_with_new(incident.alerting, alert, severity, runbook))
            is_forgotten = incident.alerting.alerts == before
            fresh += [] if is_forgotten and incident.status == Status.INVESTIGATING else [alert]
            continue
        worse = severity is not None and known.severity is not None and _is_worse(severity, known.severity, runbook)
        again = worse or known.ended_at is not None or _claimed(alert) > _claimed(known)
        newer = _repeated(known, alert, severity, runbook, again=again)
        if known.ended_at is not None:
            newer = with_refiring(newer, at, runbook.intake.flapping)
        incident = _with_alert(incident, known, newer)
        fresh += [alert] if again else []
    return incident, fresh


def _with_new(
    alerting: AlertingState, alert: Alert, severity: Severity | None, runbook: RunbookConfig
) -> AlertingState:
    """Return the state with an alert that is not known. Of too many, only the first of a worse severity is kept."""
    if len(alerting.alerts) < MOST_ALERTS or (severity is not None and _is_worst(severity, alerting, runbook)):
        state = AlertState.of(alert, labelled=len(alerting.alerts) < _MOST_LABELLED, severity=severity)
        return alerting.replace(alerts=(*alerting.alerts, state))
    if severity is None:
        return alerting
    forgotten = severity if alerting.forgotten is None else runbook.worst(severity, alerting.forgotten)
    return alerting.replace(forgotten=forgotten)


def _is_worst(severity: Severity, alerting: AlertingState, runbook: RunbookConfig) -> bool:
    """Tell whether no remembered alert stated anything as bad, nor a forgotten one that a responder has judged."""
    known = [state.severity for state in alerting.alerts if state.severity is not None]
    worst = all(_is_worse(severity, other, runbook) for other in known)
    return worst and not is_judged(None, severity, alerting, runbook)


def _with_alert(incident: Incident, known: AlertState, newer: AlertState) -> Incident:
    alerts = tuple(newer if state is known else state for state in incident.alerting.alerts)
    return incident.replace(alerting=incident.alerting.replace(alerts=alerts))


def _repeated(
    known: AlertState, alert: Alert, severity: Severity | None, runbook: RunbookConfig, *, again: bool
) -> AlertState:
    """Return a known alert counted once more. One that states worse than before is no longer a judged one."""
    newer = known.replace(times=known.times + 1, ended_at=None, source=alert.source)
    if again:
        newer = newer.replace(started_at=alert.started_at, claimed_start=alert.claimed_start)
    if severity is None or (known.severity is not None and not _is_worse(severity, known.severity, runbook)):
        return newer
    return newer.replace(severity=severity, judged=known.judged and known.severity is None)


def _is_worse(severity: Severity, other: Severity, runbook: RunbookConfig) -> bool:
    return runbook.rank(severity) < runbook.rank(other)


def _claimed(alert: Alert | AlertState) -> datetime:
    return alert.claimed_start or alert.started_at


def with_origin(incident: Incident, fingerprints: set[str], before: Incident, origin: str) -> Incident:
    """Return the incident with where these alerts came from.

    Args:
        incident: The incident that remembers them.
        fingerprints: Which alerts.
        before: The incident as it was before they came.
        origin: Workflow id of the merged incident that they were sent to; "": this one.
    """
    own = {state.fingerprint for state in before.alerting.alerts if state.own}

    def marked(state: AlertState) -> AlertState:
        if not origin:
            return state.replace(own=True)
        origins = tuple(dict.fromkeys((*state.merged_from, origin)))
        return state.replace(own=state.fingerprint in own, merged_from=origins)

    alerts = tuple(marked(state) if state.fingerprint in fingerprints else state for state in incident.alerting.alerts)
    return incident.replace(alerting=incident.alerting.replace(alerts=alerts))


def with_ends(incident: Incident, ended: dict[str, datetime], at: datetime) -> Incident:
    """Return the incident that knows which of its firing alerts ended when, by their fingerprints."""
    alerts = tuple(
        alert.replace(ended_at=bounded(ended[alert.fingerprint], at))
        if alert.ended_at is None and alert.fingerprint in ended
        else alert
        for alert in incident.alerting.alerts
    )
    return incident.replace(alerting=incident.alerting.replace(alerts=alerts))

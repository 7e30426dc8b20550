"""A graver alert raises the severity of its incident (behaviours 85 and 86). No alert ever lowers it."""

from collections.abc import Iterable
from datetime import datetime

from incidents.cutting import cut
from incidents.domain.alerting.alert import Alert, severity_of
from incidents.domain.alerting.state import AlertingState, AlertState
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.severity import Severity
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import change_severity


def claimed_severity(alert: Alert, runbook: RunbookConfig) -> Severity | None:
    """Return the severity that the alert itself states; None if it states none that the runbook knows."""
    severity, unknown = severity_of(alert, runbook)
    return None if unknown else severity


def gravest(alerts: Iterable[Alert], alerting: AlertingState, runbook: RunbookConfig) -> tuple[Severity, Alert] | None:
    """Return the worst severity that these alerts state and no responder has judged yet, with its alert.

    `alerting`: the alerts as the incident knew them before these came.
    """
    if not runbook.intake.raise_on_graver_alert:
        return None
    known = {state.fingerprint: state for state in alerting.alerts}
    claims = ((claimed_severity(alert, runbook), alert) for alert in alerts)
    found = [
        (severity, alert)
        for severity, alert in claims
        if severity is not None and not is_judged(known.get(alert.fingerprint), severity, alerting, runbook)
    ]
    return min(found, key=lambda claim: runbook.rank(claim[0]), default=None)


def is_judged(state: AlertState | None, severity: Severity, alerting: AlertingState, runbook: RunbookConfig) -> bool:
    """Tell whether a responder declared the severity after this alert had stated one at least as bad.

    An alert that is not remembered (`state` is None) may be one of a storm of more than can be: it counts as judged if
    one of those had stated a severity at least as bad by then. A storm must not override a responder.
    """
    if state is None:
        judged = alerting.forgotten_judged
        return judged is not None and runbook.rank(severity) >= runbook.rank(judged)
    if not state.judged:
        return False
    return state.severity is None or runbook.rank(severity) >= runbook.rank(state.severity)


def is_graver(severity: Severity, incident: Incident, runbook: RunbookConfig) -> bool:
    """Tell whether a severity is worse than the incident's."""
    return runbook.rank(severity) < runbook.rank(incident.severity)


def raise_severity(
    incident: Incident, severity: Severity, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Raise a live incident to a worse severity, and re-page on-call: the acknowledgement was of a lower one.

    Nothing is done if the severity is not worse than the incident's.
    """
    if not is_graver(severity, incident, runbook):
        return incident
    old, attended = incident.severity, incident.paging.attended
    incident = change_severity(incident, runbook, at, SYSTEM, severity, reason)
    incident = incident.replace(paging=incident.paging.page_anew(at))
    if not runbook.policy(severity).page or not attended:
        return incident
    text = f"Re-paging on-call: acknowledged as {old}, now {severity}"
    return incident.logged(at, SYSTEM, Kind.PAGE, text, announce=True)


def with_worse_severity(
    incident: Incident, severity: Severity, alert: Alert | AlertState, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Return an incident that is about to be reopened with the worse of its severity and the alert's.

    The reopening publishes the update and pages; this only decides at which severity.
    """
    if not is_graver(severity, incident, runbook):
        return incident
    text = f"Severity {incident.severity} → {severity} (alert: {cut(alert.title, 200)})"
    highest = runbook.worst(incident.highest_severity, severity)
    incident = incident.replace(severity=severity, highest_severity=highest)
    return incident.logged(at, SYSTEM, Kind.SEVERITY, text, announce=True)


def note_unknown_severity(incident: Incident, alert: Alert, runbook: RunbookConfig, at: datetime) -> Incident:
    """Ask to check the severity when an alert joins that states none and would alone be taken as worse."""
    assumed, unknown = severity_of(alert, runbook)
    if not unknown or not is_graver(assumed, incident, runbook):
        return incident
    text = f"{cut(alert.title, 200)} has no known severity: check that {incident.severity} is right"
    return incident.logged(at, SYSTEM, Kind.ALERT, text, announce=True)

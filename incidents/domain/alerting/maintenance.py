"""Maintenance windows (behaviour 15): an alert within one is recorded and waits; what still fires at its end opens.

The same holds for an alert that would reopen an incident.
"""

from collections.abc import Sequence
from datetime import datetime

from incidents.cutting import cut
from incidents.domain.alerting.alert import Alert, region_of, routed_labels
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.alerting.severity import with_worse_severity
from incidents.domain.alerting.state import MOST_ALERTS, AlertState, Waiting
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.severity import Severity
from incidents.domain.core.status import Status
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import reopen
from incidents.domain.incident.state import Opening
from incidents.domain.updates.publishing import publish_first_update


def covers(window: MaintenanceWindow, service: str, environment: str, region: str, at: datetime) -> bool:
    """Tell whether an alert is within the window. What the window leaves empty matches everything."""
    wanted = ((window.service, service), (window.environment, environment), (window.region, region))
    return window.since <= at < window.until and all(not named or named == found for named, found in wanted)


def wait_for_window(incident: Incident, opening: Opening, runbook: RunbookConfig, at: datetime) -> Incident:
    """Let an incident that an alert opens within a window wait for the end of the last one that covers it.

    What a person opens never waits.
    """
    incident = incident.replace(alerting=incident.alerting.replace(windows=opening.maintenance))
    last = _last_window(incident, opening.region, runbook, at) if opening.by_alert else None
    return incident if last is None else _wait_until(incident, last, at)


def _last_window(incident: Incident, region: str, runbook: RunbookConfig, at: datetime) -> MaintenanceWindow | None:
    """Return the window that ends last of those that cover an alert of the incident in that region, or None."""
    return _last(incident, incident.service, incident.environment, region, runbook, at)


def _last(
    incident: Incident, service: str, environment: str, region: str, runbook: RunbookConfig, at: datetime
) -> MaintenanceWindow | None:
    windows = (*runbook.maintenance, *incident.alerting.windows)
    found = [window for window in windows if covers(window, service, environment, region, at)]
    return max(found, key=lambda window: window.until, default=None)


def _wait_until(incident: Incident, window: MaintenanceWindow, at: datetime) -> Incident:
    waiting = Waiting(until=window.until, reason=window.reason)
    if waiting == incident.alerting.waiting:
        return incident
    incident = incident.replace(alerting=incident.alerting.replace(waiting=waiting))
    until = f"{window.until:%Y-%m-%d %H:%M} UTC"
    text = f"Maintenance window until {until} ({window.reason}): alert recorded, no incident opened"
    return incident.logged(at, SYSTEM, Kind.ALERT, text)


def window_of(
    incident: Incident, alerts: Sequence[Alert], runbook: RunbookConfig, at: datetime
) -> MaintenanceWindow | None:
    """Return the window that alerts of an incident that is over wait for; None if one of them is outside of all."""
    windows = [_window_of_one(incident, alert, runbook, at) for alert in alerts]
    found = [window for window in windows if window is not None]
    return max(found, key=lambda window: window.until) if found and len(found) == len(windows) else None


def _window_of_one(incident: Incident, alert: Alert, runbook: RunbookConfig, at: datetime) -> MaintenanceWindow | None:
    service = routed_labels(alert, runbook.intake).get("service") or incident.service
    environment = alert.labels.get("environment") or incident.environment
    return _last(incident, service, environment, region_of(alert), runbook, at)


def wait_to_reopen(incident: Incident, alerts: Sequence[Alert], window: MaintenanceWindow, at: datetime) -> Incident:
    """Let alerts that would reopen the incident wait for the end of the window."""
    earlier = incident.alerting.waiting
    names = dict.fromkeys((*(earlier.alerts if earlier else ()), *(alert.fingerprint for alert in alerts)))
    until = max(window.until, earlier.until) if earlier else window.until
    waiting = Waiting(until=until, reason=window.reason, reopens=True, alerts=tuple(names)[:MOST_ALERTS])
    incident = incident.replace(alerting=incident.alerting.replace(waiting=waiting))
    window_end = f"{until:%Y-%m-%d %H:%M} UTC"
    text = f"Maintenance window until {window_end} ({window.reason}): alert recorded, incident not reopened"
    return incident.logged(at, SYSTEM, Kind.ALERT, text)


def review_waiting(incident: Incident, fired: tuple[Alert, ...], runbook: RunbookConfig, at: datetime) -> Incident:
    """Let a waiting incident wait while windows cover all that fires; open it if one alert is covered by none.

    `fired`: alerts that fire now, of which the incident may not remember all.
    """
    if incident.alerting.waiting is None or incident.over:
        return incident
    firing = [(alert.title, alert.region) for alert in incident.alerting.firing]
    windows = []
    for title, region in [*firing, *((alert.title, region_of(alert)) for alert in fired)]:
        window = _last_window(incident, region, runbook, at)
        if window is None:
            return _open(incident, f"No maintenance window covers {cut(title, 200)}", runbook, at)
        windows.append(window)
    return _wait_until(incident, min(windows, key=lambda window: window.until), at) if windows else incident


def windows_changed(
    incident: Incident, windows: tuple[MaintenanceWindow, ...], runbook: RunbookConfig, at: datetime
) -> Incident:
    """Take in which windows responders have started, in place of those known so far."""
    incident = incident.replace(alerting=incident.alerting.replace(windows=windows))
    waiting = incident.alerting.waiting
    if waiting is None or not waiting.reopens:
        return review_waiting(incident, (), runbook, at)
    regions = {alert.region for alert in incident.alerting.firing if alert.fingerprint in waiting.alerts}
    covered = all(_last_window(incident, region, runbook, at) for region in regions)
    return incident if covered else end_waiting(incident, runbook, at)


def end_waiting(incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """End the wait for a window: open or reopen the incident if its alert still fires.

    If not, one that was never opened closes without a trace. It goes on waiting if another window covers what fires.
    """
    waiting = incident.alerting.waiting
    if waiting is None:
        return incident
    if waiting.reopens:
        incident = incident.replace(alerting=incident.alerting.replace(waiting=None))
        return _reopened(incident, waiting, runbook, at)
    if not incident.alerting.firing:
        incident = incident.replace(
            status=Status.CANCELLED, closed=True, alerting=incident.alerting.replace(waiting=None)
        )
        text = "The alert ended during the maintenance window: no incident opened"
        return incident.logged(at, SYSTEM, Kind.CANCELLED, text)
    reviewed = review_waiting(incident, (), runbook, at)
    if reviewed.alerting.waiting is not None:
        return reviewed
    return _open(
        incident, f"The maintenance window ended ({waiting.reason}) and the alert is still firing", runbook, at
    )


def _open(incident: Incident, text: str, runbook: RunbookConfig, at: datetime) -> Incident:
    incident = incident.replace(
        alerting=incident.alerting.replace(waiting=None),
        opened_at=at,
        episodes=(incident.episode.replace(since=at),),
        paging=incident.paging.replace(last_paged_at=at),
        roles=incident.roles.replace(no_commander_since=at),
    )
    incident = incident.logged(at, SYSTEM, Kind.OPENED, text, announce=True)
    return publish_first_update(incident, runbook, at)


def _reopened(incident: Incident, waiting: Waiting, runbook: RunbookConfig, at: datetime) -> Incident:
    """Reopen the incident unless all alerts that fired within the window are known to have ended."""
    known = {state.fingerprint: state for state in incident.alerting.alerts}
    found = [known.get(fingerprint) for fingerprint in waiting.alerts]
    if not any(state is None or state.ended_at is None for state in found):
        text = "The alert ended during the maintenance window: incident not reopened"
        return incident.logged(at, SYSTEM, Kind.ALERT, text)
    claims = [(state.severity, state) for state in found if state and state.severity and not state.judged]
    if claims and runbook.intake.raise_on_graver_alert:
        incident = with_worse_severity(incident, *_worst(claims, runbook), runbook, at)
    reason = f"the maintenance window ended ({waiting.reason}) and the alert is still firing"
    return reopen(incident, runbook, at, SYSTEM, reason, attended=False)


def _worst(claims: Sequence[tuple[Severity, AlertState]], runbook: RunbookConfig) -> tuple[Severity, AlertState]:
    return min(claims, key=lambda claim: runbook.rank(claim[0]))

"""Alerts that fire: the first, repeated ones, a graver one, and one that fires after the resolution."""

from collections.abc import Sequence
from datetime import datetime

from incidents.cutting import cut
from incidents.domain.alerting.alert import Alert, in_bounds, is_private
from incidents.domain.alerting.entries import log_out_of_bounds, names_of
from incidents.domain.alerting.flapping import (
    end_quiet_period,
    flag,
)
from incidents.domain.alerting.maintenance import review_waiting, wait_to_reopen, window_of
from incidents.domain.alerting.remembering import remember_alerts, with_origin
from incidents.domain.alerting.severity import (
    gravest,
    note_unknown_severity,
    raise_severity,
    with_worse_severity,
)
from incidents.domain.alerting.state import AlertState
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.severity import Severity
from incidents.domain.core.status import Status
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.commands import MakePrivate
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import reopen
from incidents.domain.merging.forwarding import forward_alerts
from incidents.domain.paging.commands import make_private
from incidents.domain.updates.publishing import record_news


def alert_fired(
    incident: Incident, alerts: tuple[Alert, ...], runbook: RunbookConfig, at: datetime, origin: str = ""
) -> Incident:
    """Take in alerts: new ones are remembered, repeated ones counted. One that fires after the resolution reopens.

    A known alert fires again if its end was told, or if it says a newer start or a worse severity; a repetition of the
    same firing is no news, so that a forced resolution stands. Starts are compared as they were claimed, so that a
    sender that does not know the start, and says year 1 each time, tells no news either. An alert that is worse than
    the incident raises its severity. One that no maintenance window covers opens an incident that waits for the end of
    one; one that would reopen waits for the end of a window that covers it. Those of a merged incident go on to the
    other one. `origin`: workflow id of the merged incident that they were sent to; "": this one.
    """
    alerts = tuple(in_bounds(alert, at) for alert in alerts)
    if incident.merging.into is not None:
        return forward_alerts(_recorded_firing(incident, alerts, runbook, at, origin), alerts, runbook, at, origin)
    return review_waiting(_taken_in(incident, alerts, runbook, at, origin), alerts, runbook, at)


def _taken_in(
    incident: Incident, alerts: tuple[Alert, ...], runbook: RunbookConfig, at: datetime, origin: str
) -> Incident:
    if not incident.private and any(is_private(alert, runbook.intake) for alert in alerts):
        by = one_line(alerts[0].source, 100) or "unknown"
        incident = make_private(MakePrivate(by=by, reason="label of an alert"), incident, at)
    worst = gravest(alerts, incident.alerting, runbook)
    before = incident
    incident, fresh = remember_alerts(incident, alerts, runbook, at)
    incident = with_origin(incident, {alert.fingerprint for alert in alerts}, before, origin)
    window = window_of(incident, fresh, runbook, at) if incident.over else None
    if fresh and window is not None:
        incident = end_quiet_period(_log_firing(incident, fresh, at, announce=False))
        return wait_to_reopen(incident, fresh, window, at)
    if fresh:
        incident = record_news_of_alerts(before, incident, fresh, worst, runbook, at)
        incident = note_unknown_severity(incident, fresh[0], runbook, at)
    if worst is None or incident.over:
        return incident
    severity, alert = worst
    return raise_severity(incident, severity, f"alert: {cut(alert.title, 200)}", runbook, at)


def record_news_of_alerts(
    before: Incident,
    incident: Incident,
    fresh: Sequence[Alert | AlertState],
    worst: tuple[Severity, Alert] | None,
    runbook: RunbookConfig,
    at: datetime,
) -> Incident:
    """Log alerts that are news, and reopen an incident that is over.

    Args:
        before: The incident as it was before these fired.
        incident: The incident that remembers them.
        fresh: The alerts that are news.
        worst: The worst severity that they state and no responder has judged yet.
        runbook: The incident's runbook.
        at: Workflow time, aware UTC.
    """
    incident = _log_firing(incident, fresh, at, announce=_is_worth_saying(before, fresh))
    incident = flag(end_quiet_period(incident), runbook, at)
    return _fired_again(incident, worst, runbook, at)


def _recorded_firing(
    incident: Incident, alerts: tuple[Alert, ...], runbook: RunbookConfig, at: datetime, origin: str
) -> Incident:
    """Return a merged incident that remembers alerts, for the case that the merge is undone."""
    worst, before = gravest(alerts, incident.alerting, runbook), incident
    incident, _ = remember_alerts(incident, alerts, runbook, at)
    incident = with_origin(incident, {alert.fingerprint for alert in alerts}, before, origin)
    return with_worse_severity(incident, *worst, runbook, at) if worst is not None else incident


def _is_worth_saying(before: Incident, fresh: Sequence[Alert | AlertState]) -> bool:
    """Tell whether firing alerts are announced: not if they are the incident's first, nor if their end never was.

    `before`: the incident as it was before these fired.
    """
    known = {state.fingerprint for state in before.alerting.alerts}
    if not known and not before.times_resolved:
        return False
    muted = before.alerting.flapping or before.alerting.quiet_until is not None
    return not muted or any(alert.fingerprint not in known for alert in fresh)


def _log_firing(incident: Incident, fresh: Sequence[Alert | AlertState], at: datetime, *, announce: bool) -> Incident:
    names = names_of(alert.title for alert in fresh)
    started = min(alert.started_at for alert in fresh)
    incident = incident.logged(
        at, fresh[0].source, Kind.ALERT, f"Alert firing: {names}", happened_at=min(started, at), announce=announce
    )
    starts = [(alert.title, alert.claimed_start, alert.started_at) for alert in fresh]
    return log_out_of_bounds(incident, "Start", starts, at)


def _fired_again(
    incident: Incident, worst: tuple[Severity, Alert] | None, runbook: RunbookConfig, at: datetime
) -> Incident:
    if incident.over:
        incident = with_worse_severity(incident, *worst, runbook, at) if worst is not None else incident
        return reopen(incident, runbook, at, SYSTEM, "the alert fires again", attended=False)
    if incident.status == Status.MONITORING:
        incident = incident.replace(
            status=Status.INVESTIGATING,
            monitoring_since=None,
            mitigated_at=None,
            stable_since=None,
            paging=incident.paging.replace(
                repage_count=incident.paging.repage_count + (0 if incident.paging.attended else 1),
                last_paged_at=incident.paging.last_paged_at if incident.paging.attended else at,
            ),
        )
        incident = record_news(incident, at, PublicText.trusted(runbook.templates.texts.came_back))
        return incident.logged(at, SYSTEM, Kind.STATUS, "Back to investigating: the alert fires again", announce=True)
    return incident

"""Alerts that end: each end is recorded, and the end of the last one counts after a quiet period."""

from datetime import datetime, timedelta

from incidents.domain.alerting.alert import Alert, in_bounds
from incidents.domain.alerting.entries import log_out_of_bounds, names_of
from incidents.domain.alerting.flapping import (
    quiet_for,
    refirings,
    start_quiet_period,
)
from incidents.domain.alerting.remembering import with_ends
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.status import Status
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import monitor
from incidents.domain.merging.forwarding import forward_alerts


def alert_resolved(
    incident: Incident, alerts: tuple[Alert, ...], runbook: RunbookConfig, at: datetime, origin: str = ""
) -> Incident:
    """Take in the end of alerts. Once all have ended, that counts after a quiet period (`quiet_period_over`).

    The end is recorded after a resolution too: only so is the next firing known to be a new one. `origin`: as of
    `alert_fired`.
    """
    alerts = tuple(in_bounds(alert, at) for alert in alerts)
    if incident.merging.into is not None:
        ended = {alert.fingerprint: alert.ended_at or at for alert in alerts}
        return forward_alerts(with_ends(incident, ended, at), alerts, runbook, at, origin)
    firing = {alert.fingerprint for alert in incident.alerting.firing}
    ends = [(a.title, a.claimed_end, a.ended_at or at) for a in alerts if a.fingerprint in firing]
    incident = log_out_of_bounds(incident, "End", ends, at)
    return alerts_ended(incident, {alert.fingerprint: alert.ended_at or at for alert in alerts}, runbook, at)


def alerts_ended(incident: Incident, ended: dict[str, datetime], runbook: RunbookConfig, at: datetime) -> Incident:
    """Take in which alerts ended when, by their fingerprints, as the monitoring told it or answered it."""
    hit = [alert for alert in incident.alerting.firing if alert.fingerprint in ended]
    if not hit:
        return incident
    incident = with_ends(incident, ended, at)
    alerting, rules = incident.alerting, runbook.intake.flapping
    settled = not alerting.firing and quiet_for(alerting, at, rules) == timedelta()
    partly = bool(alerting.firing) and not alerting.flapping and not refirings(hit, at, rules)
    names = names_of(alert.title for alert in hit)
    incident = incident.logged(at, hit[0].source, Kind.ALERT, f"Alert ended: {names}", announce=settled or partly)
    return incident if alerting.firing else start_quiet_period(incident, runbook, at)


def quiet_period_over(incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Announce that the alerts have ended for good, as far as the quiet period tells, and act on it.

    If they ended soon after the start and nobody is on it, the incident only needs watching: paging stops
    (behaviour 6). Once a person works on it, the end is said and never acted on (behaviour 7).
    """
    alerting = incident.alerting
    ended, until = alerting.all_ended_at, alerting.quiet_until
    if ended is None or until is None:
        return incident
    incident = incident.replace(alerting=alerting.replace(quiet_until=None, flapping=False))
    if until > ended:
        names = names_of(alert.title for alert in alerting.alerts)
        more = ", no longer flapping" if alerting.flapping else ""
        text = f"Alert ended: {names} (nothing has fired for {in_words(until - ended)}{more})"
        incident = incident.logged(at, SYSTEM, Kind.ALERT, text, happened_at=ended, announce=True)
    soon = ended - incident.opened_at <= runbook.intake.self_resolve_within
    if incident.paging.attended or not soon or incident.status != Status.INVESTIGATING:
        return incident
    words = PublicText.trusted(runbook.templates.texts.alert_ended)
    return monitor(incident, runbook, at, SYSTEM, words)

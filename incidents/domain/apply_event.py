"""What the incident learns from the monitoring and from its own clock. A fact is never refused."""

from collections.abc import Iterable
from datetime import datetime

from incidents.domain.alerting.alert import Alert, in_bounds, is_private
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.text.untrusted import cut, one_line
from incidents.domain.core.time.instants import bounded, not_used
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.commands import MakePrivate
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import monitor, reopen
from incidents.domain.incident.parts import AlertState, Status
from incidents.domain.paging.commands import make_private
from incidents.domain.updates.publishing import record_news

_MOST_ALERTS = 200
"""Different alerts that an incident remembers one by one. One of a greater storm only reopens."""

_MOST_NAMED = 20
"""Alerts that one line of the timeline names."""

_MOST_LABELLED = 20
"""Alerts whose labels are kept, so that exactly they can be silenced."""


def alert_fired(incident: Incident, alerts: tuple[Alert, ...], runbook: RunbookConfig, at: datetime) -> Incident:
    """Take in alerts: new ones are remembered, repeated ones counted. One that fires after the resolution reopens.

    A known alert fires again if its end was told, or if it says a newer start; a repetition of the same firing is no
    news, so that a forced resolution stands. Starts are compared as they were claimed, so that a sender that does not
    know the start, and says year 1 each time, tells no news either.
    """
    alerts = tuple(in_bounds(alert, at) for alert in alerts)
    if not incident.private and any(is_private(alert, runbook.intake) for alert in alerts):
        by = one_line(alerts[0].source, 100) or "unknown"
        incident = make_private(MakePrivate(by=by, reason="an alert says so"), incident, at)
    fresh = []
    for alert in alerts:
        known = next((a for a in incident.alerts if a.fingerprint == alert.fingerprint), None)
        if known is None:
            if len(incident.alerts) < _MOST_ALERTS:
                labelled = len(incident.alerts) < _MOST_LABELLED
                incident = incident.replace(alerts=(*incident.alerts, AlertState.of(alert, labelled=labelled)))
            elif incident.status == Status.INVESTIGATING:
                continue
            fresh.append(alert)
            continue
        again = known.ended_at is not None or _claimed(alert) > _claimed(known)
        newer = known.replace(times=known.times + 1, ended_at=None)
        if again:
            newer = newer.replace(started_at=alert.started_at, claimed_start=alert.claimed_start)
        incident = incident.replace(alerts=tuple(newer if a is known else a for a in incident.alerts))
        fresh += [alert] if again else []
    if not fresh:
        return incident
    names = _names(alert.title for alert in fresh)
    started = min(alert.started_at for alert in fresh)
    first = len(incident.alerts) == len(fresh) and not incident.round
    incident = incident.logged(
        at, fresh[0].source, Kind.ALERT, f"Alert firing: {names}", happened_at=min(started, at), announce=not first
    )
    starts = [(alert.title, alert.claimed_start, alert.started_at) for alert in fresh]
    incident = _flagged(incident, "Start", starts, at)
    return _fired_again(incident, runbook, at)


def _claimed(alert: Alert | AlertState) -> datetime:
    return alert.claimed_start or alert.started_at


def _names(titles: Iterable[str]) -> str:
    """Return different titles, at most `_MOST_NAMED` of them, on one line."""
    found = [cut(title, 200) for title in dict.fromkeys(titles)]
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return ", ".join(found[:_MOST_NAMED]) + more


def _flagged(
    incident: Incident, which: str, claims: Iterable[tuple[str, datetime | None, datetime]], at: datetime
) -> Incident:
    """Record in one line which instants were out of bounds (behaviour 26): title, what was claimed, what is used."""
    found = [(title, claimed, used) for title, claimed, used in claims if claimed is not None]
    if not found:
        return incident
    [title, claimed, used], others = found[0], len(found) - 1
    more = f" (and of {others} more)" if others else ""
    return incident.logged(at, SYSTEM, Kind.ALERT, not_used(f"{which} of {cut(title, 200)}{more}", claimed, used))


def _fired_again(incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    if incident.over:
        return reopen(incident, runbook, at, SYSTEM, "the alert fires again", attended=False)
    if incident.status == Status.MONITORING:
        incident = incident.replace(
            status=Status.INVESTIGATING,
            monitoring_since=None,
            mitigated_at=None,
            stable_since=None,
            repage_count=incident.repage_count + (0 if incident.attended else 1),
            last_paged_at=incident.last_paged_at if incident.attended else at,
        )
        incident = record_news(incident, at, PublicText.trusted(runbook.templates.texts.came_back))
        return incident.logged(at, SYSTEM, Kind.STATUS, "Back to investigating: the alert fires again", announce=True)
    return incident


def alert_resolved(incident: Incident, alerts: tuple[Alert, ...], runbook: RunbookConfig, at: datetime) -> Incident:
    """Take in the end of alerts.

    If all have ended soon after the start and nobody is on it, the incident only needs watching: paging stops
    (behaviour 6). Once a person works on it, the end is recorded and said, never acted on (behaviour 7). The end is
    recorded after a resolution too: only so is the next firing known to be a new one.
    """
    alerts = tuple(in_bounds(alert, at) for alert in alerts)
    firing = {alert.fingerprint for alert in incident.firing}
    ends = [(a.title, a.claimed_end, a.ended_at or at) for a in alerts if a.fingerprint in firing]
    incident = _flagged(incident, "End", ends, at)
    return alerts_ended(incident, {alert.fingerprint: alert.ended_at or at for alert in alerts}, runbook, at)


def alerts_ended(incident: Incident, ended: dict[str, datetime], runbook: RunbookConfig, at: datetime) -> Incident:
    """Take in which alerts ended when, by their fingerprints, as the monitoring told it or answered it."""
    hit = [alert for alert in incident.firing if alert.fingerprint in ended]
    if not hit:
        return incident
    incident = incident.replace(
        alerts=tuple(
            alert.replace(ended_at=bounded(ended[alert.fingerprint], at)) if alert in hit else alert
            for alert in incident.alerts
        )
    )
    names = _names(alert.title for alert in hit)
    incident = incident.logged(at, "alertmanager", Kind.ALERT, f"Alert ended: {names}", announce=True)
    soon = at - incident.opened_at <= runbook.intake.self_resolve_within
    if incident.firing or incident.attended or not soon or incident.status != Status.INVESTIGATING:
        return incident
    words = PublicText.trusted(runbook.templates.texts.alert_ended)
    return monitor(incident, runbook, at, SYSTEM, words)


def refused(incident: Incident, command: str, by: str, why: str, at: datetime) -> Incident:
    """Record a command that came as a signal and was refused: its sender got no answer, so the timeline says it."""
    return incident.logged(at, by, Kind.REFUSED, f"{command} refused: {why}", announce=True)


def postmortem_published(incident: Incident, at: datetime, url: str) -> Incident:
    """Record that the post-mortem is published: the incident cannot be reopened any more (behaviour 64)."""
    return incident.replace(postmortem_published=True).logged(
        at, SYSTEM, Kind.POSTMORTEM, f"Post-mortem published: {url}", announce=True
    )

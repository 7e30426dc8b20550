"""What an incident takes over from one that was merged into it, and what a separated one gets back."""

from collections.abc import Iterable
from datetime import datetime

from incidents.domain.alerting.firing import record_news_of_alerts
from incidents.domain.alerting.flapping import start_quiet_period
from incidents.domain.alerting.remembering import with_origin
from incidents.domain.alerting.severity import is_graver, raise_severity
from incidents.domain.alerting.state import MOST_ALERTS, AlertState
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.commands import Mark
from incidents.domain.incident.incident import Incident
from incidents.domain.merging.state import MergeMessage


def remember_absorbed(incident: Incident, message: MergeMessage) -> Incident:
    """Return the incident with the other one among those that were merged into it, and the earlier start."""
    absorbed = dict.fromkeys((*incident.merging.absorbed, message.workflow_id, *message.absorbed))
    others = tuple(other for other in absorbed if other != incident.workflow_id)
    started = min(incident.started_at, message.started_at or incident.started_at)
    own_start = incident.merging.own_start or (incident.started_at if started < incident.started_at else None)
    merging = incident.merging.replace(absorbed=others, own_start=own_start)
    return incident.replace(merging=merging, started_at=started)


def forget_absorbed(incident: Incident, leaving: set[str]) -> Incident:
    """Return the incident without those among the merged ones; with its own start, once none is left.

    A start that a person has corrected stays.
    """
    others = tuple(other for other in incident.merging.absorbed if other not in leaving)
    own_start = incident.merging.own_start
    incident = incident.replace(merging=incident.merging.replace(absorbed=others))
    if others or own_start is None:
        return incident
    corrected = any(correction.which == Mark.STARTED for correction in incident.corrections)
    return incident.replace(
        merging=incident.merging.replace(own_start=None),
        started_at=incident.started_at if corrected else own_start,
    )


def adopt_alerts(incident: Incident, message: MergeMessage, runbook: RunbookConfig, at: datetime) -> Incident:
    """Return the incident with the firing alerts of the other one; they are news to a live incident.

    A merged incident only remembers them, and the worse severity, for the case that its own merge is undone.
    """
    before = incident
    known = _by_fingerprint(incident.alerting.alerts)
    fresh = [
        state
        for state in message.states
        if state.fingerprint not in known or known[state.fingerprint].ended_at is not None
    ]
    alerts = dict(known)
    for state in message.states:
        if (mine := known.get(state.fingerprint)) is not None:
            alerts[state.fingerprint] = _refired(mine, state) if mine.ended_at is not None else mine
        elif len(alerts) < MOST_ALERTS:
            alerts[state.fingerprint] = state.replace(own=False, merged_from=())
    incident = incident.replace(alerting=incident.alerting.replace(alerts=tuple(alerts.values())))
    incident = _with_origins(incident, message, before)
    if incident.merging.into is not None:
        return _with_worst_severity(incident, message, runbook)
    return record_news_of_alerts(before, incident, fresh, None, runbook, at) if fresh else incident


def _refired(mine: AlertState, state: AlertState) -> AlertState:
    return mine.replace(ended_at=None, started_at=state.started_at, claimed_start=state.claimed_start)


def _with_origins(incident: Incident, message: MergeMessage, before: Incident) -> Incident:
    """Mark the alerts as those of the incident that they were sent to, which may have been absorbed by the other."""
    for state in message.states:
        origins = (*((message.workflow_id,) if state.own else ()), *state.merged_from)
        for origin in origins:
            incident = with_origin(incident, {state.fingerprint}, before, origin)
    return incident


def _with_worst_severity(incident: Incident, message: MergeMessage, runbook: RunbookConfig) -> Incident:
    severity = message.severity
    if severity is None or runbook.severity_named(severity) is None or not is_graver(severity, incident, runbook):
        return incident
    highest = runbook.worst(incident.highest_severity, severity)
    return incident.replace(severity=severity, highest_severity=highest)


def absorbed_severity(
    before: Incident, incident: Incident, message: MergeMessage, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Raise the severity to that of an absorbed incident, unless a responder has judged the same alerts here.

    `before`: the incident as it was before it took the alerts over. Two judgements that differ: the worse one counts.
    """
    severity = message.severity
    if severity is None or incident.over or runbook.severity_named(severity) is None:
        return incident
    if _is_judged_here(before, message, runbook):
        return incident
    return raise_severity(incident, severity, f"INC-{message.number} was a {severity}", runbook, at)


def _is_judged_here(before: Incident, message: MergeMessage, runbook: RunbookConfig) -> bool:
    """Tell whether a responder declared the severity of this incident, and not the other's, knowing its alerts."""
    known = _by_fingerprint(before.alerting.alerts)

    def judged(state: AlertState) -> bool:
        mine = known.get(state.fingerprint)
        if mine is None or not mine.judged:
            return False
        if state.severity is None or mine.severity is None:
            return True
        return runbook.rank(state.severity) >= runbook.rank(mine.severity)

    return bool(message.states) and all(judged(s) for s in message.states) and not all(s.judged for s in message.states)


def take_back(incident: Incident, message: MergeMessage, runbook: RunbookConfig, at: datetime) -> Incident:
    """Return a separated incident that knows what became of its alerts at the other one.

    Their firings and ends reached this incident first; only ends that the other one asked for, and its responders'
    judgements, are new here.
    """
    fired = bool(incident.alerting.firing)
    known = _by_fingerprint(incident.alerting.alerts)
    for state in message.states:
        mine = known.get(state.fingerprint)
        if mine is None:
            known[state.fingerprint] = state.replace(own=incident.workflow_id in state.merged_from, merged_from=())
            continue
        ended = state.ended_at if mine.ended_at is None and state.started_at >= mine.started_at else mine.ended_at
        known[state.fingerprint] = mine.replace(ended_at=ended, judged=mine.judged or state.judged)
    incident = incident.replace(alerting=incident.alerting.replace(alerts=tuple(known.values())))
    if not fired or incident.alerting.firing or incident.over:
        return incident
    return start_quiet_period(incident, runbook, at)


def _by_fingerprint(states: Iterable[AlertState]) -> dict[str, AlertState]:
    return {state.fingerprint: state for state in states}

"""Apply a merge message: to the incident that another was merged into, or to the merged one."""

from datetime import datetime
from typing import assert_never

from incidents.cutting import cut
from incidents.domain.alerting.flapping import start_quiet_period
from incidents.domain.apply_event import alert_fired, alert_resolved
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.merging.adoption import (
    absorbed_severity,
    adopt_alerts,
    forget_absorbed,
    remember_absorbed,
    take_back,
)
from incidents.domain.merging.commands import undo_merge
from incidents.domain.merging.forwarding import forward, send, shared_state
from incidents.domain.merging.state import MergeMessage, MergeMessageKind

_ROUNDS = 2
"""How often an incident of a circle passes the same message on: by then each has seen the whole circle."""


def apply_merge_message(incident: Incident, message: MergeMessage, runbook: RunbookConfig, at: datetime) -> Incident:
    """Apply a merge message. A repeated delivery changes nothing."""
    if incident.merging.has_received(message):
        return incident
    incident = incident.replace(merging=incident.merging.after_receiving(message))
    known = message.workflow_id in incident.merging.absorbed
    match message.kind:
        case MergeMessageKind.FIRED:  # an incident that was not absorbed has recorded its alerts itself
            return alert_fired(incident, message.alerts, runbook, at, message.workflow_id) if known else incident
        case MergeMessageKind.ENDED:
            return alert_resolved(incident, message.alerts, runbook, at, message.workflow_id) if known else incident
        case MergeMessageKind.ABSORBED:
            return _absorb(incident, message, runbook, at)
        case MergeMessageKind.SEPARATED:
            return _separate(forward(incident, message), message, runbook, at) if known else incident
        case MergeMessageKind.REJECTED:
            return _apply_rejection(incident, message, runbook, at)
        case MergeMessageKind.RETURNED:
            return take_back(incident, message, runbook, at)
        case kind:
            assert_never(kind)


def _apply_rejection(incident: Incident, message: MergeMessage, runbook: RunbookConfig, at: datetime) -> Incident:
    """Undo the merge that the other incident rejected; an older one is undone already."""
    into = incident.merging.into
    if into is None or into.at != message.merged_at:
        return incident
    reason = f"not merged into INC-{into.number}: {message.reason}"
    return undo_merge(incident, reason, runbook, at, by=SYSTEM, attended=False)


def _absorb(incident: Incident, message: MergeMessage, runbook: RunbookConfig, at: datetime) -> Incident:
    """Take the other incident over, or, as a merged incident, pass that on.

    Incidents that were merged into each other at the same moment, two or more in a circle, pass the message around it,
    so that each learns who is in it. The lowest number undoes its merge; the others stay merged.
    """
    if reason := _why_rejected(incident, message):
        rejection = message.replace(kind=MergeMessageKind.REJECTED, reason=reason, states=(), absorbed=())
        return send(incident, rejection, message.workflow_id)
    if incident.number is not None and incident.number == min(_circle(incident, message), default=None):
        reason = f"{_circle_names(incident, message)} merged into this incident at the same time: this one stays open"
        incident = undo_merge(incident, reason, runbook, at, by=SYSTEM, attended=False)
    own, known = message.workflow_id == incident.workflow_id, message.workflow_id in incident.merging.absorbed
    before = incident
    incident = incident if own else adopt_alerts(remember_absorbed(incident, message), message, runbook, at)
    if incident.merging.into is not None:
        return forward(incident, message) if message.via.count(incident.number or 0) < _ROUNDS else incident
    if own or known:
        return incident
    title = f": {cut(message.title, 200)}" if message.title else ""
    text = f"{_name(message)} was merged into this incident{title}"
    incident = incident.logged(at, message.by, Kind.STATUS, text, announce=True)
    return absorbed_severity(before, incident, message, runbook, at)


def _circle(incident: Incident, message: MergeMessage) -> set[int]:
    """Return the numbers of a circle of merges that the message has gone around; empty if it has not."""
    number = incident.number
    if number is None or incident.merging.into is None:
        return set()
    if message.workflow_id == incident.workflow_id:
        return {number, *message.via}
    return set(message.via[message.via.index(number) :]) if number in message.via else set()


def _circle_names(incident: Incident, message: MergeMessage) -> str:
    others = sorted(_circle(incident, message) - {incident.number})
    return f"{' and '.join(f'INC-{number}' for number in others)} {'was' if len(others) == 1 else 'were'}"


def _why_rejected(incident: Incident, message: MergeMessage) -> str:
    """Return why this incident cannot go on with the other one; "" if it can."""
    if message.drill is not None and message.drill != incident.drill:
        return f"{incident.name} is {'a drill' if incident.drill else 'not a drill'}"
    if incident.over and incident.merging.into is None:
        return f"{incident.name} is {incident.status}"
    return ""


def _separate(incident: Incident, message: MergeMessage, runbook: RunbookConfig, at: datetime) -> Incident:
    """Let a merged incident go, with the alerts that came for it. The alerts of this incident stay."""
    if message.workflow_id not in incident.merging.absorbed:
        return incident
    leaving = {message.workflow_id, *message.absorbed}
    returned = tuple(state for state in incident.alerting.alerts if leaving & set(state.merged_from))
    kept = tuple(
        state.replace(merged_from=tuple(origin for origin in state.merged_from if origin not in leaving))
        for state in incident.alerting.alerts
        if state.own or set(state.merged_from) - leaving
    )
    fired = bool(incident.alerting.firing)
    incident = forget_absorbed(incident.replace(alerting=incident.alerting.replace(alerts=kept)), leaving)
    if returned and incident.merging.into is None:
        states = tuple(shared_state(state, incident) for state in returned)
        answer = MergeMessage(kind=MergeMessageKind.RETURNED, workflow_id=incident.workflow_id, states=states)
        incident = send(incident, answer, message.workflow_id)
    text = f"{_name(message)} is separate again: the merge was undone. Its alerts went with it."
    incident = incident.logged(at, message.by, Kind.STATUS, text, announce=True)
    ended = fired and kept and not incident.alerting.firing
    return start_quiet_period(incident, runbook, at) if ended else incident


def _name(message: MergeMessage) -> str:
    return f"INC-{message.number}" if message.number is not None else message.workflow_id

"""What the incident learns from machines: alerts, and what came of its own duties. A fact is never refused."""

from datetime import datetime

from runbook.alert import Alert
from runbook.checklist import Step, StepStatus, combined
from runbook.duties import Duty, Obligation, Source
from runbook.effects import Outcome
from runbook.incident import AlertState, Incident, Status, Unfulfilled
from runbook.lifecycle import monitor, reopen, resolve
from runbook.policy import Channel, Runbook
from runbook.rollback_facts import offer_expired, offered, rollback_broke_down
from runbook.rollback_states import Note
from runbook.timeline import WORKFLOW, Kind
from runbook.updates import delivery_key, publish_due, told

_MOST_ALERTS = 200
"""Different alerts that an incident remembers one by one. One of a greater storm only reopens."""


def alert_fired(incident: Incident, alerts: tuple[Alert, ...], runbook: Runbook, at: datetime) -> Incident:
    """Take in alerts: new ones are remembered, repeated ones counted. One that fires after the resolution reopens.

    A known alert fires again if its end was told, or if it says a newer start; a repetition of the same firing is no
    news, so that a forced resolution stands.
    """
    fresh = []
    for alert in alerts:
        known = next((a for a in incident.alerts if a.fingerprint == alert.fingerprint), None)
        if known is None:
            if len(incident.alerts) < _MOST_ALERTS:
                incident = incident.but(alerts=(*incident.alerts, AlertState.of(alert)))
            elif incident.status == Status.INVESTIGATING:
                continue
            fresh.append(alert)
            continue
        again = known.ended_at is not None or alert.started_at > known.started_at
        newer = known.but(
            times=known.times + 1, ended_at=None, started_at=alert.started_at if again else known.started_at
        )
        incident = incident.but(alerts=tuple(newer if a is known else a for a in incident.alerts))
        fresh += [alert] if again else []
    if not fresh:
        return incident
    names = ", ".join(dict.fromkeys(alert.title for alert in fresh))
    started = min(alert.started_at for alert in fresh)
    first = len(incident.alerts) == len(fresh) and not incident.round
    incident = incident.logged(
        at, fresh[0].source, Kind.ALERT, f"Alert firing: {names}", happened_at=min(started, at), announce=not first
    )
    return _fired_again(incident, runbook, at)


def _fired_again(incident: Incident, runbook: Runbook, at: datetime) -> Incident:
    if incident.over:
        return reopen(incident, runbook, at, WORKFLOW, "the alert fires again", attended=False)
    if incident.status == Status.MONITORING:
        incident = incident.but(
            status=Status.INVESTIGATING,
            monitoring_since=None,
            mitigated_at=None,
            stable_since=None,
            pagings=incident.pagings + (0 if incident.attended else 1),
        )
        incident = told(incident, at, "The problem has come back, and we are investigating again.")
        return incident.logged(at, WORKFLOW, Kind.STATUS, "Back to investigating: the alert fires again", announce=True)
    return incident


def alert_resolved(incident: Incident, alerts: tuple[Alert, ...], runbook: Runbook, at: datetime) -> Incident:
    """Take in the end of alerts.

    If all have ended soon after the start and nobody is on it, the incident only needs watching: paging stops
    (BEHAVIOURS 6). Once a person works on it, the end is recorded and said, never acted on (BEHAVIOURS 7). The end is
    recorded after a resolution too: only so is the next firing known to be a new one.
    """
    ended = {alert.fingerprint: alert.ended_at or at for alert in alerts}
    hit = [alert for alert in incident.firing if alert.fingerprint in ended]
    if not hit:
        return incident
    incident = incident.but(
        alerts=tuple(
            alert.but(ended_at=ended[alert.fingerprint]) if alert in hit else alert for alert in incident.alerts
        )
    )
    names = ", ".join(dict.fromkeys(alert.title for alert in hit))
    incident = incident.logged(at, "alertmanager", Kind.ALERT, f"Alert ended: {names}", announce=True)
    soon = at - incident.opened_at <= runbook.intake.self_resolve_within
    if incident.firing or incident.attended or not soon or incident.status != Status.INVESTIGATING:
        return incident
    return monitor(incident, runbook, at, WORKFLOW, "The alert has ended by itself. We are watching the recovery.")


def begun(incident: Incident, key: str) -> Incident:
    """Remember that a duty was begun: whoever does it again must first look for the mark of the earlier attempt."""
    return incident if key in incident.begun else incident.but(begun=(*incident.begun, key))


def fulfilled(incident: Incident, duty: Obligation, outcome: Outcome, runbook: Runbook, at: datetime) -> Incident:
    """Record that a duty was done, or skipped on purpose. A second report of the same duty changes nothing."""
    if incident.settled(duty.key):
        return incident
    incident = incident.but(begun=tuple(key for key in incident.begun if key != duty.key))
    if outcome.skipped is not None:
        skip = Unfulfilled(key=duty.key, reason=outcome.skipped, at=at)
        incident = incident.but(skips=(*incident.skips, skip))
        if duty.duty is Duty.LOOK_AGAIN:
            incident = incident.but(rollback_request=None)
        incident = incident.logged(at, WORKFLOW, _kind(duty), f"Skipped: {duty.says}: {outcome.skipped}")
    else:
        incident = incident.but(fulfilled=(*incident.fulfilled, duty.key))
        if duty.duty is Duty.SHOW_ROLLBACK:
            return _shown(incident, duty, outcome, at)
        incident = incident.but(resources=incident.resources.merged(outcome.resources))
        incident = _done(incident, duty, outcome, runbook, at)
    return _checked(incident, runbook, at)


def failed(incident: Incident, duty: Obligation, reason: str, runbook: Runbook, at: datetime) -> Incident:
    """Record that a duty failed for good. The incident goes on; a responder may retry, skip or do it by hand."""
    if incident.settled(duty.key):
        return incident
    failure = Unfulfilled(key=duty.key, reason=reason, at=at)
    incident = incident.but(failures=(*incident.failures, failure))
    if duty.duty is Duty.ROLLBACK:
        incident = rollback_broke_down(incident, duty.subject, reason, at)
    if duty.duty is Duty.LOOK_AGAIN:
        incident = incident.but(rollback_request=None)
    announce = duty.duty not in _SILENT
    text = f"Failed: {duty.says}: {reason}. Next: `incident step` {duty.key} with --retry, --skip or --done"
    return _checked(incident.logged(at, WORKFLOW, _kind(duty), text, announce=announce), runbook, at)


_KINDS = {
    Duty.PAGE: Kind.PAGE,
    Duty.ACKNOWLEDGE_PAGE: Kind.PAGE,
    Duty.RESOLVE_PAGE: Kind.PAGE,
    Duty.DELIVER: Kind.DELIVERY,
    Duty.ESCALATE: Kind.ESCALATION,
    Duty.INVESTIGATE: Kind.INVESTIGATION,
    Duty.ALARM: Kind.PAGE,
    Duty.LOOK_AGAIN: Kind.ROLLBACK,
    Duty.ROLLBACK: Kind.ROLLBACK,
    Duty.TELL_ROLLBACK: Kind.ROLLBACK,
    Duty.ASK_CUSTOMER: Kind.CONFIRMATION,
    Duty.POSTMORTEM: Kind.POSTMORTEM,
    Duty.WITHDRAW_POSTMORTEM: Kind.POSTMORTEM,
}
_SILENT = frozenset({Duty.NOTICE, Duty.SUMMARY, Duty.TOPIC, Duty.SHOW_ROLLBACK})
"""Duties whose success is not worth a line of the timeline."""


def _kind(duty: Obligation) -> Kind:
    return _KINDS.get(duty.duty, Kind.CHECKLIST)


def _done(incident: Incident, duty: Obligation, outcome: Outcome, runbook: Runbook, at: datetime) -> Incident:
    if duty.duty is Duty.NUMBER:
        incident = incident.but(number=outcome.number)
    if duty.duty is Duty.SUMMARY:
        incident = incident.but(summary_at=at, summaries=incident.summaries + 1)
    if duty.duty is Duty.TOPIC:
        incident = incident.but(topics=incident.topics + 1)
    if duty.duty in _SILENT:
        return incident
    detail = f": {outcome.detail}" if outcome.detail else ""
    announce = duty.duty in (Duty.INVESTIGATE, Duty.WAR_ROOM, Duty.ESCALATE)
    incident = incident.logged(at, WORKFLOW, _kind(duty), f"{duty.says}{detail}", announce=announce)
    if outcome.manifest is not None:
        incident = incident.but(manifests=(*incident.manifests, outcome.manifest))
    if duty.duty is Duty.TELL_ROLLBACK and (state := incident.rollback(duty.subject)):
        incident = incident.with_rollback(state.but(judgement=None))
    if duty.duty is Duty.LOOK_AGAIN or outcome.offers:
        return offered(incident, outcome.offers, runbook, at)
    return incident


def _shown(incident: Incident, duty: Obligation, outcome: Outcome, at: datetime) -> Incident:
    """Remember the message in the channel that shows a rollback's progress."""
    state, found = incident.rollback(duty.subject), outcome.resources
    if state is None or found.summary_ts is None or found.summary_text is None:
        return incident
    changes = state.note.changes + 1 if state.note else 1
    note = Note(ts=found.summary_ts, text=found.summary_text, at=at, changes=changes)
    return incident.with_rollback(state.but(note=note))


def update_due(incident: Incident, duty: Obligation, runbook: Runbook, at: datetime) -> Incident:
    """Publish the status update that is due."""
    incident = incident.but(fulfilled=(*incident.fulfilled, duty.key))
    return publish_due(incident, runbook, at)


def stable(incident: Incident, duty: Obligation, runbook: Runbook, at: datetime) -> Incident:
    """Record that the stability window is over: resolve by itself where the runbook allows it, else ask a person."""
    incident = incident.but(fulfilled=(*incident.fulfilled, duty.key), stable_since=duty.since)
    if incident.firing:
        text = f"The stability window is over, but {len(incident.firing)} alert(s) still fire"
        return incident.logged(at, WORKFLOW, Kind.STATUS, text, announce=True)
    if runbook.policy(incident.severity).confirm_resolution:
        text = f"Stable since {duty.since:%H:%M} UTC: resolve it when you are satisfied"
        return incident.logged(at, WORKFLOW, Kind.STATUS, text, announce=True)
    return resolve(incident, runbook, at, WORKFLOW, "Service has been stable, and the incident is over.")


def target_missed(incident: Incident, duty: Obligation, at: datetime) -> Incident:
    """Record that a response target was missed. An open target is looked at only when its time is over."""
    incident = incident.but(fulfilled=(*incident.fulfilled, duty.key))
    text = f"Target missed: {duty.says.removeprefix('Target: ')}"
    return incident.logged(at, WORKFLOW, Kind.STATUS, text, announce=True)


def inner_duty_due(incident: Incident, duty: Obligation, runbook: Runbook, at: datetime) -> Incident:
    """Fulfil one of `agenda.INNER_DUTIES`."""
    if duty.duty is Duty.UPDATE:
        return update_due(incident, duty, runbook, at)
    if duty.duty is Duty.STABILITY:
        return stable(incident, duty, runbook, at)
    if duty.duty is Duty.TARGET:
        return target_missed(incident, duty, at)
    if duty.duty is Duty.OFFER_LAPSES:
        incident = incident.but(fulfilled=(*incident.fulfilled, duty.key))
        return offer_expired(incident, duty.subject, runbook, at)
    if duty.duty is Duty.NO_ANSWER:
        return unanswered(incident, duty, at)
    return close(incident, duty, at)


def close(incident: Incident, duty: Obligation, at: datetime) -> Incident:
    """Close the incident for good: from now on, an alert opens a new one."""
    incident = incident.but(fulfilled=(*incident.fulfilled, duty.key), closed=True)
    return incident.logged(at, WORKFLOW, Kind.STATUS, "Closed: the reopen window is over")


def unanswered(incident: Incident, duty: Obligation, at: datetime) -> Incident:
    """Record that a customer did not say whether service is restored: never taken for a yes (BEHAVIOURS 60)."""
    incident = incident.but(fulfilled=(*incident.fulfilled, duty.key))
    text = f"{duty.subject} did not answer whether service is restored"
    return incident.logged(at, WORKFLOW, Kind.CONFIRMATION, text)


def refused(incident: Incident, command: str, by: str, why: str, at: datetime) -> Incident:
    """Record a command that came as a signal and was refused: its sender got no answer, so the timeline says it."""
    return incident.logged(at, by, Kind.REFUSED, f"{command} refused: {why}", announce=True)


def postmortem_published(incident: Incident, at: datetime, url: str) -> Incident:
    """Record that the post-mortem is published: the incident cannot be reopened any more (BEHAVIOURS 64)."""
    return incident.but(postmortem_published=True).logged(
        at, WORKFLOW, Kind.POSTMORTEM, f"Post-mortem published: {url}", announce=True
    )


def _checked(incident: Incident, runbook: Runbook, at: datetime) -> Incident:
    """Bring the automatic checklist steps up to date with the duties that they consist of."""
    for step, keys in step_keys(incident, runbook).items():
        status = combined([_standing(incident, key) for key in keys])
        if status is StepStatus.PENDING:
            continue
        why = [duty.reason for duty in (*incident.failures, *incident.skips) if duty.key in keys]
        incident = incident.with_step(step, status, at, WORKFLOW, "; ".join(dict.fromkeys(why)))
    return incident


def _standing(incident: Incident, key: str) -> StepStatus:
    """Return where a duty stands; an update that never went out counts by the newer one that took its place."""
    if key.startswith("update/"):
        channel = key.rsplit("/", 1)[1]
        newest = [u for u in incident.updates if channel in u.channels][-1]
        if incident.standing(key) is StepStatus.PENDING:
            return incident.standing(delivery_key(newest.sequence, Channel(channel)))
    return incident.standing(key)


def step_keys(incident: Incident, runbook: Runbook) -> dict[Step, tuple[str, ...]]:
    """Return the duties that each automatic checklist step consists of."""
    policy = runbook.policy(incident.severity)
    first = incident.updates[0] if incident.updates else None
    told_by = tuple(delivery_key(first.sequence, channel) for channel in first.channels) if first else ()
    ticket = ("ticket",) if Channel.ISSUE_TRACKER in policy.updates.channels else ()
    return {
        Step.CHANNEL: ("channel", "war-room") if policy.war_room else ("channel",),
        Step.COMMUNICATE: told_by or ticket or ("number",),
        Step.INVESTIGATE: tuple(f"investigate/{source}" for source in Source),
    }

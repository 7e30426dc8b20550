"""What came of the incident's duties: done, skipped on purpose, or failed for good, and what follows from it."""

from datetime import datetime

from incidents.domain.activity_requests import Outcome
from incidents.domain.apply_event import alerts_ended
from incidents.domain.chat.obligations import channel_key
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import Runbook
from incidents.domain.core.program_errors import what_to_do, with_fault
from incidents.domain.core.timeline import WORKFLOW, Kind
from incidents.domain.incident.checklist import Step, StepStatus, combined
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import fell_silent
from incidents.domain.incident.parts import OnCall, Refusal, Unfulfilled
from incidents.domain.obligation import Duty, Obligation, Source
from incidents.domain.rollback.events import offered, rollback_broke_down
from incidents.domain.rollback.state import Note
from incidents.domain.updates.publishing import delivery_key, has_ticket


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
        if duty.duty is Duty.LISTEN:
            return _listened(incident, duty, outcome, runbook, at)
        incident = incident.logged(at, WORKFLOW, _kind(duty), f"Skipped: {duty.says}: {outcome.skipped}")
    else:
        incident = incident.but(fulfilled=(*incident.fulfilled, duty.key))
        if duty.duty in (Duty.SHOW_ROLLBACK, Duty.DIGEST):
            return _shown(incident, duty, outcome, at)
        if duty.duty is Duty.RECORD:
            return incident
        if _left_behind(incident, duty):
            return _moved_on(incident, outcome)
        incident = incident.but(resources=incident.resources.merged(outcome.resources))
        incident = _done(incident, duty, outcome, runbook, at)
    return _checked(incident, runbook, at)


def _left_behind(incident: Incident, duty: Obligation) -> bool:
    """Tell whether it was done in a channel that the incident has left meanwhile, because it became private."""
    current = {
        Duty.CHANNEL: channel_key(incident),
        Duty.SUMMARY: f"summary/{incident.summaries}",
        Duty.TOPIC: f"topic/{incident.topics}",
    }
    return duty.key != current.get(duty.duty, duty.key)


def _moved_on(incident: Incident, outcome: Outcome) -> Incident:
    """Remember a channel that was opened too late: it is archived like the one that was left."""
    room = outcome.resources.channel_id
    return incident.but(former_channels=(*incident.former_channels, room)) if room else incident


def failed(
    incident: Incident, duty: Obligation, reason: str, runbook: Runbook, at: datetime, *, unauthorized: str = ""
) -> Incident:
    """Record that a duty failed for good. The incident goes on; a responder may retry, skip or do it by hand.

    `unauthorized`: the vendor that refused our credentials, if that was why: the operators have to hear of it.
    """
    if incident.settled(duty.key):
        return incident
    if duty.duty is Duty.CHECK_ALERTS:  # asked again at the next time: the silence lasts, and so does the question
        return incident.but(alert_checks=incident.alert_checks + 1, alerts_checked_at=at)
    if unauthorized and all(known.vendor != unauthorized for known in incident.refusals):
        incident = incident.but(refusals=(*incident.refusals, Refusal(vendor=unauthorized, reason=reason, at=at)))
    failure = Unfulfilled(key=duty.key, reason=reason, at=at)
    incident = incident.but(failures=(*incident.failures, failure))
    if duty.duty is Duty.ROLLBACK:
        incident = rollback_broke_down(incident, duty.subject, reason, at)
    if duty.duty is Duty.LOOK_AGAIN:
        incident = incident.but(rollback_request=None)
    if duty.duty is Duty.LISTEN:
        return _listened(incident, duty, Outcome(), runbook, at)
    announce = duty.duty not in _SILENT
    text = f"Failed: {duty.says}: {reason}. Next: `incident step` {duty.key} with --retry, --skip or --done"
    return _checked(incident.logged(at, WORKFLOW, _kind(duty), text, announce=announce), runbook, at)


def abandoned(incident: Incident, duty: Obligation, error: str, at: datetime) -> Incident:
    """Record that a duty failed, by the simplest means: `failed` itself could not, because of an error of ours."""
    failure = Unfulfilled(key=duty.key, reason=error, at=at)
    incident = incident.but(failures=(*incident.failures, failure))
    text = f"Failed: {duty.says}: error in this program ({error}). {what_to_do(duty.key, incident.number)}"
    return incident.logged(at, WORKFLOW, Kind.CHECKLIST, text, announce=duty.duty not in _SILENT)


def faulty(incident: Incident, duty: Obligation, error: str, at: datetime) -> Incident:
    """Remember the error that kept a duty from being done, for the operators; not that it could not be told to them."""
    if duty.duty is Duty.REPORT_FAULT:
        return incident
    return incident.but(faults=with_fault(incident, duty.says, error, at))


def agenda_broke(incident: Incident, error: str, at: datetime) -> Incident:
    """Record, once for each error, that the agenda cannot be derived as a whole."""
    faults = with_fault(incident, "deriving the agenda", error, at)
    if faults == incident.faults:
        return incident
    text = (
        f"Error in this program ({error}): some obligations cannot be derived. Paging goes on; publish updates"
        " by hand (`incident update`) until it is fixed."
    )
    return incident.but(faults=faults).logged(at, WORKFLOW, Kind.STATUS, text, announce=True)


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
    Duty.ON_CALL: Kind.PAGE,
    Duty.SILENCE: Kind.ALERT,
    Duty.UNSILENCE: Kind.ALERT,
    Duty.OPERATORS: Kind.DELIVERY,
    Duty.REPORT_FAULT: Kind.DELIVERY,
    Duty.POSTMORTEM: Kind.POSTMORTEM,
    Duty.WITHDRAW_POSTMORTEM: Kind.POSTMORTEM,
}
_SILENT = frozenset(
    {
        Duty.NOTICE,
        Duty.SUMMARY,
        Duty.TOPIC,
        Duty.SHOW_ROLLBACK,
        Duty.BOOKMARK,
        Duty.DIGEST,
        Duty.DIGEST_UPDATE,
        Duty.CHECK_ALERTS,
        Duty.LISTEN,
        Duty.RECORD,
    }
)
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
    if duty.duty is Duty.LISTEN:
        return _listened(incident, duty, outcome, runbook, at)
    if duty.duty is Duty.CHECK_ALERTS:
        incident = incident.but(alert_checks=incident.alert_checks + 1, alerts_checked_at=at)
        return alerts_ended(incident, dict.fromkeys(outcome.ended, at), runbook, at)
    if duty.duty in _SILENT:
        return incident
    incident = _attended_to(incident, duty, outcome, at)
    detail = f": {outcome.detail}" if outcome.detail else ""
    announce = duty.duty in (Duty.INVESTIGATE, Duty.WAR_ROOM, Duty.ESCALATE, Duty.SILENCE)
    incident = incident.logged(at, WORKFLOW, _kind(duty), f"{duty.says}{detail}", announce=announce)
    if outcome.manifest is not None:
        incident = incident.but(manifests=(*incident.manifests, outcome.manifest))
    if duty.duty is Duty.TELL_ROLLBACK and (state := incident.rollback(duty.subject)):
        incident = incident.with_rollback(state.but(judgement=None))
    if duty.duty is Duty.LOOK_AGAIN or outcome.offers:
        return offered(incident, outcome.offers, runbook, at)
    return incident


def _attended_to(incident: Incident, duty: Obligation, outcome: Outcome, at: datetime) -> Incident:
    """Remember who is on call, and which alerts are silenced."""
    if duty.duty is Duty.ON_CALL:
        others = tuple(known for known in incident.on_call if known.contact != duty.subject)
        found = tuple(
            OnCall(contact=duty.subject, at=at, name=person.name, email=person.email) for person in outcome.on_call[:1]
        )
        incident = incident.but(on_call=(*others, *(found or (OnCall(contact=duty.subject, at=at),))))
        if not found:
            text = f"no_one_on_call: the schedule of {duty.subject} is empty. The next level is called at once"
            return incident.logged(at, WORKFLOW, Kind.ESCALATION, text, announce=True)
    if duty.duty is Duty.SILENCE:
        return incident.but(silences=(*incident.silences, *outcome.silences), alerts_checked_at=at)
    return incident.but(silences=()) if duty.duty is Duty.UNSILENCE else incident


def _listened(incident: Incident, duty: Obligation, outcome: Outcome, runbook: Runbook, at: datetime) -> Incident:
    """Go on if somebody wrote in the channel since; else call the on-call anew."""
    if outcome.heard_at is not None and outcome.heard_at > duty.since:
        return incident.but(heard_at=outcome.heard_at)
    spoken = incident.heard_at is not None and incident.heard_at > duty.since
    if spoken or not incident.attended or incident.over:  # a command came while the channel was read
        return incident
    return fell_silent(incident, at, duty.due - duty.since)


def _shown(incident: Incident, duty: Obligation, outcome: Outcome, at: datetime) -> Incident:
    """Remember the message that shows a rollback's progress, or the incident in the digest."""
    state, found = incident.rollback(duty.subject), outcome.resources
    if duty.duty is Duty.DIGEST:
        digest = incident.resources.but(digest_ts=found.summary_ts, digest_text=found.summary_text)
        return incident.but(resources=digest, digests=incident.digests + 1)
    if state is None or found.summary_ts is None or found.summary_text is None:
        return incident
    changes = state.note.changes + 1 if state.note else 1
    note = Note(ts=found.summary_ts, text=found.summary_text, at=at, changes=changes)
    return incident.with_rollback(state.but(note=note))


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
    policy, channel = runbook.policy(incident.severity), channel_key(incident)
    first = incident.updates[0] if incident.updates else None
    told_by = tuple(delivery_key(first.sequence, channel) for channel in first.channels) if first else ()
    ticket = ("ticket",) if has_ticket(incident, runbook) else ()
    return {
        Step.CHANNEL: (channel, "war-room") if policy.war_room else (channel,),
        Step.COMMUNICATE: told_by or ticket or ("number",),
        Step.INVESTIGATE: tuple(f"investigate/{source}" for source in Source),
    }

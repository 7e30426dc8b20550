"""What came of the incident's obligations: done, skipped on purpose, or failed for good, and what follows from it."""

from datetime import datetime

from incidents.domain.activity_requests import ActivityResult
from incidents.domain.apply_event import alerts_ended
from incidents.domain.chat.obligations import channel_key
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.program_errors import what_to_do, with_fault
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.checklist import Step, StepStatus, combined
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import fell_silent
from incidents.domain.incident.parts import OnCall, Refusal, Unfulfilled
from incidents.domain.obligation import Obligation, ObligationKind, Source
from incidents.domain.rollback.events import offered, rollback_broke_down
from incidents.domain.rollback.state import Note
from incidents.domain.updates.publishing import delivery_key, has_ticket


def begun(incident: Incident, key: str) -> Incident:
    """Remember that an obligation was begun:

    Whoever does it again must first look for the mark of the earlier attempt.
    """
    return incident if key in incident.begun else incident.replace(begun=(*incident.begun, key))


def fulfilled(
    incident: Incident, obligation: Obligation, outcome: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Record that an obligation was done, or skipped on purpose.

    A second report of the same obligation changes nothing.
    """
    if incident.settled(obligation.key):
        return incident
    incident = incident.replace(begun=tuple(key for key in incident.begun if key != obligation.key))
    if outcome.skipped is not None:
        skip = Unfulfilled(key=obligation.key, reason=outcome.skipped, at=at)
        incident = incident.replace(skips=(*incident.skips, skip))
        if obligation.kind is ObligationKind.LOOK_AGAIN:
            incident = incident.replace(rollback_request=None)
        if obligation.kind is ObligationKind.LISTEN:
            return _listened(incident, obligation, outcome, runbook, at)
        incident = incident.logged(at, SYSTEM, _kind(obligation), f"Skipped: {obligation.says}: {outcome.skipped}")
    else:
        incident = incident.replace(fulfilled=(*incident.fulfilled, obligation.key))
        if obligation.kind in (ObligationKind.SHOW_ROLLBACK, ObligationKind.DIGEST):
            return _shown(incident, obligation, outcome, at)
        if obligation.kind is ObligationKind.RECORD:
            return incident
        if _left_behind(incident, obligation):
            return _moved_on(incident, outcome)
        incident = incident.replace(resources=incident.resources.merged(outcome.resources))
        incident = _done(incident, obligation, outcome, runbook, at)
    return _checked(incident, runbook, at)


def _left_behind(incident: Incident, obligation: Obligation) -> bool:
    """Tell whether it was done in a channel that the incident has left meanwhile, because it became private."""
    current = {
        ObligationKind.CHANNEL: channel_key(incident),
        ObligationKind.SUMMARY: f"summary/{incident.summaries}",
        ObligationKind.TOPIC: f"topic/{incident.topics}",
    }
    return obligation.key != current.get(obligation.kind, obligation.key)


def _moved_on(incident: Incident, outcome: ActivityResult) -> Incident:
    """Remember a channel that was opened too late: it is archived like the one that was left."""
    room = outcome.resources.channel_id
    return incident.replace(former_channels=(*incident.former_channels, room)) if room else incident


def failed(
    incident: Incident,
    obligation: Obligation,
    reason: str,
    runbook: RunbookConfig,
    at: datetime,
    *,
    unauthorized: str = "",
) -> Incident:
    """Record that an obligation failed for good. The incident goes on; a responder may retry, skip or do it by hand.

    `unauthorized`: the vendor that refused our credentials, if that was why: the operators have to hear of it.
    """
    if incident.settled(obligation.key):
        return incident
    if (
        obligation.kind is ObligationKind.CHECK_ALERTS
    ):  # asked again at the next time: the silence lasts, and so does the question
        return incident.replace(alert_checks=incident.alert_checks + 1, alerts_checked_at=at)
    if unauthorized and all(known.vendor != unauthorized for known in incident.refusals):
        incident = incident.replace(refusals=(*incident.refusals, Refusal(vendor=unauthorized, reason=reason, at=at)))
    failure = Unfulfilled(key=obligation.key, reason=reason, at=at)
    incident = incident.replace(failures=(*incident.failures, failure))
    if obligation.kind is ObligationKind.ROLLBACK:
        incident = rollback_broke_down(incident, obligation.subject, reason, at)
    if obligation.kind is ObligationKind.LOOK_AGAIN:
        incident = incident.replace(rollback_request=None)
    if obligation.kind is ObligationKind.LISTEN:
        return _listened(incident, obligation, ActivityResult(), runbook, at)
    announce = obligation.kind not in _SILENT
    text = f"Failed: {obligation.says}: {reason}. Next: `incident step` {obligation.key} with --retry, --skip or --done"
    return _checked(incident.logged(at, SYSTEM, _kind(obligation), text, announce=announce), runbook, at)


def abandoned(incident: Incident, obligation: Obligation, error: str, at: datetime) -> Incident:
    """Record that an obligation failed, by the simplest means:

    `failed` itself could not, because of an error of ours.
    """
    failure = Unfulfilled(key=obligation.key, reason=error, at=at)
    incident = incident.replace(failures=(*incident.failures, failure))
    text = f"Failed: {obligation.says}: error in this program ({error}). {what_to_do(obligation.key, incident.number)}"
    return incident.logged(at, SYSTEM, Kind.CHECKLIST, text, announce=obligation.kind not in _SILENT)


def faulty(incident: Incident, obligation: Obligation, error: str, at: datetime) -> Incident:
    """Remember the error that kept an obligation from being done, for the operators;

    Not that it could not be told to them.
    """
    if obligation.kind is ObligationKind.REPORT_FAULT:
        return incident
    return incident.replace(faults=with_fault(incident, obligation.says, error, at))


def agenda_broke(incident: Incident, error: str, at: datetime) -> Incident:
    """Record, once for each error, that the agenda cannot be derived as a whole."""
    faults = with_fault(incident, "deriving the agenda", error, at)
    if faults == incident.faults:
        return incident
    text = (
        f"Error in this program ({error}): some obligations cannot be derived. Paging goes on; publish updates"
        " by hand (`incident update`) until it is fixed."
    )
    return incident.replace(faults=faults).logged(at, SYSTEM, Kind.STATUS, text, announce=True)


_KINDS = {
    ObligationKind.PAGE: Kind.PAGE,
    ObligationKind.ACKNOWLEDGE_PAGE: Kind.PAGE,
    ObligationKind.RESOLVE_PAGE: Kind.PAGE,
    ObligationKind.DELIVER: Kind.DELIVERY,
    ObligationKind.ESCALATE: Kind.ESCALATION,
    ObligationKind.INVESTIGATE: Kind.INVESTIGATION,
    ObligationKind.ALARM: Kind.PAGE,
    ObligationKind.LOOK_AGAIN: Kind.ROLLBACK,
    ObligationKind.ROLLBACK: Kind.ROLLBACK,
    ObligationKind.TELL_ROLLBACK: Kind.ROLLBACK,
    ObligationKind.ASK_CUSTOMER: Kind.CONFIRMATION,
    ObligationKind.ON_CALL: Kind.PAGE,
    ObligationKind.SILENCE: Kind.ALERT,
    ObligationKind.UNSILENCE: Kind.ALERT,
    ObligationKind.OPERATORS: Kind.DELIVERY,
    ObligationKind.REPORT_FAULT: Kind.DELIVERY,
    ObligationKind.POSTMORTEM: Kind.POSTMORTEM,
    ObligationKind.WITHDRAW_POSTMORTEM: Kind.POSTMORTEM,
}
_SILENT = frozenset(
    {
        ObligationKind.NOTICE,
        ObligationKind.SUMMARY,
        ObligationKind.TOPIC,
        ObligationKind.SHOW_ROLLBACK,
        ObligationKind.BOOKMARK,
        ObligationKind.DIGEST,
        ObligationKind.DIGEST_UPDATE,
        ObligationKind.CHECK_ALERTS,
        ObligationKind.LISTEN,
        ObligationKind.RECORD,
    }
)
"""Obligations whose success is not worth a line of the timeline."""


def _kind(obligation: Obligation) -> Kind:
    return _KINDS.get(obligation.kind, Kind.CHECKLIST)


def _done(
    incident: Incident, obligation: Obligation, outcome: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    if obligation.kind is ObligationKind.NUMBER:
        incident = incident.replace(number=outcome.number)
    if obligation.kind is ObligationKind.SUMMARY:
        incident = incident.replace(summary_at=at, summaries=incident.summaries + 1)
    if obligation.kind is ObligationKind.TOPIC:
        incident = incident.replace(topics=incident.topics + 1)
    if obligation.kind is ObligationKind.LISTEN:
        return _listened(incident, obligation, outcome, runbook, at)
    if obligation.kind is ObligationKind.CHECK_ALERTS:
        incident = incident.replace(alert_checks=incident.alert_checks + 1, alerts_checked_at=at)
        return alerts_ended(incident, dict.fromkeys(outcome.ended, at), runbook, at)
    if obligation.kind in _SILENT:
        return incident
    incident = _attended_to(incident, obligation, outcome, at)
    detail = f": {outcome.detail}" if outcome.detail else ""
    announce = obligation.kind in (
        ObligationKind.INVESTIGATE,
        ObligationKind.WAR_ROOM,
        ObligationKind.ESCALATE,
        ObligationKind.SILENCE,
    )
    incident = incident.logged(at, SYSTEM, _kind(obligation), f"{obligation.says}{detail}", announce=announce)
    if outcome.manifest is not None:
        incident = incident.replace(manifests=(*incident.manifests, outcome.manifest))
    if obligation.kind is ObligationKind.TELL_ROLLBACK and (state := incident.rollback(obligation.subject)):
        incident = incident.with_rollback(state.replace(judgement=None))
    if obligation.kind is ObligationKind.LOOK_AGAIN or outcome.offers:
        return offered(incident, outcome.offers, runbook, at)
    return incident


def _attended_to(incident: Incident, obligation: Obligation, outcome: ActivityResult, at: datetime) -> Incident:
    """Remember who is on call, and which alerts are silenced."""
    if obligation.kind is ObligationKind.ON_CALL:
        others = tuple(known for known in incident.on_call if known.contact != obligation.subject)
        found = tuple(
            OnCall(contact=obligation.subject, at=at, name=person.name, email=person.email)
            for person in outcome.on_call[:1]
        )
        incident = incident.replace(on_call=(*others, *(found or (OnCall(contact=obligation.subject, at=at),))))
        if not found:
            text = f"no_one_on_call: the schedule of {obligation.subject} is empty. The next level is called at once"
            return incident.logged(at, SYSTEM, Kind.ESCALATION, text, announce=True)
    if obligation.kind is ObligationKind.SILENCE:
        return incident.replace(silences=(*incident.silences, *outcome.silences), alerts_checked_at=at)
    return incident.replace(silences=()) if obligation.kind is ObligationKind.UNSILENCE else incident


def _listened(
    incident: Incident, obligation: Obligation, outcome: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Go on if somebody wrote in the channel since; else call the on-call anew."""
    if outcome.heard_at is not None and outcome.heard_at > obligation.since:
        return incident.replace(heard_at=outcome.heard_at)
    spoken = incident.heard_at is not None and incident.heard_at > obligation.since
    if spoken or not incident.attended or incident.over:  # a command came while the channel was read
        return incident
    return fell_silent(incident, at, obligation.due - obligation.since)


def _shown(incident: Incident, obligation: Obligation, outcome: ActivityResult, at: datetime) -> Incident:
    """Remember the message that shows a rollback's progress, or the incident in the digest."""
    state, found = incident.rollback(obligation.subject), outcome.resources
    if obligation.kind is ObligationKind.DIGEST:
        digest = incident.resources.replace(digest_ts=found.summary_ts, digest_text=found.summary_text)
        return incident.replace(resources=digest, digests=incident.digests + 1)
    if state is None or found.summary_ts is None or found.summary_text is None:
        return incident
    changes = state.note.changes + 1 if state.note else 1
    note = Note(ts=found.summary_ts, text=found.summary_text, at=at, changes=changes)
    return incident.with_rollback(state.replace(note=note))


def _checked(incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Bring the automatic checklist steps up to date with the obligations that they consist of."""
    for step, keys in step_keys(incident, runbook).items():
        status = combined([_standing(incident, key) for key in keys])
        if status is StepStatus.PENDING:
            continue
        why = [obligation.reason for obligation in (*incident.failures, *incident.skips) if obligation.key in keys]
        incident = incident.with_step(step, status, at, SYSTEM, "; ".join(dict.fromkeys(why)))
    return incident


def _standing(incident: Incident, key: str) -> StepStatus:
    """Return where an obligation stands; an update that never went out counts by the newer one that took its place."""
    if key.startswith("update/"):
        channel = key.rsplit("/", 1)[1]
        newest = [u for u in incident.updates if channel in u.channels][-1]
        if incident.standing(key) is StepStatus.PENDING:
            return incident.standing(delivery_key(newest.sequence, Channel(channel)))
    return incident.standing(key)


def step_keys(incident: Incident, runbook: RunbookConfig) -> dict[Step, tuple[str, ...]]:
    """Return the obligations that each automatic checklist step consists of."""
    policy, channel = runbook.policy(incident.severity), channel_key(incident)
    first = incident.updates[0] if incident.updates else None
    told_by = tuple(delivery_key(first.sequence, channel) for channel in first.channels) if first else ()
    ticket = ("ticket",) if has_ticket(incident, runbook) else ()
    return {
        Step.CHANNEL: (channel, "war-room") if policy.war_room else (channel,),
        Step.COMMUNICATE: told_by or ticket or ("number",),
        Step.INVESTIGATE: tuple(f"investigate/{source}" for source in Source),
    }

"""Lifecycle transitions: severity, monitoring, resolved, reopened, cancelled, acknowledged."""

from datetime import datetime, timedelta

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.severity import Severity
from incidents.domain.core.status import Status
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.checklist import Step, StepState, StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.state import EarlierResponse, Episode, Interval, RolesState
from incidents.domain.paging.ladder import pending_escalations
from incidents.domain.updates.publishing import all_channels, publish, used_channels
from incidents.domain.updates.state import UpdateKind


def change_severity(
    incident: Incident, runbook: RunbookConfig, at: datetime, by: str, severity: Severity, reason: str
) -> Incident:
    """Raise or lower the severity.

    Raised: publish an update at once on the new severity's channels; the cadence restarts now (behaviours 28, 31).
    Lowered: publish the new time of the next update on the old and the new channels, counted from the last update
    (behaviour 27).
    """
    owed, old = incident, incident.severity
    raised = runbook.rank(severity) < runbook.rank(old)
    before = runbook.policy(old).updates.channels
    incident = incident.replace(
        severity=severity,
        highest_severity=runbook.worst(incident.highest_severity, severity),
        episodes=(*incident.episodes[:-1], incident.episode.replace(until=at), Episode(severity=severity, since=at)),
    )
    why = f" ({reason})" if reason else ""
    incident = incident.logged(at, by, Kind.SEVERITY, f"Severity {old} → {severity}{why}", announce=True)
    incident = _log_cancelled_escalations(owed, incident, runbook, at)
    policy = runbook.policy(severity)
    if incident.resources.bridge_url and not policy.war_room:
        text = f"War room stays open (not required for a {severity})"
        incident = incident.logged(at, SYSTEM, Kind.STATUS, text, announce=True)
    if raised:
        text = PublicText.filled(runbook.templates.texts.severity_raised, OLD=old, NEW=severity)
        anchor, channels = at, policy.updates.channels
    else:
        text = PublicText.filled(runbook.templates.texts.severity_lowered, OLD=old, NEW=severity)
        last = next(
            (u.due for u in reversed(incident.updates.published) if u.kind != UpdateKind.SEVERITY), incident.opened_at
        )
        anchor = max(last, incident.updates.anchor or last)
        channels = tuple(dict.fromkeys((*before, *policy.updates.channels)))
    return publish(incident, runbook, at, UpdateKind.SEVERITY, text, by=by, channels=channels, anchor=anchor)


def monitor(incident: Incident, runbook: RunbookConfig, at: datetime, by: str, text: PublicText) -> Incident:
    """Mark the incident as mitigated and start the stability window."""
    incident = incident.replace(
        status=Status.MONITORING, mitigated_at=incident.mitigated_at or at, monitoring_since=at, stable_since=None
    )
    incident = incident.logged(at, by, Kind.STATUS, f"Monitoring: {text}", announce=True)
    return publish(
        incident, runbook, at, UpdateKind.STATUS, text, by=by, channels=all_channels(incident, runbook), anchor=at
    )


def resolve(incident: Incident, runbook: RunbookConfig, at: datetime, by: str, text: PublicText) -> Incident:
    """Resolve the incident: cancel open obligations and publish on every channel ever used (behaviour 62)."""
    owed, since = incident, incident.reopened_at or incident.started_at
    incident = incident.replace(
        status=Status.RESOLVED,
        mitigated_at=incident.mitigated_at or at,
        monitoring_since=None,
        resolved_at=at,
        resolved_by=by,
        resolve_intent=None,
        rollback=incident.rollback.with_offers_expired("resolved before it was decided"),
        intervals=(*incident.intervals, Interval(since=since, until=at, by=by)),
        episodes=(*incident.episodes[:-1], incident.episode.replace(until=at)),
        updates=incident.updates.replace(draft=PublicText(), next_words=PublicText(), hold=None),
    )
    incident = incident.logged(at, by, Kind.RESOLVED, f"Resolved: {text}", announce=True)
    incident = _log_cancelled_escalations(owed, incident, runbook, at)
    return publish(incident, runbook, at, UpdateKind.FINAL, text, by=by, channels=all_channels(incident, runbook))


def reopen(
    incident: Incident, runbook: RunbookConfig, at: datetime, by: str, reason: str, *, attended: bool
) -> Incident:
    """Reopen the incident: same number and channel, cadence from now (behaviour 63), first response restarts (88).

    A new alert reopens a resolved or cancelled incident as long as the workflow runs. `attended`: a person reopens it,
    and so has acknowledged it.
    """
    incident = _begin_response(incident, at).replace(
        status=Status.INVESTIGATING,
        resolved_at=None,
        resolved_by="",
        mitigated_at=None,
        reopened_at=at,
        stable_since=None,
        paging=incident.paging.replace(
            attended=attended,
            repage_count=incident.paging.repage_count + 1,
            last_paged_at=at,
            last_response_at=None,
            silent=False,
        ),
        alerting=incident.alerting.replace(waiting=None),
        postmortem=incident.postmortem.replace(published=False, waived=False),
        closed=False,
        updates=incident.updates.replace(no_news=0),
        episodes=(*incident.episodes, Episode(severity=incident.severity, since=at)),
    )
    if attended:
        incident = _with_acknowledgement(incident, by, at)
    incident = incident.logged(at, by, Kind.REOPENED, f"Reopened: {reason}", announce=True)
    text = PublicText.trusted(runbook.templates.texts.came_back)
    return publish(
        incident, runbook, at, UpdateKind.STATUS, text, by=by, channels=all_channels(incident, runbook), anchor=at
    )


def _begin_response(incident: Incident, at: datetime) -> Incident:
    """Keep the first response of the round that ended, and begin a new one: only the severity stays known."""
    ended = EarlierResponse(
        until=at,
        acknowledged_at=incident.acknowledged_at,
        acknowledged_by=incident.acknowledged_by,
        roles=incident.roles,
        steps=incident.steps,
    )
    incident = incident.replace(
        earlier_responses=(*incident.earlier_responses, ended),
        acknowledged_at=None,
        acknowledged_by="",
        roles=RolesState(no_commander_since=at),
        steps=tuple(StepState(step=step) for step in Step),
    )
    incident = incident.with_step(Step.TIMER, StepStatus.DONE, at, SYSTEM, f"reopened {at:%Y-%m-%d %H:%M:%S} UTC")
    if incident.needs_triage:
        return incident
    detail = f"{incident.severity} (as before the reopening)"
    return incident.with_step(Step.SEVERITY, StepStatus.DONE, at, SYSTEM, detail)


def cancel(incident: Incident, runbook: RunbookConfig, at: datetime, by: str, reason: str) -> Incident:
    """Cancel a false alarm, with a correction on every channel that carried an update (behaviour 67)."""
    owed = incident
    incident = incident.replace(
        status=Status.CANCELLED,
        monitoring_since=None,
        resolve_intent=None,
        rollback=incident.rollback.with_offers_expired("cancelled before it was decided"),
        episodes=(*incident.episodes[:-1], incident.episode.replace(until=at)),
        updates=incident.updates.replace(draft=PublicText(), next_words=PublicText(), hold=None),
    )
    incident = incident.logged(at, by, Kind.CANCELLED, f"Cancelled: {reason}", announce=True)
    incident = _log_cancelled_escalations(owed, incident, runbook, at)
    if not incident.updates.published:
        return incident
    text = PublicText.trusted(runbook.templates.texts.false_alarm)
    return publish(incident, runbook, at, UpdateKind.FINAL, text, by=by, channels=used_channels(incident))


def _log_cancelled_escalations(before: Incident, after: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record scheduled escalations that are now cancelled (behaviours 27 and 43)."""
    still = {obligation.key for obligation in pending_escalations(after, runbook)}
    gone = [
        f"{obligation.summary} (was due in {in_words(obligation.due - at)})"
        for obligation in pending_escalations(before, runbook)
        if obligation.due > at and obligation.key not in still
    ]
    if not gone:
        return after
    return after.logged(at, SYSTEM, Kind.ESCALATION, f"Cancelled: {'; '.join(gone)}")


def acknowledge(incident: Incident, at: datetime, by: str, happened_at: datetime) -> Incident:
    """Record an acknowledgement; without a commander, the responder becomes commander."""
    return _with_acknowledgement(incident, by, happened_at).logged(
        at, by, Kind.ACKNOWLEDGED, f"Acknowledged by {by}", happened_at=happened_at, announce=True
    )


def _with_acknowledgement(incident: Incident, by: str, happened_at: datetime) -> Incident:
    first = incident.acknowledged_at is None
    incident = incident.replace(
        paging=incident.paging.replace(attended=True, silent=False),
        acknowledged_at=happened_at if first else incident.acknowledged_at,
        acknowledged_by=by if first else incident.acknowledged_by,
        roles=incident.roles.replace(commander=incident.roles.commander or by, no_commander_since=None),
    )
    return incident.with_step(Step.ACKNOWLEDGE, StepStatus.DONE, happened_at, by, f"by {by}")


def repage_after_silence(incident: Incident, at: datetime, silent_for: timedelta) -> Incident:
    """Re-page on-call: no activity since the acknowledgement (behaviour 44)."""
    text = f"No activity for {in_words(silent_for)} since the acknowledgement: re-paging on-call"
    incident = incident.replace(
        paging=incident.paging.replace(
            attended=False, silent=True, repage_count=incident.paging.repage_count + 1, last_paged_at=at
        )
    )
    return incident.logged(at, SYSTEM, Kind.PAGE, text, announce=True)


def record_response(incident: Incident, at: datetime, by: str) -> Incident:
    """Record responder activity; after a silence it also stops the re-paging."""
    if not incident.paging.silent or incident.over:
        return incident.replace(paging=incident.paging.replace(last_response_at=at))
    incident = incident.replace(paging=incident.paging.replace(last_response_at=at, silent=False, attended=True))
    return incident.logged(at, by, Kind.ACKNOWLEDGED, f"{by} is responding again", announce=True)


def require_live(incident: Incident) -> None:
    """Raise `CommandRejected` if the incident is resolved, cancelled or merged into another."""
    if (into := incident.merging.into) is not None:
        undo = f"`incident unmerge {incident.number}`"
        raise CommandRejected(f"{incident.name} was merged into INC-{into.number}. Act there, or undo it: {undo}.")
    if incident.status == Status.RESOLVED:
        when = f" at {incident.resolved_at:%H:%M} UTC" if incident.resolved_at else ""
        raise CommandRejected(f"{incident.name} was resolved by {incident.resolved_by}{when}. Reopen it first.")
    if incident.status == Status.CANCELLED:
        raise CommandRejected(f"{incident.name} was cancelled as a false alarm. Open a new incident.")

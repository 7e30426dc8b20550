"""Rollback commands: request, approve, decline, judge, and flag a release as bad."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.command import Command
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.investigation.keys import investigation_key
from incidents.domain.obligation import Source
from incidents.domain.rollback.approval import approve_forward, approve_offer, without_own
from incidents.domain.rollback.config import RollbackPolicy
from incidents.domain.rollback.events import record_rollback_verdict
from incidents.domain.rollback.state import Flag, ResponderVerdict, RollbackRequest, RollbackState, RollbackStatus


class RequestRollback(Command):
    """Ask for the rollback of the suspect deployment. The request counts as the approval, or as the first of two.

    `forward` goes back to what an unhelpful rollback replaced. `insist` rolls back although the state has changed since
    it was decided: a newer deployment, or the region recovered. `version`: a known-good one other than the newest.
    """

    name = "request_rollback"
    help_text = "Roll the suspect deployment back to the last known-good one; forward=true undoes a rollback."
    cluster: str = ""
    forward: bool = False
    insist: bool = False
    version: str = Field(default="", max_length=200)


class ApproveRollback(Command):
    """Approve the rollback that the incident offers.

    `version`: the candidate that the sender saw. If another one is offered by now, the command is refused. "": any.
    """

    name = "approve_rollback"
    help_text = "Approve the offered rollback."
    cluster: str = ""
    version: str = ""


class DeclineRollback(Command):
    """Decline the rollback that the incident offers."""

    name = "decline_rollback"
    help_text = "Decline the offered rollback, with a reason."
    reason: str = Field(min_length=1, max_length=2000)
    cluster: str = ""


class JudgeRollback(Command):
    """Give the verdict on a rollback that the probes could not judge."""

    name = "judge_rollback"
    help_text = "Decide an inconclusive rollback: is service healthy?"
    healthy: bool
    reason: str = Field(default="", max_length=2000)
    cluster: str = ""


class FlagRelease(Command):
    """Flag a release as bad, so that nothing is ever rolled back to it."""

    name = "flag_release"
    help_text = "Flag a release as bad: it is no rollback candidate in this or later incidents."
    version: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=2000)


RollbackCommand = RequestRollback | ApproveRollback | DeclineRollback | JudgeRollback | FlagRelease


def request_rollback(command: RequestRollback, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Roll back the offered candidate, or search again and roll back what is found.

    The request is the approval; where two people have to approve, the first of the two.
    """
    _require_allowed(incident, runbook)
    clusters = dict.fromkeys(region.cluster for region in runbook.regions_of(incident.service))
    if command.cluster and command.cluster not in clusters:
        known = ", ".join(clusters) or "none"
        raise CommandRejected(
            f"{incident.service} does not run on cluster {command.cluster} (known: {known}). Nothing was changed."
        )
    states = [s for s in incident.rollback.clusters if command.cluster in ("", s.offer.cluster)]
    _require_undecided(states)
    if command.forward and command.version:
        raise CommandRejected("A rollback goes forward to the version that it replaced: name no other one.")
    if command.forward:
        return _roll_forward(command, incident, states, runbook, at)
    if not command.version and any(state.status is RollbackStatus.OFFERED for state in states):
        return _approve(incident, command.cluster, command.by, runbook, at, insist=command.insist)
    if incident.standing(investigation_key(incident, Source.DEPLOYMENTS)) is StepStatus.PENDING:
        raise CommandRejected(
            "The deployment history has not been read yet. Nothing was changed. Try again in a moment."
        )
    if incident.rollback.request is not None:
        raise CommandRejected(
            "The deployment history is being searched for another request. Nothing was changed. Try again in a moment."
        )
    request = RollbackRequest(by=command.by, cluster=command.cluster, insist=command.insist, version=command.version)
    incident = incident.replace(
        rollback=incident.rollback.replace(request=request, searches=incident.rollback.searches + 1)
    )
    to = f" to {command.version}" if command.version else ""
    text = f"Rollback{to} requested by {command.by}: searching the deployment history"
    return incident.logged(at, command.by, Kind.ROLLBACK, text, announce=True)


def _roll_forward(
    command: RequestRollback, incident: Incident, states: list[RollbackState], runbook: RunbookConfig, at: datetime
) -> Incident:
    """Roll forward to the version before the rollback (behaviour 56)."""
    ready = [state for state in states if state.helpless]
    if not ready:
        raise CommandRejected("Nothing to roll forward: no rollback has failed. Nothing was changed.")
    for state in without_own(ready, command.by, incident, runbook):
        incident = approve_forward(incident, state, command.by, runbook, at)
    return incident


def approve_rollback(command: ApproveRollback, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Approve the offered rollback. An expired offer cannot be approved: it may be out of date."""
    _require_allowed(incident, runbook)
    for offer in (s.offer for s in _find_states(incident, command.cluster) if s.status is RollbackStatus.OFFERED):
        if command.version and offer.candidate and offer.candidate.version != command.version:
            raise CommandRejected(
                f"The offer has changed: {offer.cluster} would be rolled back to {offer.candidate.version}, not to"
                f" {command.version}. Nothing was changed."
            )
    return _approve(incident, command.cluster, command.by, runbook, at)


def _require_undecided(states: Sequence[RollbackState]) -> None:
    """Reject a second decision.

    Raises:
        AlreadyDone: a rollback is running; the message names who decided.
    """
    if running := [state for state in states if state.status.under_way]:
        raise AlreadyDone(f"The rollback of {running[0].offer.cluster} was already decided by {running[0].decided_by}.")


def _require_allowed(incident: Incident, runbook: RunbookConfig) -> None:
    if runbook.policy(incident.severity).rollback is RollbackPolicy.NEVER:
        raise CommandRejected(f"Rollback is disabled for {incident.severity} in runbook.yaml. Nothing was changed.")


def _approve(
    incident: Incident, cluster: str, by: str, runbook: RunbookConfig, at: datetime, *, insist: bool = False
) -> Incident:
    states = _find_states(incident, cluster)
    _require_undecided(states)
    ready = [state for state in states if state.status is RollbackStatus.OFFERED]
    if not ready:
        stand = ", ".join(f"{state.offer.cluster} is {state.status}" for state in states)
        raise CommandRejected(f"Nothing to approve ({stand}). To search again: `incident rollback {incident.number}`.")
    for state in without_own(ready, by, incident, runbook):
        incident = approve_offer(incident, state, by, runbook, at, insist=insist)
    return incident


def decline_rollback(command: DeclineRollback, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Decline the offered rollback, or leave a failed one as it is."""
    states = [s for s in _find_states(incident, command.cluster) if s.may(RollbackStatus.DECLINED)]
    if not states:
        raise CommandRejected("No rollback is waiting for a decision. Nothing was changed.")
    for state in states:
        newer = state.moved(RollbackStatus.DECLINED, decided_by=command.by, detail=command.reason)
        incident = incident.with_rollback(newer)
        text = f"Rollback of {state.offer.cluster} declined by {command.by}: {command.reason}"
        incident = incident.logged(at, command.by, Kind.ROLLBACK, text, announce=True)
    return incident


def judge_rollback(command: JudgeRollback, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record a responder's verdict on an inconclusive rollback; it also ends a running verification."""
    states = _find_states(incident, command.cluster)
    open_ones = [s for s in states if s.status in (RollbackStatus.UNDECIDED, RollbackStatus.INCONCLUSIVE)]
    if not open_ones:
        raise CommandRejected(
            "No rollback is waiting for a verdict: the probes decided, or are still running. Nothing was changed."
        )
    word = "healthy" if command.healthy else "unhealthy"
    why = f": {command.reason}" if command.reason else ""
    judgement = ResponderVerdict(healthy=command.healthy, by=command.by, reason=command.reason)
    for state in open_ones:
        text = f"{command.by} judged {state.offer.cluster} {word}{why}"
        incident = incident.logged(at, command.by, Kind.ROLLBACK, text, announce=True)
        incident = record_rollback_verdict(incident, state, judgement, runbook, at)
    return incident


def flag_release(command: FlagRelease, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Flag a release as bad: it is no rollback candidate in this or later incidents."""
    if any(flag.version == command.version for flag in incident.rollback.flags):
        raise AlreadyDone(f"{command.version} is already flagged.")
    flag = Flag(version=command.version, by=command.by, reason=command.reason)
    incident = incident.replace(rollback=incident.rollback.replace(flags=(*incident.rollback.flags, flag)))
    text = f"{command.version} flagged as bad: {command.reason}"
    incident = incident.logged(at, command.by, Kind.ROLLBACK, text, announce=True)
    for state in incident.rollback.clusters:
        candidate = state.offer.candidate
        if candidate and candidate.version == command.version and state.status is RollbackStatus.OFFERED:
            newer = state.moved(
                RollbackStatus.DECLINED, decided_by=command.by, detail="the candidate was flagged as bad"
            )
            incident = incident.with_rollback(newer)
    return incident


def _find_states(incident: Incident, cluster: str) -> tuple[RollbackState, ...]:
    states = tuple(state for state in incident.rollback.clusters if cluster in ("", state.offer.cluster))
    if states:
        return states
    where = f" for {cluster}" if cluster else ""
    pending = incident.standing(investigation_key(incident, Source.DEPLOYMENTS)) is StepStatus.PENDING
    why = "the deployment history has not been read yet" if pending else "see `incident timeline` for the reason"
    raise CommandRejected(f"No rollback offered{where}: {why}.")

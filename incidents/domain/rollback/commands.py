"""What responders may say of a rollback: ask for it, approve, decline, judge it, and flag a release as bad."""

from collections.abc import Sequence
from datetime import datetime

from incidents.domain.config.model import RollbackPolicy, RunbookConfig
from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.commands import (
    ApproveRollback,
    DeclineRollback,
    FlagRelease,
    JudgeRollback,
    RequestRollback,
)
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Flag, RollbackRequest
from incidents.domain.rollback.events import record_rollback_verdict
from incidents.domain.rollback.state import Judgement, RollbackState, RollbackStatus


def request_rollback(command: RequestRollback, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Approve what is offered, or look again and roll back what is then found. The request is the approval."""
    _allowed(incident, runbook)
    clusters = dict.fromkeys(region.cluster for region in runbook.regions_of(incident.service))
    if command.cluster and command.cluster not in clusters:
        known = ", ".join(clusters) or "none"
        raise CommandRejected(f"{incident.service} runs on no cluster {command.cluster} (it runs on: {known}).")
    states = [s for s in incident.rollbacks if command.cluster in ("", s.offer.cluster)]
    _not_decided_yet(states)
    if command.forward:
        return _forward(command, incident, states, at)
    if any(state.status is RollbackStatus.OFFERED for state in states):
        return _approved(incident, command.cluster, command.by, at, insist=command.insist)
    if incident.standing("investigate/deployments") is StepStatus.PENDING:
        raise CommandRejected("The deployments have not been read yet: try again in a moment, or see `incident show`.")
    request = RollbackRequest(by=command.by, cluster=command.cluster, insist=command.insist)
    incident = incident.replace(rollback_request=request, looks=incident.looks + 1)
    text = f"{command.by} asks for a rollback: the deployments are looked at again"
    return incident.logged(at, command.by, Kind.ROLLBACK, text, announce=True)


def _forward(command: RequestRollback, incident: Incident, states: list[RollbackState], at: datetime) -> Incident:
    """Go back to what was there before the rollback (BEHAVIOURS 56)."""
    ready = [state for state in states if state.helpless]
    if not ready:
        raise CommandRejected("There is nothing to roll forward: no rollback ended without helping.")
    for state in ready:
        newer = state.next_attempt(
            state.offer.reversed().replace(mark=""), RollbackStatus.APPROVED, at, decided_by=command.by, insist=True
        )
        incident = incident.with_rollback(newer)
        target = newer.offer.candidate.version if newer.offer.candidate else ""
        text = f"{state.offer.cluster} goes forward again to {target}, for {command.by}"
        incident = incident.logged(at, command.by, Kind.ROLLBACK, text, announce=True)
    return incident


def approve_rollback(command: ApproveRollback, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Approve what is offered. An offer that lapsed is not approved: what it says may be out of date."""
    _allowed(incident, runbook)
    return _approved(incident, command.cluster, command.by, at)


def _not_decided_yet(states: Sequence[RollbackState]) -> None:
    """Tell a second asker who was the first."""
    if running := [state for state in states if state.status.under_way]:
        raise AlreadyDone(f"The rollback of {running[0].offer.cluster} was decided by {running[0].decided_by}.")


def _allowed(incident: Incident, runbook: RunbookConfig) -> None:
    if runbook.policy(incident.severity).rollback is RollbackPolicy.NEVER:
        raise CommandRejected(f"The runbook never rolls back a {incident.severity}.")


def _approved(incident: Incident, cluster: str, by: str, at: datetime, *, insist: bool = False) -> Incident:
    states = _states(incident, cluster)
    _not_decided_yet(states)
    ready = [state for state in states if state.status is RollbackStatus.OFFERED]
    if not ready:
        stand = ", ".join(f"{state.offer.cluster} is {state.status}" for state in states)
        raise CommandRejected(
            f"Nothing is waiting for approval: {stand}. `incident rollback {incident.number}` looks again."
        )
    for state in ready:
        incident = incident.with_rollback(state.moved(RollbackStatus.APPROVED, decided_by=by, insist=insist))
        text = f"Rollback of {state.offer.cluster} approved by {by}"
        incident = incident.logged(at, by, Kind.ROLLBACK, text, announce=True)
    return incident


def decline_rollback(command: DeclineRollback, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Decline what is offered, or leave things as they are after a rollback that did not help."""
    states = [s for s in _states(incident, command.cluster) if s.may(RollbackStatus.DECLINED)]
    if not states:
        raise CommandRejected("No rollback is waiting for a decision.")
    for state in states:
        newer = state.moved(RollbackStatus.DECLINED, decided_by=command.by, detail=command.reason)
        incident = incident.with_rollback(newer)
        text = f"Rollback of {state.offer.cluster} declined: {command.reason}"
        incident = incident.logged(at, command.by, Kind.ROLLBACK, text, announce=True)
    return incident


def judge_rollback(command: JudgeRollback, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Say what the probes could not tell. A rollback that still probes is told, and ends with this word."""
    states = _states(incident, command.cluster)
    open_ones = [s for s in states if s.status in (RollbackStatus.UNDECIDED, RollbackStatus.INCONCLUSIVE)]
    if not open_ones:
        raise CommandRejected("No rollback waits for a person's verdict: the probes could tell, or are not done yet.")
    word = "healthy" if command.healthy else "unhealthy"
    why = f": {command.reason}" if command.reason else ""
    judgement = Judgement(healthy=command.healthy, by=command.by, reason=command.reason)
    for state in open_ones:
        text = f"{state.offer.cluster} is judged {word} by {command.by}{why}"
        incident = incident.logged(at, command.by, Kind.ROLLBACK, text, announce=True)
        incident = record_rollback_verdict(incident, state, judgement, runbook, at)
    return incident


def flag_release(command: FlagRelease, incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Flag a release as bad: it is no candidate any more, in this incident and in later ones."""
    if any(flag.version == command.version for flag in incident.flags):
        raise AlreadyDone(f"{command.version} is flagged already.")
    flag = Flag(version=command.version, by=command.by, reason=command.reason)
    incident = incident.replace(flags=(*incident.flags, flag))
    text = f"{command.version} is flagged as bad: {command.reason}"
    incident = incident.logged(at, command.by, Kind.ROLLBACK, text, announce=True)
    for state in incident.rollbacks:
        candidate = state.offer.candidate
        if candidate and candidate.version == command.version and state.status is RollbackStatus.OFFERED:
            newer = state.moved(RollbackStatus.DECLINED, decided_by=command.by, detail="the candidate is flagged")
            incident = incident.with_rollback(newer)
    return incident


def _states(incident: Incident, cluster: str) -> tuple[RollbackState, ...]:
    states = tuple(state for state in incident.rollbacks if cluster in ("", state.offer.cluster))
    if states:
        return states
    where = f" for {cluster}" if cluster else ""
    pending = incident.standing("investigate/deployments") is StepStatus.PENDING
    why = "the deployments have not been read yet" if pending else "see the timeline for the reason"
    raise CommandRejected(f"No rollback is offered{where}: {why}.")

"""Approve a rollback: by one person, or by two where the runbook asks for a second person (behavior 110)."""

from collections.abc import Sequence
from datetime import datetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.rollback.config import RollbackPolicy
from incidents.domain.rollback.state import RollbackRequest, RollbackState, RollbackStatus


def needs_two(incident: Incident, runbook: RunbookConfig) -> bool:
    """Tell whether two people have to approve a rollback at the severity that the incident has now."""
    return runbook.policy(incident.severity).rollback is RollbackPolicy.TWO_PEOPLE


def without_own(
    states: Sequence[RollbackState], by: str, incident: Incident, runbook: RunbookConfig
) -> list[RollbackState]:
    """Return those that this person can still approve: nobody is the second person to their own approval.

    Raises:
        CommandRejected: there are none.
    """
    own = [state for state in states if needs_two(incident, runbook) and _same(state.approved_by, by)]
    if states and len(own) == len(states):
        clusters = ", ".join(state.offer.cluster for state in own)
        raise CommandRejected(
            f"You have approved the rollback of {clusters} already. A second person has to approve it, too."
            " Nothing was changed."
        )
    return [state for state in states if state not in own]


def approve_offer(
    incident: Incident, state: RollbackState, by: str, runbook: RunbookConfig, at: datetime, *, insist: bool
) -> Incident:
    """Approve an offered rollback, or record the first of two approvals.

    `insist`: as of `RequestRollback`; that of the first person counts for both.
    """
    cluster, insist = state.offer.cluster, insist or state.insist
    if needs_two(incident, runbook) and not state.approved_by:
        text = f"Rollback of {cluster} approved by {by}. {_ask_second(incident)}"
        return _first(incident, state.replace(insist=insist), by, text, at)
    decided_by = _named(state, by)
    newer = state.moved(RollbackStatus.APPROVED, approved_by="", decided_by=decided_by, decided_at=at, insist=insist)
    text = f"Rollback of {cluster} approved by {decided_by}"
    return incident.with_rollback(newer).logged(at, by, Kind.ROLLBACK, text, announce=True)


def approve_forward(
    incident: Incident, state: RollbackState, by: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Roll forward to the version before a rollback that did not help, or record the first of two approvals."""
    cluster, offer = state.offer.cluster, state.offer.reversed().replace(mark="")
    target = offer.candidate.version if offer.candidate else ""
    if needs_two(incident, runbook) and not state.approved_by:
        command = f"`incident rollback {incident.number} --cluster {cluster} --forward`"
        text = f"Rolling {cluster} forward to {target} approved by {by}. A second person has to: {command}"
        return _first(incident, state, by, text, at)
    decided_by = _named(state, by)
    newer = state.next_attempt(offer, RollbackStatus.APPROVED, at, decided_by=decided_by, decided_at=at, insist=True)
    text = f"Rolling {cluster} forward to {target} (requested by {decided_by})"
    return incident.with_rollback(newer).logged(at, by, Kind.ROLLBACK, text, announce=True)


def first_of_two(incident: Incident, request: RollbackRequest | None, runbook: RunbookConfig) -> str:
    """Return whose request for a rollback is the first of two approvals; "" if there is none."""
    return request.by if request is not None and request.by != SYSTEM and needs_two(incident, runbook) else ""


def who_approves(incident: Incident, first: str, runbook: RunbookConfig) -> str:
    """Return what an offer says of its approval, after a blank: nothing if one person decides. `first`: who has."""
    if not needs_two(incident, runbook):
        return ""
    return f" Requested by {first}. {_ask_second(incident)}" if first else " Two people have to approve it."


def _ask_second(incident: Incident) -> str:
    return f"A second person has to approve it: `incident approve {incident.number}`"


def _first(incident: Incident, state: RollbackState, by: str, text: str, at: datetime) -> Incident:
    incident = incident.with_rollback(state.replace(approved_by=by))
    return incident.logged(at, by, Kind.ROLLBACK, text, announce=True, decision=state.offer.cluster)


def _named(state: RollbackState, by: str) -> str:
    """Return who decided: both people if there were two."""
    both = state.approved_by and not _same(state.approved_by, by)
    return f"{state.approved_by} and {by}" if both else by


def _same(first: str, second: str) -> bool:
    return first.strip().removeprefix("@").casefold() == second.strip().removeprefix("@").casefold()

"""Buttons that are out of date: what they were shown for is no longer so (behaviour 46)."""

from incidents.domain.chat.buttons import Action, Target, decision_buttons
from incidents.domain.incident.incident import Incident
from incidents.domain.rollback.state import RollbackState

DECISIONS = frozenset(
    {
        Action.APPROVE,
        Action.HEALTHY,
        Action.UNHEALTHY,
        Action.NEXT_VERSION,
        Action.ROLL_FORWARD,
        Action.DECLINE,
        Action.ANOTHER,
    }
)
"""Buttons of a decision about a rollback."""
CHECKED = DECISIONS | {Action.TAKE_COMMAND, Action.SNOOZE}
"""Buttons whose command would be accepted although it was meant for something else."""


def why_stale(incident: Incident, action: Action, target: Target) -> str:
    """Return why a button is out of date, with the state of now; "" if it is not."""
    now = ""
    if action in DECISIONS:
        now = _other_decision(incident, action, target)
    elif action is Action.TAKE_COMMAND and incident.roles.commander != target.holder:
        now = f"the incident commander is {incident.roles.commander or 'unassigned'}"
    elif action is Action.SNOOZE and incident.updates.count + 1 != target.sequence:
        now = f"status update {target.sequence} has been published"
    return f"The incident has changed: {now}. Nothing was changed." if now else ""


def _other_decision(incident: Incident, action: Action, target: Target) -> str:
    """Return how the rollback stands, unless the button would be shown now, with the same candidate."""
    state = incident.rollback.of(target.cluster)
    if state is None:
        return f"no rollback of {target.cluster} is offered"
    candidate = state.offer.candidate.version if state.offer.candidate else ""
    shown = any(button.action == action for button in decision_buttons(incident, state))
    if shown and candidate == target.version:
        return ""
    return rollback_standing(state)


def rollback_standing(state: RollbackState) -> str:
    """Return how a rollback stands, and who decided on it."""
    candidate = state.offer.candidate.version if state.offer.candidate else "no version"
    by = f" (decided by {state.decided_by})" if state.decided_by else ""
    return f"the rollback of {state.offer.cluster} to {candidate} is {state.status}{by}"

"""The buttons of a message: which ones, by the state of the incident."""

from enum import StrEnum

from pydantic import Field

from incidents.domain.chat.card import Button
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.incident.incident import Incident
from incidents.domain.rollback.config import RollbackPolicy
from incidents.domain.rollback.state import RollbackState, RollbackStatus


class Action(StrEnum):
    """What a button does. Those with a form ask for more first."""

    ACKNOWLEDGE = "acknowledge"
    TAKE_COMMAND = "take_command"
    ESCALATE = "escalate"
    APPROVE = "approve_rollback"
    HEALTHY = "judge_healthy"
    UNHEALTHY = "judge_unhealthy"
    NEXT_VERSION = "next_version"
    ROLL_FORWARD = "roll_forward"
    SNOOZE = "snooze_update"
    UPDATE = "update_form"
    SEVERITY = "severity_form"
    ROLLBACK = "rollback_form"
    RESOLVE = "resolve_form"
    REOPEN = "reopen_form"
    DECLINE = "decline_form"
    ANOTHER = "another_form"


FORMS = frozenset(action for action in Action if action.endswith("_form"))
"""Actions that show a form."""
SNOOZE_MINUTES = 10


class Target(Frozen):
    """What a button is about, as it was when the button was shown.

    `incident`: its workflow id. `revision`: the incident's. `cluster`, `version`: the rollback and its candidate.
    `holder`: the commander. `sequence`: the status update that is due.
    """

    incident: str = Field(pattern=r"^[\x21-\x7e]{1,300}$")
    revision: int = Field(default=0, ge=0, le=2**53)
    cluster: str = Field(default="", max_length=300)
    version: str = Field(default="", max_length=300)
    holder: str = Field(default="", max_length=100)
    sequence: int = Field(default=0, ge=0, le=2**53)


def target_of(incident: Incident, state: RollbackState | None = None) -> Target:
    """Return what the buttons of an incident, or of one of its rollbacks, are about."""
    candidate = state.offer.candidate if state else None
    return Target(
        incident=incident.workflow_id,
        revision=incident.revision,
        cluster=state.offer.cluster if state else "",
        version=candidate.version if candidate else "",
        holder=incident.roles.commander,
        sequence=incident.updates.count + 1,
    )


def summary_buttons(incident: Incident, runbook: RunbookConfig) -> tuple[Button, ...]:
    """Return the buttons of the summary: what is done most in a hurry, as far as it can be done now."""
    make = _Maker(target_of(incident))
    if incident.over:
        closed = incident.closed or incident.merging.into is not None
        return () if closed else (make(Action.REOPEN, "Reopen…"),)
    first = () if incident.paging.attended else (make(Action.ACKNOWLEDGE, "Acknowledge", primary=True),)
    resolve = make(Action.RESOLVE, "Resolve…", primary=incident.paging.attended)
    return (
        *first,
        *_command_button(incident, make),
        make(Action.UPDATE, "Update…"),
        make(Action.SEVERITY, "Severity…"),
        *_rollback_button(incident, runbook, make),
        make(Action.ESCALATE, "Escalate", danger=True, confirm="Call the next person of the escalation ladder now?"),
        resolve,
    )


def _command_button(incident: Incident, make: "_Maker") -> tuple[Button, ...]:
    """Who acknowledges first takes command as well, so there is no button for it before that."""
    if not incident.paging.attended:
        return ()
    holder = incident.roles.commander
    confirm = f"{holder} is incident commander. Take over?" if holder else ""
    return (make(Action.TAKE_COMMAND, "Take command", confirm=confirm),)


def _rollback_button(incident: Incident, runbook: RunbookConfig, make: "_Maker") -> tuple[Button, ...]:
    allowed = runbook.policy(incident.severity).rollback is not RollbackPolicy.NEVER
    possible = bool(runbook.regions_of(incident.service)) and not any(s.status.under_way for s in _states(incident))
    return (make(Action.ROLLBACK, "Roll back…"),) if allowed and possible else ()


def _states(incident: Incident) -> tuple[RollbackState, ...]:
    return incident.rollback.clusters


def decision_buttons(incident: Incident, state: RollbackState) -> tuple[Button, ...]:
    """Return the buttons by which a rollback is decided; none if it waits for no decision."""
    make, cluster = _Maker(target_of(incident, state)), state.offer.cluster
    verdict = (
        make(Action.HEALTHY, "Healthy", primary=True, confirm=f"Is service healthy in {cluster}?"),
        make(Action.UNHEALTHY, "Unhealthy", danger=True, confirm=f"Is service not healthy in {cluster}?"),
    )
    if state.status is RollbackStatus.OFFERED:
        return (
            make(Action.APPROVE, "Approve", primary=True, confirm=_approval(state)),
            make(Action.DECLINE, "Decline…"),
            make(Action.ANOTHER, "Choose another…"),
        )
    if state.status is RollbackStatus.UNDECIDED:
        return verdict
    if not RollbackStatus(state.status).unhelpful:
        return ()
    forward = make(Action.ROLL_FORWARD, "Roll forward", confirm=f"Redeploy the newer version in {cluster}?")
    return (
        make(Action.NEXT_VERSION, "Try the next version", confirm=f"Roll {cluster} back to the next candidate?"),
        *((forward,) if state.ordered else ()),
        *(verdict if state.status is RollbackStatus.INCONCLUSIVE else ()),
        make(Action.DECLINE, "Leave it…"),
    )


def _approval(state: RollbackState) -> str:
    candidate = state.offer.candidate.version if state.offer.candidate else "the candidate"
    return f"Approve the redeployment of {candidate} in {state.offer.cluster}?"


def reminder_buttons(incident: Incident) -> tuple[Button, ...]:
    """Return the buttons of the reminder that an update is due."""
    make = _Maker(target_of(incident))
    return (make(Action.UPDATE, "Write it…", primary=True), make(Action.SNOOZE, f"Hold {SNOOZE_MINUTES} min"))


def command_button(incident: Incident) -> Button:
    """Return the button to take command of an incident that nobody commands."""
    return _Maker(target_of(incident))(Action.TAKE_COMMAND, "Take command", primary=True)


def update_buttons(incident: Incident) -> tuple[Button, ...]:
    """Return the buttons of an update that was published."""
    return () if incident.over else (_Maker(target_of(incident))(Action.UPDATE, "Write the next one…"),)


class _Maker:
    """Makes buttons about one thing."""

    def __init__(self, target: Target) -> None:
        self._value = target.model_dump_json(exclude_defaults=True)

    def __call__(
        self, action: Action, label: str, *, primary: bool = False, danger: bool = False, confirm: str = ""
    ) -> Button:
        return Button(label=label, action=action, value=self._value, primary=primary, danger=danger, confirm=confirm)

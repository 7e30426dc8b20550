"""What responders can tell an incident. Each command is a Temporal update and a signal of the same name."""

from enum import StrEnum
from typing import Any, ClassVar, TypeGuard, get_args

from pydantic import AwareDatetime, Field, field_validator

from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.untrusted import all_printable


class Command(Frozen):
    """Who says it, and an id by which a repeated delivery is known (also after continue-as-new).

    An empty id is never taken for a repetition. Text loses what no screen shows: what is typed in a terminal may hold
    bytes that are no text, and Temporal takes UTF-8 only.
    """

    name: ClassVar[str]
    says: ClassVar[str]
    by: str = Field(min_length=1, max_length=100)
    id: str = Field(default="", max_length=200)

    @field_validator("*", mode="before")
    @classmethod
    def _printable(cls, value: Any) -> Any:
        return all_printable(value)


_REMEMBERED = 200
"""Ids kept to know a repeated delivery by, across continue-as-new."""


def remembered(handled: tuple[str, ...], command: Command) -> tuple[str, ...]:
    """Return the ids of the commands that were handled, with this one's among them if it has one."""
    return (*handled, command.id)[-_REMEMBERED:] if command.id else handled


class Acknowledge(Command):
    """Take the incident. `at`: when the responder did so, if that was earlier than the command's arrival.

    `claimed_at`: what a webhook said instead, where that is out of bounds (`runbook.instants`).
    """

    name = "acknowledge"
    says = "Take the incident: paging stops and you are its commander, if it has none."
    at: AwareDatetime | None = None
    claimed_at: AwareDatetime | None = None


class Assess(Command):
    """State the blast radius (runbook, step 2)."""

    name = "assess"
    says = "State the blast radius: impact in words that customers may read, customers and services affected."
    impact: str = Field(min_length=1, max_length=2000)
    complete_outage: bool = False
    customers: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    title: str | None = Field(default=None, max_length=200)


class DeclareSeverity(Command):
    """Declare, raise or lower the severity (runbook, step 3)."""

    name = "declare_severity"
    says = "Declare, raise or lower the severity: one of the runbook's, such as P0."
    severity: Severity
    reason: str = Field(default="", max_length=2000)


class Publication(StrEnum):
    """When the words of an update go out."""

    NOW = "now"
    NEXT = "next"
    DRAFT = "draft"


class PostUpdate(Command):
    """Words for customers: published at once, kept for the next due update, or a draft that is still being written."""

    name = "post_update"
    says = "Publish a status update now (when=now), with the next due one (next), or keep it as a draft (draft)."
    text: str = Field(min_length=1, max_length=5000)
    when: Publication = Publication.NOW


class HoldUpdate(Command):
    """Hold the next update back, once. The interval afterwards stays as it is (behaviour 38)."""

    name = "hold_update"
    says = "Hold the next status update back, once, for some minutes (within the severity's cap), with a reason."
    minutes: int = Field(ge=1, le=24 * 60)
    reason: str = Field(min_length=1, max_length=2000)


class Escalate(Command):
    """Climb the next rung of the ladder now.

    `revision`: the incident's when the sender looked at it, as a button carries it. If the incident has turned since,
    the command is refused (behaviour 46). 0: whatever it is now.
    """

    name = "escalate"
    says = "Call the next person of the escalation ladder now."
    reason: str = Field(default="", max_length=2000)
    revision: int = Field(default=0, ge=0)


class Role(StrEnum):
    """The roles that an incident has."""

    COMMANDER = "commander"
    COMMUNICATIONS = "communications"
    SCRIBE = "scribe"


class AssignRole(Command):
    """Give a role to somebody, or hand it over. An empty `person` lays it down."""

    name = "assign_role"
    says = "Give a role to somebody or hand it over: commander, communications or scribe."
    role: Role
    person: str = Field(default="", max_length=100)


class MakePrivate(Command):
    """Make it a private incident, such as for security: nothing of it stands in a public place from now on."""

    name = "make_private"
    says = "Make it private: a private channel, no status page, and nothing in the digest but its number."
    reason: str = Field(min_length=1, max_length=2000)


class AddNote(Command):
    """Write a line into the timeline and the channel. Internal."""

    name = "add_note"
    says = "Write a line into the timeline."
    text: str = Field(min_length=1, max_length=5000)


class SettleStep(Command):
    """Retry, skip with a reason, or complete by hand a checklist step or obligation that failed."""

    name = "settle_step"
    says = "Deal with a failed obligation: how=retry, skip (with a reason) or done (by hand)."
    step: str = Field(min_length=1, max_length=200)
    how: str
    reason: str = Field(default="", max_length=2000)

    @field_validator("how")
    @classmethod
    def _known(cls, how: str) -> str:
        if how not in ("retry", "skip", "done"):
            raise ValueError("how is retry, skip or done")
        return how


class RequestRollback(Command):
    """Ask for the rollback of the suspect deployment. The request counts as the approval.

    `forward` goes back to what an unhelpful rollback replaced. `insist` rolls back although the state has changed since
    it was decided: somebody deployed, or the region recovered by itself.
    """

    name = "request_rollback"
    says = "Roll the suspect deployment back to the last known-good one; forward=true undoes a rollback."
    cluster: str = ""
    forward: bool = False
    insist: bool = False


class ApproveRollback(Command):
    """Approve the rollback that the incident offers."""

    name = "approve_rollback"
    says = "Approve the rollback that is offered."
    cluster: str = ""


class DeclineRollback(Command):
    """Decline the rollback that the incident offers."""

    name = "decline_rollback"
    says = "Decline the rollback that is offered, with a reason."
    reason: str = Field(min_length=1, max_length=2000)
    cluster: str = ""


class JudgeRollback(Command):
    """Give the verdict on a rollback that the probes could not judge."""

    name = "judge_rollback"
    says = "Say whether service is healthy after a rollback that the probes could not judge."
    healthy: bool
    reason: str = Field(default="", max_length=2000)
    cluster: str = ""


class FlagRelease(Command):
    """Flag a release as bad, so that nothing is ever rolled back to it."""

    name = "flag_release"
    says = "Flag a release as bad: it is no candidate for a rollback, in this incident or a later one."
    version: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=2000)


class ConfirmRecovery(Command):
    """Record what a customer, or the responder's own check, says about the recovery (runbook, rollback step 4)."""

    name = "confirm_recovery"
    says = "Record whether service is restored, as a customer or you yourself see it."
    restored: bool = True
    customer: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=2000)


class Monitor(Command):
    """Say that the incident is mitigated and is being watched."""

    name = "monitor"
    says = "The incident is mitigated: watch it for the stability window."
    text: str = Field(default="", max_length=5000)


class Resolve(Command):
    """End the incident. `force` with a reason ends one whose alert still fires."""

    name = "resolve"
    says = "Resolve the incident; force with a reason while an alert still fires."
    text: str = Field(default="", max_length=5000)
    force: bool = False
    reason: str = Field(default="", max_length=2000)


class Reopen(Command):
    """Take a resolved incident up again, in its channel and with its number."""

    name = "reopen"
    says = "Reopen a resolved incident."
    reason: str = Field(min_length=1, max_length=2000)


class Cancel(Command):
    """It was no incident: a false positive. No post-mortem; what was published is corrected."""

    name = "cancel"
    says = "It was no incident (false positive): withdraw it, with a reason."
    reason: str = Field(min_length=1, max_length=2000)


class StartPostmortem(Command):
    """Begin the post-mortem before the incident is resolved, or one that is not owed."""

    name = "start_postmortem"
    says = "Begin the post-mortem now; its deadline still counts from the resolution."


class Mark(StrEnum):
    """The times that the figures are made of."""

    STARTED = "started"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


class CorrectTime(Command):
    """Correct a time that was written down wrongly. Both values are kept (behaviour 83)."""

    name = "correct_time"
    says = "Correct when it was started, acknowledged, mitigated or resolved, with a reason."
    which: Mark
    to: AwareDatetime
    reason: str = Field(min_length=1, max_length=2000)


ResponseCommand = (
    Acknowledge
    | Assess
    | DeclareSeverity
    | PostUpdate
    | HoldUpdate
    | Escalate
    | AssignRole
    | MakePrivate
    | AddNote
    | SettleStep
)
RollbackCommand = RequestRollback | ApproveRollback | DeclineRollback | JudgeRollback | FlagRelease
RecoveryCommand = ConfirmRecovery | Monitor | Resolve | Reopen | Cancel | StartPostmortem | CorrectTime
IncidentCommand = ResponseCommand | RollbackCommand | RecoveryCommand
"""Every command of an incident. `apply_command` handles each; mypy rejects one that it forgets."""
COMMANDS: tuple[type[Command], ...] = get_args(IncidentCommand)


def is_incident_command(command: Command) -> TypeGuard[IncidentCommand]:
    """Tell whether an incident takes this command."""
    return isinstance(command, COMMANDS)


class Receipt(Frozen):
    """The answer to a command: what came of it. `changed` is false when another command had done it before."""

    message: str
    changed: bool = True
    revision: int = 0

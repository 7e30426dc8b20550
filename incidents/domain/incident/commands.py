"""What responders can tell an incident. Each command is a Temporal update and a signal of the same name.

Those about rollbacks are in `incidents.domain.rollback.commands`.
"""

from enum import StrEnum

from pydantic import AwareDatetime, Field, field_validator

from incidents.domain.core.command import Command
from incidents.domain.core.severity import Severity
from incidents.domain.core.status import Status
from incidents.domain.customers.config import CustomerName


class Acknowledge(Command):
    """Take the incident. `at`: when the responder did so, if that was earlier than the command's arrival.

    `claimed_at`: what a webhook said instead, where that is out of bounds (`incidents.domain.core.time.instants`).
    """

    name = "acknowledge"
    help_text = "Acknowledge and stop paging. You become incident commander if there is none."
    at: AwareDatetime | None = None
    claimed_at: AwareDatetime | None = None


class Assess(Command):
    """State the blast radius (runbook, step 2)."""

    name = "assess"
    help_text = "Set the blast radius: public impact, affected customers and services."
    impact: str = Field(min_length=1, max_length=2000)
    complete_outage: bool = False
    customers: tuple[CustomerName, ...] = ()
    services: tuple[str, ...] = ()
    title: str | None = Field(default=None, max_length=200)


class DeclareSeverity(Command):
    """Declare, raise or lower the severity (runbook, step 3)."""

    name = "declare_severity"
    help_text = "Declare, raise or lower the severity: one of the runbook's, such as P0."
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
    help_text = "Publish a status update now (when=now), use it for the next one (next), or save a draft (draft)."
    text: str = Field(min_length=1, max_length=5000)
    when: Publication = Publication.NOW


class HoldUpdate(Command):
    """Hold the next update back, once. The interval afterwards stays as it is (behaviour 38)."""

    name = "hold_update"
    help_text = "Hold the next status update once, for some minutes (up to the severity's limit), with a reason."
    minutes: int = Field(ge=1, le=24 * 60)
    reason: str = Field(min_length=1, max_length=2000)


class Escalate(Command):
    """Climb the next rung of the ladder now.

    `revision`: the incident's when the sender looked at it, as a button carries it. If the incident has turned since,
    the command is refused (behaviour 46). 0: whatever it is now.
    """

    name = "escalate"
    help_text = "Escalate to the next rung of the ladder now."
    reason: str = Field(default="", max_length=2000)
    revision: int = Field(default=0, ge=0)


class Role(StrEnum):
    """The roles that an incident has."""

    COMMANDER = "commander"
    COMMUNICATIONS = "communications"
    SCRIBE = "scribe"


class AssignRole(Command):
    """Assign or hand over a role. `person` may be a contact whose schedule says who it is.

    `unassign` leaves the role empty.
    """

    name = "assign_role"
    help_text = "Assign, hand over or unassign a role: commander, communications or scribe."
    role: Role
    person: str = Field(default="", max_length=100)
    unassign: bool = False


class MakePrivate(Command):
    """Make it a private incident, such as for security: nothing of it stands in a public place from now on."""

    name = "make_private"
    help_text = "Make the incident private: private channel, no status page, only the number in the digest."
    reason: str = Field(min_length=1, max_length=2000)


class AddNote(Command):
    """Write a line into the timeline and the channel. Internal."""

    name = "add_note"
    help_text = "Add a note to the timeline."
    text: str = Field(min_length=1, max_length=5000)


HOW_TO_SETTLE = ("retry", "skip", "done")


class SettleStep(Command):
    """Retry, skip with a reason, or complete by hand a checklist step or obligation that failed."""

    name = "settle_step"
    help_text = "Complete a failed obligation: how=retry, skip (with a reason) or done (by hand)."
    step: str = Field(min_length=1, max_length=200)
    how: str = Field(json_schema_extra={"enum": list(HOW_TO_SETTLE)})
    reason: str = Field(default="", max_length=2000)

    @field_validator("how")
    @classmethod
    def _known(cls, how: str) -> str:
        if how not in HOW_TO_SETTLE:
            raise ValueError("how is retry, skip or done")
        return how


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
"""What responders say while they respond."""


class ConfirmRecovery(Command):
    """Record what a customer, or the responder's own check, says about the recovery (runbook, rollback step 4)."""

    name = "confirm_recovery"
    help_text = "Record whether service is restored for a customer, or for you."
    restored: bool = True
    customer: CustomerName = Field(default="", max_length=200)
    note: str = Field(default="", max_length=2000)


class Monitor(Command):
    """Mark the incident as mitigated; its stability window starts."""

    name = "monitor"
    help_text = "The incident is mitigated: watch it for the stability window."
    text: str = Field(default="", max_length=5000)


class Resolve(Command):
    """End the incident. `force` with a reason ends one whose alert still fires.

    `now` with a reason does not wait for a rollback that is running.
    """

    name = "resolve"
    help_text = (
        "Resolve the incident; with a reason: force while an alert still fires, now while a rollback is verified."
    )
    text: str = Field(default="", max_length=5000)
    force: bool = False
    now: bool = False
    reason: str = Field(default="", max_length=2000)


class Reopen(Command):
    """Take a resolved incident up again, in its channel and with its number."""

    name = "reopen"
    help_text = "Reopen a resolved incident."
    reason: str = Field(min_length=1, max_length=2000)


class Cancel(Command):
    """It was no incident: a false positive. No post-mortem; what was published is corrected."""

    name = "cancel"
    help_text = "Cancel the incident as a false alarm, with a reason."
    reason: str = Field(min_length=1, max_length=2000)


class Merge(Command):
    """Merge this incident into another. `into`: the other's number; `workflow_id`: its workflow.

    `target_status`, `target_drill`: of the other incident, as the client found it; None if it did not look.
    """

    name = "merge"
    help_text = "Merge this incident into another: its alerts follow, its timers stop."
    into: int = Field(ge=1)
    workflow_id: str = Field(min_length=1, max_length=1000)
    reason: str = Field(default="", max_length=2000)
    target_status: Status | None = None
    target_drill: bool | None = None


class Unmerge(Command):
    """Undo a merge: this incident is live again."""

    name = "unmerge"
    help_text = "Undo a merge: this incident is reopened and gets its alerts back."
    reason: str = Field(default="", max_length=2000)


class StartPostmortem(Command):
    """Begin the post-mortem before the incident is resolved, or one that is not owed."""

    name = "start_postmortem"
    help_text = "Start the post-mortem now; its deadline still counts from the resolution."


class ReviewDrill(Command):
    """Record the review of a drill, which replaces its post-mortem (behaviour 81)."""

    name = "review_drill"
    help_text = "Record the review of a drill that is over: what went well, what was missing, who changes what."
    text: str = Field(min_length=1, max_length=5000)


class Mark(StrEnum):
    """The times that the figures are made of."""

    STARTED = "started"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


class CorrectTime(Command):
    """Correct a time that was written down wrongly. Both values are kept (behaviour 83)."""

    name = "correct_time"
    help_text = "Correct a recorded time: started, acknowledged, mitigated or resolved; with a reason."
    which: Mark
    to: AwareDatetime
    reason: str = Field(min_length=1, max_length=2000)


RecoveryCommand = (
    ConfirmRecovery
    | Monitor
    | Resolve
    | Reopen
    | Cancel
    | Merge
    | Unmerge
    | StartPostmortem
    | ReviewDrill
    | CorrectTime
)
"""What they say about the recovery and what follows it."""

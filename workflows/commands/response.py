"""Commands that respond to an incident: each is an update with a validator, and a signal of its name."""

from temporalio import workflow
from temporalio.common import RawValue

from incidents.domain.core.command import Receipt
from incidents.domain.incident.commands import (
    Acknowledge,
    AddNote,
    Assess,
    AssignRole,
    DeclareSeverity,
    Escalate,
    HoldUpdate,
    MakePrivate,
    PostUpdate,
    SettleStep,
)
from workflows.commands.handlers import CommandHandlers


class ResponseCommands(CommandHandlers):
    """The handlers of every `ResponseCommand`; of `IncidentWorkflow`."""

    @workflow.update(name=Acknowledge.name, description=Acknowledge.help_text)
    def acknowledge(self, command: Acknowledge) -> Receipt:
        """Acknowledge the incident: paging stops."""
        return self._apply_update(command)

    @acknowledge.validator
    def _validate_acknowledge(self, command: Acknowledge) -> None:
        self._validate_update(command)

    @workflow.signal(name=Acknowledge.name, description=Acknowledge.help_text)
    def acknowledge_signal(self, raw: RawValue) -> None:
        """Take `acknowledge` as a signal: an `Acknowledge`."""
        self._apply_signal(Acknowledge, raw)

    @workflow.update(name=Assess.name, description=Assess.help_text)
    def assess(self, command: Assess) -> Receipt:
        """Record the customer impact (blast radius)."""
        return self._apply_update(command)

    @assess.validator
    def _validate_assess(self, command: Assess) -> None:
        self._validate_update(command)

    @workflow.signal(name=Assess.name, description=Assess.help_text)
    def assess_signal(self, raw: RawValue) -> None:
        """Take `assess` as a signal: an `Assess`."""
        self._apply_signal(Assess, raw)

    @workflow.update(name=DeclareSeverity.name, description=DeclareSeverity.help_text)
    def declare_severity(self, command: DeclareSeverity) -> Receipt:
        """Declare, raise or lower the severity."""
        return self._apply_update(command)

    @declare_severity.validator
    def _validate_declare_severity(self, command: DeclareSeverity) -> None:
        self._validate_update(command)

    @workflow.signal(name=DeclareSeverity.name, description=DeclareSeverity.help_text)
    def declare_severity_signal(self, raw: RawValue) -> None:
        """Take `declare_severity` as a signal: a `DeclareSeverity`."""
        self._apply_signal(DeclareSeverity, raw)

    @workflow.update(name=PostUpdate.name, description=PostUpdate.help_text)
    def post_update(self, command: PostUpdate) -> Receipt:
        """Publish a status update, or keep its words."""
        return self._apply_update(command)

    @post_update.validator
    def _validate_post_update(self, command: PostUpdate) -> None:
        self._validate_update(command)

    @workflow.signal(name=PostUpdate.name, description=PostUpdate.help_text)
    def post_update_signal(self, raw: RawValue) -> None:
        """Take `post_update` as a signal: a `PostUpdate`."""
        self._apply_signal(PostUpdate, raw)

    @workflow.update(name=HoldUpdate.name, description=HoldUpdate.help_text)
    def hold_update(self, command: HoldUpdate) -> Receipt:
        """Hold the next status update, once."""
        return self._apply_update(command)

    @hold_update.validator
    def _validate_hold_update(self, command: HoldUpdate) -> None:
        self._validate_update(command)

    @workflow.signal(name=HoldUpdate.name, description=HoldUpdate.help_text)
    def hold_update_signal(self, raw: RawValue) -> None:
        """Take `hold_update` as a signal: a `HoldUpdate`."""
        self._apply_signal(HoldUpdate, raw)

    @workflow.update(name=Escalate.name, description=Escalate.help_text)
    def escalate(self, command: Escalate) -> Receipt:
        """Call the next rung of the ladder now."""
        return self._apply_update(command)

    @escalate.validator
    def _validate_escalate(self, command: Escalate) -> None:
        self._validate_update(command)

    @workflow.signal(name=Escalate.name, description=Escalate.help_text)
    def escalate_signal(self, raw: RawValue) -> None:
        """Take `escalate` as a signal: an `Escalate`."""
        self._apply_signal(Escalate, raw)

    @workflow.update(name=AssignRole.name, description=AssignRole.help_text)
    def assign_role(self, command: AssignRole) -> Receipt:
        """Assign a role, hand it over, or leave it."""
        return self._apply_update(command)

    @assign_role.validator
    def _validate_assign_role(self, command: AssignRole) -> None:
        self._validate_update(command)

    @workflow.signal(name=AssignRole.name, description=AssignRole.help_text)
    def assign_role_signal(self, raw: RawValue) -> None:
        """Take `assign_role` as a signal: an `AssignRole`."""
        self._apply_signal(AssignRole, raw)

    @workflow.update(name=MakePrivate.name, description=MakePrivate.help_text)
    def make_private(self, command: MakePrivate) -> Receipt:
        """Make the incident private."""
        return self._apply_update(command)

    @make_private.validator
    def _validate_make_private(self, command: MakePrivate) -> None:
        self._validate_update(command)

    @workflow.signal(name=MakePrivate.name, description=MakePrivate.help_text)
    def make_private_signal(self, raw: RawValue) -> None:
        """Take `make_private` as a signal: a `MakePrivate`."""
        self._apply_signal(MakePrivate, raw)

    @workflow.update(name=AddNote.name, description=AddNote.help_text)
    def add_note(self, command: AddNote) -> Receipt:
        """Add a line to the timeline."""
        return self._apply_update(command)

    @add_note.validator
    def _validate_add_note(self, command: AddNote) -> None:
        self._validate_update(command)

    @workflow.signal(name=AddNote.name, description=AddNote.help_text)
    def add_note_signal(self, raw: RawValue) -> None:
        """Take `add_note` as a signal: an `AddNote`."""
        self._apply_signal(AddNote, raw)

    @workflow.update(name=SettleStep.name, description=SettleStep.help_text)
    def settle_step(self, command: SettleStep) -> Receipt:
        """Retry, skip or complete a failed obligation."""
        return self._apply_update(command)

    @settle_step.validator
    def _validate_settle_step(self, command: SettleStep) -> None:
        self._validate_update(command)

    @workflow.signal(name=SettleStep.name, description=SettleStep.help_text)
    def settle_step_signal(self, raw: RawValue) -> None:
        """Take `settle_step` as a signal: a `SettleStep`."""
        self._apply_signal(SettleStep, raw)

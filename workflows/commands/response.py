"""The commands of an incident as Temporal messages: each is an update with a validator, and a signal of its name."""

from temporalio import workflow
from temporalio.common import RawValue

from incidents.domain.incident.commands import (
    Acknowledge,
    AddNote,
    Assess,
    AssignRole,
    Cancel,
    CorrectTime,
    DeclareSeverity,
    Escalate,
    HoldUpdate,
    MakePrivate,
    Monitor,
    PostUpdate,
    Receipt,
    Reopen,
    Resolve,
    SettleStep,
    StartPostmortem,
)
from workflows.commands.handlers import CommandHandlers


class IncidentCommands(CommandHandlers):
    """The handlers of every command of `IncidentWorkflow` but those of `RollbackCommands`."""

    @workflow.update(name=Acknowledge.name, description=Acknowledge.says)
    def acknowledge(self, command: Acknowledge) -> Receipt:
        """Acknowledge the incident: paging stops."""
        return self._apply_update(command)

    @acknowledge.validator
    def _validate_acknowledge(self, command: Acknowledge) -> None:
        self._validate_update(command)

    @workflow.signal(name=Acknowledge.name, description=Acknowledge.says)
    def acknowledge_signal(self, raw: RawValue) -> None:
        """Take `acknowledge` as a signal: an `Acknowledge`."""
        self._apply_signal(Acknowledge, raw)

    @workflow.update(name=Assess.name, description=Assess.says)
    def assess(self, command: Assess) -> Receipt:
        """Record the customer impact (blast radius)."""
        return self._apply_update(command)

    @assess.validator
    def _validate_assess(self, command: Assess) -> None:
        self._validate_update(command)

    @workflow.signal(name=Assess.name, description=Assess.says)
    def assess_signal(self, raw: RawValue) -> None:
        """Take `assess` as a signal: an `Assess`."""
        self._apply_signal(Assess, raw)

    @workflow.update(name=DeclareSeverity.name, description=DeclareSeverity.says)
    def declare_severity(self, command: DeclareSeverity) -> Receipt:
        """Declare, raise or lower the severity."""
        return self._apply_update(command)

    @declare_severity.validator
    def _validate_declare_severity(self, command: DeclareSeverity) -> None:
        self._validate_update(command)

    @workflow.signal(name=DeclareSeverity.name, description=DeclareSeverity.says)
    def declare_severity_signal(self, raw: RawValue) -> None:
        """Take `declare_severity` as a signal: a `DeclareSeverity`."""
        self._apply_signal(DeclareSeverity, raw)

    @workflow.update(name=PostUpdate.name, description=PostUpdate.says)
    def post_update(self, command: PostUpdate) -> Receipt:
        """Publish a status update, or keep its words."""
        return self._apply_update(command)

    @post_update.validator
    def _validate_post_update(self, command: PostUpdate) -> None:
        self._validate_update(command)

    @workflow.signal(name=PostUpdate.name, description=PostUpdate.says)
    def post_update_signal(self, raw: RawValue) -> None:
        """Take `post_update` as a signal: a `PostUpdate`."""
        self._apply_signal(PostUpdate, raw)

    @workflow.update(name=HoldUpdate.name, description=HoldUpdate.says)
    def hold_update(self, command: HoldUpdate) -> Receipt:
        """Hold the next status update, once."""
        return self._apply_update(command)

    @hold_update.validator
    def _validate_hold_update(self, command: HoldUpdate) -> None:
        self._validate_update(command)

    @workflow.signal(name=HoldUpdate.name, description=HoldUpdate.says)
    def hold_update_signal(self, raw: RawValue) -> None:
        """Take `hold_update` as a signal: a `HoldUpdate`."""
        self._apply_signal(HoldUpdate, raw)

    @workflow.update(name=Escalate.name, description=Escalate.says)
    def escalate(self, command: Escalate) -> Receipt:
        """Call the next rung of the ladder now."""
        return self._apply_update(command)

    @escalate.validator
    def _validate_escalate(self, command: Escalate) -> None:
        self._validate_update(command)

    @workflow.signal(name=Escalate.name, description=Escalate.says)
    def escalate_signal(self, raw: RawValue) -> None:
        """Take `escalate` as a signal: an `Escalate`."""
        self._apply_signal(Escalate, raw)

    @workflow.update(name=AssignRole.name, description=AssignRole.says)
    def assign_role(self, command: AssignRole) -> Receipt:
        """Assign a role, hand it over, or leave it."""
        return self._apply_update(command)

    @assign_role.validator
    def _validate_assign_role(self, command: AssignRole) -> None:
        self._validate_update(command)

    @workflow.signal(name=AssignRole.name, description=AssignRole.says)
    def assign_role_signal(self, raw: RawValue) -> None:
        """Take `assign_role` as a signal: an `AssignRole`."""
        self._apply_signal(AssignRole, raw)

    @workflow.update(name=MakePrivate.name, description=MakePrivate.says)
    def make_private(self, command: MakePrivate) -> Receipt:
        """Make the incident private."""
        return self._apply_update(command)

    @make_private.validator
    def _validate_make_private(self, command: MakePrivate) -> None:
        self._validate_update(command)

    @workflow.signal(name=MakePrivate.name, description=MakePrivate.says)
    def make_private_signal(self, raw: RawValue) -> None:
        """Take `make_private` as a signal: a `MakePrivate`."""
        self._apply_signal(MakePrivate, raw)

    @workflow.update(name=AddNote.name, description=AddNote.says)
    def add_note(self, command: AddNote) -> Receipt:
        """Add a line to the timeline."""
        return self._apply_update(command)

    @add_note.validator
    def _validate_add_note(self, command: AddNote) -> None:
        self._validate_update(command)

    @workflow.signal(name=AddNote.name, description=AddNote.says)
    def add_note_signal(self, raw: RawValue) -> None:
        """Take `add_note` as a signal: an `AddNote`."""
        self._apply_signal(AddNote, raw)

    @workflow.update(name=SettleStep.name, description=SettleStep.says)
    def settle_step(self, command: SettleStep) -> Receipt:
        """Retry, skip or complete a failed obligation."""
        return self._apply_update(command)

    @settle_step.validator
    def _validate_settle_step(self, command: SettleStep) -> None:
        self._validate_update(command)

    @workflow.signal(name=SettleStep.name, description=SettleStep.says)
    def settle_step_signal(self, raw: RawValue) -> None:
        """Take `settle_step` as a signal: a `SettleStep`."""
        self._apply_signal(SettleStep, raw)

    @workflow.update(name=Monitor.name, description=Monitor.says)
    def monitor(self, command: Monitor) -> Receipt:
        """Watch the mitigated incident for the stability window."""
        return self._apply_update(command)

    @monitor.validator
    def _validate_monitor(self, command: Monitor) -> None:
        self._validate_update(command)

    @workflow.signal(name=Monitor.name, description=Monitor.says)
    def monitor_signal(self, raw: RawValue) -> None:
        """Take `monitor` as a signal: a `Monitor`."""
        self._apply_signal(Monitor, raw)

    @workflow.update(name=Resolve.name, description=Resolve.says)
    def resolve(self, command: Resolve) -> Receipt:
        """Resolve the incident."""
        return self._apply_update(command)

    @resolve.validator
    def _validate_resolve(self, command: Resolve) -> None:
        self._validate_update(command)

    @workflow.signal(name=Resolve.name, description=Resolve.says)
    def resolve_signal(self, raw: RawValue) -> None:
        """Take `resolve` as a signal: a `Resolve`."""
        self._apply_signal(Resolve, raw)

    @workflow.update(name=Reopen.name, description=Reopen.says)
    def reopen(self, command: Reopen) -> Receipt:
        """Reopen a resolved incident."""
        return self._apply_update(command)

    @reopen.validator
    def _validate_reopen(self, command: Reopen) -> None:
        self._validate_update(command)

    @workflow.signal(name=Reopen.name, description=Reopen.says)
    def reopen_signal(self, raw: RawValue) -> None:
        """Take `reopen` as a signal: a `Reopen`."""
        self._apply_signal(Reopen, raw)

    @workflow.update(name=Cancel.name, description=Cancel.says)
    def cancel(self, command: Cancel) -> Receipt:
        """Cancel the incident as a false alarm."""
        return self._apply_update(command)

    @cancel.validator
    def _validate_cancel(self, command: Cancel) -> None:
        self._validate_update(command)

    @workflow.signal(name=Cancel.name, description=Cancel.says)
    def cancel_signal(self, raw: RawValue) -> None:
        """Take `cancel` as a signal: a `Cancel`."""
        self._apply_signal(Cancel, raw)

    @workflow.update(name=StartPostmortem.name, description=StartPostmortem.says)
    def start_postmortem(self, command: StartPostmortem) -> Receipt:
        """Start the post-mortem now."""
        return self._apply_update(command)

    @start_postmortem.validator
    def _validate_start_postmortem(self, command: StartPostmortem) -> None:
        self._validate_update(command)

    @workflow.signal(name=StartPostmortem.name, description=StartPostmortem.says)
    def start_postmortem_signal(self, raw: RawValue) -> None:
        """Take `start_postmortem` as a signal: a `StartPostmortem`."""
        self._apply_signal(StartPostmortem, raw)

    @workflow.update(name=CorrectTime.name, description=CorrectTime.says)
    def correct_time(self, command: CorrectTime) -> Receipt:
        """Correct a recorded time."""
        return self._apply_update(command)

    @correct_time.validator
    def _validate_correct_time(self, command: CorrectTime) -> None:
        self._validate_update(command)

    @workflow.signal(name=CorrectTime.name, description=CorrectTime.says)
    def correct_time_signal(self, raw: RawValue) -> None:
        """Take `correct_time` as a signal: a `CorrectTime`."""
        self._apply_signal(CorrectTime, raw)

"""Commands that end an incident or follow its end: each is an update with a validator, and a signal of its name."""

from temporalio import workflow
from temporalio.common import RawValue

from incidents.domain.core.command import Receipt
from incidents.domain.incident.commands import (
    Cancel,
    ConfirmRecovery,
    CorrectTime,
    Merge,
    Monitor,
    Reopen,
    Resolve,
    ReviewDrill,
    StartPostmortem,
    Unmerge,
)
from workflows.commands.handlers import CommandHandlers


class RecoveryCommands(CommandHandlers):
    """The handlers of every `RecoveryCommand`; of `IncidentWorkflow`."""

    @workflow.update(name=ConfirmRecovery.name, description=ConfirmRecovery.help_text)
    def confirm_recovery(self, command: ConfirmRecovery) -> Receipt:
        """Record whether service is restored."""
        return self._apply_update(command)

    @confirm_recovery.validator
    def _validate_confirm_recovery(self, command: ConfirmRecovery) -> None:
        self._validate_update(command)

    @workflow.signal(name=ConfirmRecovery.name, description=ConfirmRecovery.help_text)
    def confirm_recovery_signal(self, raw: RawValue) -> None:
        """Take `confirm_recovery` as a signal: a `ConfirmRecovery`."""
        self._apply_signal(ConfirmRecovery, raw)

    @workflow.update(name=Monitor.name, description=Monitor.help_text)
    def monitor(self, command: Monitor) -> Receipt:
        """Watch the mitigated incident for the stability window."""
        return self._apply_update(command)

    @monitor.validator
    def _validate_monitor(self, command: Monitor) -> None:
        self._validate_update(command)

    @workflow.signal(name=Monitor.name, description=Monitor.help_text)
    def monitor_signal(self, raw: RawValue) -> None:
        """Take `monitor` as a signal: a `Monitor`."""
        self._apply_signal(Monitor, raw)

    @workflow.update(name=Resolve.name, description=Resolve.help_text)
    def resolve(self, command: Resolve) -> Receipt:
        """Resolve the incident."""
        return self._apply_update(command)

    @resolve.validator
    def _validate_resolve(self, command: Resolve) -> None:
        self._validate_update(command)

    @workflow.signal(name=Resolve.name, description=Resolve.help_text)
    def resolve_signal(self, raw: RawValue) -> None:
        """Take `resolve` as a signal: a `Resolve`."""
        self._apply_signal(Resolve, raw)

    @workflow.update(name=Reopen.name, description=Reopen.help_text)
    def reopen(self, command: Reopen) -> Receipt:
        """Reopen a resolved incident."""
        return self._apply_update(command)

    @reopen.validator
    def _validate_reopen(self, command: Reopen) -> None:
        self._validate_update(command)

    @workflow.signal(name=Reopen.name, description=Reopen.help_text)
    def reopen_signal(self, raw: RawValue) -> None:
        """Take `reopen` as a signal: a `Reopen`."""
        self._apply_signal(Reopen, raw)

    @workflow.update(name=Cancel.name, description=Cancel.help_text)
    def cancel(self, command: Cancel) -> Receipt:
        """Cancel the incident as a false alarm."""
        return self._apply_update(command)

    @cancel.validator
    def _validate_cancel(self, command: Cancel) -> None:
        self._validate_update(command)

    @workflow.signal(name=Cancel.name, description=Cancel.help_text)
    def cancel_signal(self, raw: RawValue) -> None:
        """Take `cancel` as a signal: a `Cancel`."""
        self._apply_signal(Cancel, raw)

    @workflow.update(name=StartPostmortem.name, description=StartPostmortem.help_text)
    def start_postmortem(self, command: StartPostmortem) -> Receipt:
        """Start the post-mortem now."""
        return self._apply_update(command)

    @start_postmortem.validator
    def _validate_start_postmortem(self, command: StartPostmortem) -> None:
        self._validate_update(command)

    @workflow.signal(name=StartPostmortem.name, description=StartPostmortem.help_text)
    def start_postmortem_signal(self, raw: RawValue) -> None:
        """Take `start_postmortem` as a signal: a `StartPostmortem`."""
        self._apply_signal(StartPostmortem, raw)

    @workflow.update(name=ReviewDrill.name, description=ReviewDrill.help_text)
    def review_drill(self, command: ReviewDrill) -> Receipt:
        """Record the review of a drill."""
        return self._apply_update(command)

    @review_drill.validator
    def _validate_review_drill(self, command: ReviewDrill) -> None:
        self._validate_update(command)

    @workflow.signal(name=ReviewDrill.name, description=ReviewDrill.help_text)
    def review_drill_signal(self, raw: RawValue) -> None:
        """Take `review_drill` as a signal: a `ReviewDrill`."""
        self._apply_signal(ReviewDrill, raw)

    @workflow.update(name=CorrectTime.name, description=CorrectTime.help_text)
    def correct_time(self, command: CorrectTime) -> Receipt:
        """Correct a recorded time."""
        return self._apply_update(command)

    @correct_time.validator
    def _validate_correct_time(self, command: CorrectTime) -> None:
        self._validate_update(command)

    @workflow.signal(name=CorrectTime.name, description=CorrectTime.help_text)
    def correct_time_signal(self, raw: RawValue) -> None:
        """Take `correct_time` as a signal: a `CorrectTime`."""
        self._apply_signal(CorrectTime, raw)

    @workflow.update(name=Merge.name, description=Merge.help_text)
    def merge(self, command: Merge) -> Receipt:
        """Merge this incident into another."""
        return self._apply_update(command)

    @merge.validator
    def _validate_merge(self, command: Merge) -> None:
        self._validate_update(command)

    @workflow.signal(name=Merge.name, description=Merge.help_text)
    def merge_signal(self, raw: RawValue) -> None:
        """Take `merge` as a signal: a `Merge`."""
        self._apply_signal(Merge, raw)

    @workflow.update(name=Unmerge.name, description=Unmerge.help_text)
    def unmerge(self, command: Unmerge) -> Receipt:
        """Undo a merge."""
        return self._apply_update(command)

    @unmerge.validator
    def _validate_unmerge(self, command: Unmerge) -> None:
        self._validate_update(command)

    @workflow.signal(name=Unmerge.name, description=Unmerge.help_text)
    def unmerge_signal(self, raw: RawValue) -> None:
        """Take `unmerge` as a signal: an `Unmerge`."""
        self._apply_signal(Unmerge, raw)

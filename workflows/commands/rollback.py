"""The commands about rollbacks as Temporal messages: each is an update with a validator, and a signal of its name."""

from temporalio import workflow
from temporalio.common import RawValue

from incidents.domain.core.command import Receipt
from incidents.domain.rollback.commands import (
    ApproveRollback,
    DeclineRollback,
    FlagRelease,
    JudgeRollback,
    RequestRollback,
)
from workflows.commands.handlers import CommandHandlers


class RollbackCommands(CommandHandlers):
    """The handlers of the commands by which responders decide about rollbacks; of `IncidentWorkflow`, too."""

    @workflow.update(name=RequestRollback.name, description=RequestRollback.help_text)
    def request_rollback(self, command: RequestRollback) -> Receipt:
        """Request a rollback; the request is the approval."""
        return self._apply_update(command)

    @request_rollback.validator
    def _validate_request_rollback(self, command: RequestRollback) -> None:
        self._validate_update(command)

    @workflow.signal(name=RequestRollback.name, description=RequestRollback.help_text)
    def request_rollback_signal(self, raw: RawValue) -> None:
        """Take `request_rollback` as a signal: a `RequestRollback`."""
        self._apply_signal(RequestRollback, raw)

    @workflow.update(name=ApproveRollback.name, description=ApproveRollback.help_text)
    def approve_rollback(self, command: ApproveRollback) -> Receipt:
        """Approve the offered rollback."""
        return self._apply_update(command)

    @approve_rollback.validator
    def _validate_approve_rollback(self, command: ApproveRollback) -> None:
        self._validate_update(command)

    @workflow.signal(name=ApproveRollback.name, description=ApproveRollback.help_text)
    def approve_rollback_signal(self, raw: RawValue) -> None:
        """Take `approve_rollback` as a signal: an `ApproveRollback`."""
        self._apply_signal(ApproveRollback, raw)

    @workflow.update(name=DeclineRollback.name, description=DeclineRollback.help_text)
    def decline_rollback(self, command: DeclineRollback) -> Receipt:
        """Decline the rollback that is offered."""
        return self._apply_update(command)

    @decline_rollback.validator
    def _validate_decline_rollback(self, command: DeclineRollback) -> None:
        self._validate_update(command)

    @workflow.signal(name=DeclineRollback.name, description=DeclineRollback.help_text)
    def decline_rollback_signal(self, raw: RawValue) -> None:
        """Take `decline_rollback` as a signal: a `DeclineRollback`."""
        self._apply_signal(DeclineRollback, raw)

    @workflow.update(name=JudgeRollback.name, description=JudgeRollback.help_text)
    def judge_rollback(self, command: JudgeRollback) -> Receipt:
        """Give the verdict on an inconclusive rollback."""
        return self._apply_update(command)

    @judge_rollback.validator
    def _validate_judge_rollback(self, command: JudgeRollback) -> None:
        self._validate_update(command)

    @workflow.signal(name=JudgeRollback.name, description=JudgeRollback.help_text)
    def judge_rollback_signal(self, raw: RawValue) -> None:
        """Take `judge_rollback` as a signal: a `JudgeRollback`."""
        self._apply_signal(JudgeRollback, raw)

    @workflow.update(name=FlagRelease.name, description=FlagRelease.help_text)
    def flag_release(self, command: FlagRelease) -> Receipt:
        """Flag a release as bad."""
        return self._apply_update(command)

    @flag_release.validator
    def _validate_flag_release(self, command: FlagRelease) -> None:
        self._validate_update(command)

    @workflow.signal(name=FlagRelease.name, description=FlagRelease.help_text)
    def flag_release_signal(self, raw: RawValue) -> None:
        """Take `flag_release` as a signal: a `FlagRelease`."""
        self._apply_signal(FlagRelease, raw)

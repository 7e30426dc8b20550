"""What the command handlers of a workflow share: a command arrives as an update that answers, or as a signal.

The handlers themselves are written out in `response`, `rollback`, `recovery` and `postmortem`: each command is an
update with a validator, and a signal of the same name.
"""

from abc import ABC, abstractmethod

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from incidents.cutting import cut
from incidents.domain.core.base import AlreadyDone, CommandRejected, PrivateIncident
from incidents.domain.core.command import Command, Receipt
from incidents.domain.core.errors import ErrorType
from incidents.domain.core.program_errors import in_one_line
from workflows.obligation_loop import raise_if_of_the_sdk


class CommandHandlers(ABC):
    """The base of a workflow that takes commands."""

    @abstractmethod
    def apply_command(self, command: Command) -> Receipt:
        """Apply the command, or raise `CommandRejected` or `AlreadyDone`."""

    @abstractmethod
    def validate_command(self, command: Command) -> None:
        """Raise as `apply_command` would, changing nothing."""

    @abstractmethod
    def reject_signal(self, name: str, by: str, reason: str) -> None:
        """Record a rejected signal in the timeline. Must not fail."""

    @abstractmethod
    def unchanged(self) -> None:
        """Note that a signal was received that changes nothing."""

    def _apply_update(self, command: Command) -> Receipt:
        """Apply an update; its caller reads the receipt, or at once why it was rejected.

        Raises:
            ApplicationError: the command is rejected, or an error of this program kept it from being applied.
        """
        try:
            return self.apply_command(command)
        except AlreadyDone as done:
            return Receipt(message=str(done), changed=False)
        except Exception as error:
            raise_if_of_the_sdk(error)
            raise _rejection(command, error) from None

    def _validate_update(self, command: Command) -> None:
        """Reject an update before it enters history. What another command had done before passes.

        Raises:
            ApplicationError: as of `_apply_update`.
        """
        try:
            self.validate_command(command)
        except AlreadyDone:
            return
        except Exception as error:
            raise_if_of_the_sdk(error)
            raise _rejection(command, error) from None

    def _apply_signal(self, kind: type[Command], raw: RawValue) -> None:
        """Apply a signal; whatever is wrong with it becomes a timeline entry. Never raises.

        Nobody reads an answer to a signal, an error would fail the whole workflow, and the SDK silently drops a signal
        whose payload does not decode: so the payload arrives raw and is decoded here.
        """
        by = "unknown"
        try:
            command = workflow.payload_converter().from_payload(raw.payload, kind)
            by = command.by
            self.apply_command(command)
        except AlreadyDone:
            self.unchanged()
        except CommandRejected as rejection:
            self.reject_signal(kind.name, by, str(rejection))
        except (ValueError, TypeError, RuntimeError) as error:  # a ValidationError is a ValueError
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            self.reject_signal(kind.name, by, cut(f"the payload does not fit: {first}", 300))
        except Exception as error:
            raise_if_of_the_sdk(error)
            self.reject_signal(kind.name, by, f"it cannot be applied: {in_one_line(error)}")


def _rejection(command: Command, error: Exception) -> ApplicationError:
    """Return what the caller of an update reads: the rule that rejects it, or that this program failed."""
    if isinstance(error, PrivateIncident):
        return ApplicationError(str(error), type=ErrorType.INCIDENT_PRIVATE, non_retryable=True)
    if isinstance(error, CommandRejected):
        return ApplicationError(str(error), type=ErrorType.COMMAND_REJECTED, non_retryable=True)
    text = f"`{command.name}` was not applied, because of an error in this program ({in_one_line(error)})."
    return ApplicationError(
        f"{text} Nothing was changed; the incident continues.", type=ErrorType.PROGRAM_ERROR, non_retryable=True
    )

"""Responder commands as Temporal messages: each is an update with a validator, and a signal of the same name."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from incidents.domain.core.base import AlreadyDone, CommandRejected
from incidents.domain.core.program_errors import in_one_line
from incidents.domain.incident.commands import Command, Receipt
from workflows.obligation_loop import raise_if_of_the_sdk

REJECTED = "CommandRejected"
"""The error type of a refused command."""
BROKEN = "ProgramError"
"""The error type of a command that an error of this program keeps from being applied."""


W = TypeVar("W")


class Commanded(Protocol):
    """A workflow that takes commands."""

    def command(self, command: Command) -> Receipt:
        """Apply the command, or raise `CommandRejected` or `AlreadyDone`."""

    def consider(self, command: Command) -> None:
        """Raise as `command` would, changing nothing."""

    def refuse(self, name: str, by: str, why: str) -> None:
        """Record a refused signal."""

    def unchanged(self) -> None:
        """Note that a signal was received that changes nothing."""


def takes(*kinds: type[Command]) -> Callable[[type[W]], type[W]]:
    """Give a workflow class an update and a signal for each kind of command. Goes below `@workflow.defn`."""

    def decorate(cls: type[W]) -> type[W]:
        for kind in kinds:
            setattr(cls, f"_update_{kind.name}", _as_update(kind))
            setattr(cls, f"_signal_{kind.name}", _as_signal(kind))
        return cls

    return decorate


def _as_update(kind: type[Command]) -> Callable[..., Any]:
    """Return the update handler for one kind of command: the caller learns at once why it was refused."""

    async def handle(self: Commanded, command: Command) -> Receipt:
        try:
            return self.command(command)
        except AlreadyDone as done:
            return Receipt(message=str(done), changed=False)
        except CommandRejected as refusal:
            raise ApplicationError(str(refusal), type=REJECTED, non_retryable=True) from None
        except Exception as error:
            raise_if_of_the_sdk(error)
            raise _broken(kind, error) from None

    def check(self: Commanded, command: Command) -> None:
        try:
            self.consider(command)
        except AlreadyDone:
            return
        except CommandRejected as refusal:
            raise ApplicationError(str(refusal), type=REJECTED, non_retryable=True) from None
        except Exception as error:
            raise_if_of_the_sdk(error)
            raise _broken(kind, error) from None

    # The SDK decodes the argument by the handler's annotations, which here depend on `kind`.
    handle.__annotations__ = {"command": kind, "return": Receipt}
    check.__annotations__ = {"command": kind, "return": None}
    update = workflow.update(name=kind.name, description=kind.says)(handle)
    update.validator(check)
    return update


def _broken(kind: type[Command], error: Exception) -> ApplicationError:
    """Return the refusal of a command that an error of this program keeps from being applied: nothing was changed."""
    text = f"`{kind.name}` was not applied, because of an error in this program ({in_one_line(error)})."
    return ApplicationError(f"{text} Nothing was changed; the incident goes on.", type=BROKEN, non_retryable=True)


def _as_signal(kind: type[Command]) -> Callable[[Any, RawValue], None]:
    """Return the signal handler for one kind of command.

    A signal has nobody to answer to, and one whose payload does not decode would be dropped silently: so it is taken
    raw, and whatever is wrong with it becomes a timeline entry. It never raises.
    """

    def handle(self: Commanded, raw: RawValue) -> None:
        by = "unknown"
        try:
            command = workflow.payload_converter().from_payload(raw.payload, kind)
            by = command.by
            self.command(command)
        except AlreadyDone:
            self.unchanged()
        except CommandRejected as refusal:
            self.refuse(kind.name, by, str(refusal))
        except (ValidationError, ValueError, TypeError, RuntimeError) as fault:
            first = str(fault).splitlines()[0] if str(fault) else type(fault).__name__
            self.refuse(kind.name, by, f"the payload does not fit: {first}"[:300])
        except Exception as error:
            raise_if_of_the_sdk(error)
            self.refuse(kind.name, by, f"it cannot be applied: {in_one_line(error)}")

    handle.__annotations__ = {"raw": RawValue, "return": None}
    return workflow.signal(name=kind.name, description=kind.says)(handle)

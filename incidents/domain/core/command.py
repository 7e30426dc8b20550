"""What every command is made of, and the answer to it."""

from typing import Any, ClassVar

from pydantic import Field, field_validator

from incidents.domain.core.base import Frozen
from incidents.domain.core.text.untrusted import all_printable


class Origin(Frozen):
    """Where a command comes from that anyone may send: a private incident takes it from those only who may see it.

    `channel_id`: of the chat channel that it was sent in; "" outside of any. `by_person`: being one of those who may
    see the incident is enough; not for a token of the API, which needs the scope.
    """

    channel_id: str = ""
    by_person: bool = True


class Command(Frozen):
    """Who says it, and an id by which a repeated delivery is known (also after continue-as-new).

    An empty id is never taken for a repetition. `origin`: None if the way in has itself checked that the sender may see
    the incident, or is an administrator's. Text loses what no screen shows: what is typed in a terminal may hold
    bytes that are no text, and Temporal takes UTF-8 only.
    """

    name: ClassVar[str]
    help_text: ClassVar[str]
    by: str = Field(min_length=1, max_length=100)
    id: str = Field(default="", max_length=200)
    origin: Origin | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _printable(cls, value: Any) -> Any:
        return all_printable(value)


_REMEMBERED = 200
"""Ids kept to know a repeated delivery by, across continue-as-new."""


def remembered(handled: tuple[str, ...], command: Command) -> tuple[str, ...]:
    """Return the ids of the commands that were handled, with this one's among them if it has one."""
    return (*handled, command.id)[-_REMEMBERED:] if command.id else handled


class Receipt(Frozen):
    """The answer to a command. `changed` is false when another command had done it before."""

    message: str
    changed: bool = True
    revision: int = 0

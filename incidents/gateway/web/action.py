"""What a command is on a page: its button, its fields, and how it is built from a form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import get_origin

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.command import Command
from incidents.domain.incident.commands import Role
from incidents.domain.incident.incident import Incident
from incidents.domain.people.directory import PeopleDirectory
from incidents.domain.rollback.state import RollbackStatus


class Input(StrEnum):
    """How a field is filled in."""

    LINE = "line"
    TEXT = "text"
    CHOICE = "choice"
    CHECK = "check"
    HIDDEN = "hidden"


@dataclass(frozen=True)
class Field:
    """One field of a command, by the name that the command has for it. `choices`: value and label."""

    name: str
    label: str
    how: Input = Input.LINE
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""


Offered = Callable[[Incident], bool]
Fields = Callable[[Incident, RunbookConfig], tuple[Field, ...]]


@dataclass(frozen=True)
class Action:
    """A command as a page offers it.

    `path`: its part of the address. `fields`: derived from the incident. `offered`: whether there is a button now; who
    asks for it without one gets the reason from the preview. `asks`: its form is shown before the confirmation.
    `clusters`: one button for each cluster that is in one of these states. `takes_command`: the reader becomes incident
    commander. `seldom`: its button is among the further ones.
    """

    path: str
    label: str
    command: type[Command]
    offered: Offered
    fields: Fields
    style: str = ""
    asks: bool = True
    clusters: tuple[RollbackStatus, ...] = ()
    takes_command: bool = False
    seldom: bool = False

    def build(
        self, values: Mapping[str, str], fields: Sequence[Field], by: str, command_id: str, people: PeopleDirectory
    ) -> Command:
        """Return the command.

        Args:
            values: of the form; what is none of `fields` is ignored.
            fields: those that the form has.
            by: who sends it.
            command_id: by which a second tap is known as the same command.
            people: whose names a person is known by.

        Raises:
            ValidationError: a value does not fit.
        """
        typed = {field.name: values.get(field.name, "").strip() for field in fields}
        given: dict[str, object] = {name: self._value(name, text) for name, text in typed.items() if text}
        if "person" in given:
            given["person"] = people.resolve(str(given["person"]))
        if self.takes_command:
            given |= {"role": Role.COMMANDER, "person": by}
        return self.command.model_validate(given | {"by": by, "id": command_id})

    def _value(self, name: str, text: str) -> object:
        """Return a field's value; a list is typed with commas between."""
        if get_origin(self.command.model_fields[name].annotation) is tuple:
            return tuple(part.strip() for part in text.split(",") if part.strip())
        return text

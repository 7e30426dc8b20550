"""How people refer to an incident: `42`, `INC-42`, `#42`, `latest`, `.`, or a workflow id."""

import re
from dataclasses import dataclass
from enum import StrEnum

from incidents.domain.core.text.untrusted import one_line

FORMS = "42, INC-42, #42, latest, . (the only open one), or a workflow id"
"""What can be typed, for help and refusals."""
_NUMBER = re.compile(r"(?:INC-|#)?(\d{1,9})", re.IGNORECASE)
_BROKEN = re.compile(r"(?:INC-|INC\d|#|\d).*", re.IGNORECASE)
"""Meant as a number: no workflow id begins like that."""


class InvalidReference(ValueError):
    """The text refers to no incident. The message is one line."""


class Choice(StrEnum):
    """A reference that chooses among the open incidents."""

    LATEST = "latest"
    ONLY = "."


@dataclass(frozen=True)
class Reference:
    """A reference to an incident: exactly one of the three is set."""

    number: int | None = None
    choice: Choice | None = None
    workflow_id: str = ""


def parse_reference(text: str) -> Reference:
    """Return what the text refers to.

    Raises:
        InvalidReference: it is empty, or looks like a number and is none.
    """
    typed = text.strip()
    if typed.casefold() in [*Choice]:
        return Reference(choice=Choice(typed.casefold()))
    if match := _NUMBER.fullmatch(typed):
        return Reference(number=int(match[1]))
    if not typed or any(sign.isspace() for sign in typed) or _BROKEN.fullmatch(typed):
        raise InvalidReference(f"{one_line(text, 40)!r} is not an incident. Use {FORMS}.")
    return Reference(workflow_id=typed)

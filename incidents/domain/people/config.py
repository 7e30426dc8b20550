"""The directory of people in runbook.yaml: one person, whatever a vendor calls them."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from incidents.domain.core.base import Frozen

CHAT_ID = r"[UW][A-Z0-9]{2,30}"


class DirectoryEntry(Frozen):
    """One person: e-mail address, and user names at the vendors.

    `aliases`: other names, such as another login or a full name.
    """

    email: str = ""
    slack: str = Field(default="", pattern=rf"^({CHAT_ID})?$")
    github: str = ""
    pagerduty: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that means this person, besides their name in the directory."""
        return tuple(name for name in (self.email, self.slack, self.github, self.pagerduty, *self.aliases) if name)

    def has_other_chat_id(self, user_id: str) -> bool:
        """Tell whether that is the id of a user of the chat, and this person has another one."""
        return bool(self.slack) and re.fullmatch(CHAT_ID, user_id) is not None and self.slack != user_id


def _unambiguous(people: dict[str, DirectoryEntry]) -> dict[str, DirectoryEntry]:
    owners: dict[str, str] = {}
    for person, entry in people.items():
        for name in {known.casefold() for known in (person, *entry.names)}:
            if name in owners:
                raise ValueError(f"{name!r} is both {owners[name]} and {person}")
            owners[name] = person
    return people


Directory = Annotated[dict[str, DirectoryEntry], AfterValidator(_unambiguous)]
"""Each person by name."""

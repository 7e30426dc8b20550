"""Find a person by whatever name is used: mention, handle, e-mail, id at the pager, login (behaviour 95).

The directory holds addresses, so it never enters a workflow: names are resolved where a command comes in, and
addresses where an activity acts.
"""

import re
from collections.abc import Iterable, Mapping

from incidents.domain.people.config import CHAT_ID, DirectoryEntry

_MENTION = re.compile(rf"<@({CHAT_ID})(?:\|([^>]*))?>")


class PeopleDirectory:
    """The people of runbook.yaml. Empty: every name is taken as it is."""

    def __init__(self, people: Mapping[str, DirectoryEntry] | None = None) -> None:
        self._people = dict(people or {})
        known = ((name, person) for person, entry in self._people.items() for name in (person, *entry.names))
        self._by_name = {name.casefold(): person for name, person in known}

    def resolve(self, said: str, user_id: str = "") -> str:
        """Return the name of the person with that id at a vendor, or who is called so; else the name as it was said.

        Of a mention that nobody in the directory has, the handle is kept. The name is empty only if nothing was said.
        A user whose id nobody has is not taken for a person with another one, whatever they call themselves:
        permissions are given to names (behavior 110).
        """
        if person := self._find(user_id):
            return person
        if person := self._find(said):
            return user_id if self._people[person].has_other_chat_id(user_id) else person
        words = said.strip() or user_id
        mention = _MENTION.fullmatch(words)
        return (mention[2] or mention[1]) if mention else words.removeprefix("@") or user_id or words

    def entry(self, name: str) -> DirectoryEntry:
        """Return what is known of a person; an empty entry for a person who is not in the directory."""
        return self._people.get(self._find(name), DirectoryEntry())

    def emails(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the addresses of these people, as far as they are known."""
        return tuple(dict.fromkeys(email for name in names if (email := self.entry(name).email)))

    def logins(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the logins at the issue tracker of these people, as far as they are known."""
        return tuple(dict.fromkeys(login for name in names if (login := self.entry(name).github)))

    def _find(self, words: str) -> str:
        words = words.strip()
        mention = _MENTION.fullmatch(words)
        for name in (mention[1], mention[2] or "") if mention else (words, words.removeprefix("@")):
            if person := self._by_name.get(name.casefold()):
                return person
        return ""


NOBODY = PeopleDirectory()
"""The directory of a runbook that names no people."""

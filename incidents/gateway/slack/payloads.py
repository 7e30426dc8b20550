"""The payloads that Slack sends, as far as we read them. What has another shape is refused with a `ValueError`."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, Field

from incidents.domain.people.directory import PeopleDirectory


class Sender(BaseModel):
    """The person who clicked or submitted."""

    id: str = ""
    name: str = ""
    username: str = ""

    def resolve(self, people: PeopleDirectory) -> str:
        """Return the name in the directory, or else the handle.

        Raises:
            ValueError: Slack names nobody.
        """
        name = people.resolve(self.name or self.username, self.id)[:100]
        if not name:
            raise ValueError("the request names nobody")
        return name


class _State(BaseModel):
    values: dict[str, dict[str, Any]] = {}


class _View(BaseModel):
    id: str
    callback_id: str = ""
    private_metadata: str = ""
    state: _State = _State()


class Submission(BaseModel):
    """A modal that was submitted."""

    user: Sender
    view: _View

    @property
    def values(self) -> dict[str, str]:
        """What was filled in, by field: a text, the value of a choice, or "yes" if ticked; "" if nothing."""
        return {name: _value(block.get(name)) for name, block in self.view.state.values.items()}


def _value(element: object) -> str:
    if not isinstance(element, Mapping):
        return ""
    options = element.get("selected_options")
    chosen = options[0] if isinstance(options, list) and options else element.get("selected_option")
    value = chosen.get("value") if isinstance(chosen, Mapping) else element.get("value")
    return value.strip() if isinstance(value, str) else ""


class _Place(BaseModel):
    id: str = ""


class _Action(BaseModel):
    action_id: str
    value: str = "null"


class Interaction(BaseModel):
    """A click on a button. `channel`: of its message; none in a modal or on the home tab."""

    user: Sender = Sender()
    channel: _Place = _Place()
    actions: list[_Action] = Field(min_length=1)
    trigger_id: str = ""


_TEAMS = (("team_id",), ("team", "id"), ("user", "team_id"), ("view", "team_id"), ("event", "user_team"))
"""Where a request names a workspace: its own, that of the person, or of what they act on."""


def teams_of(body: Mapping[str, Any]) -> Iterator[str]:
    """Return the id of every workspace that a request names."""
    for place in _TEAMS:
        found: object = body
        for name in place:
            found = found.get(name) if isinstance(found, Mapping) else None
        if isinstance(found, str) and found:
            yield found

"""Read the click of one of our buttons, and a form of ours that was submitted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from incidents.domain.chat.buttons import Action, Target
from incidents.domain.core.payload import read_json
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.slack.payloads import Interaction, Submission


@dataclass(frozen=True)
class Click:
    """A click on a button: what it does, what it is about, and who clicked. `trigger_id` lets a form be shown."""

    action: Action
    target: Target
    by: str
    trigger_id: str


def read_click(body: Mapping[str, Any], people: PeopleDirectory) -> Click:
    """Read a click.

    Raises:
        ValueError: it is not on a button of ours.
    """
    click = Interaction.model_validate(body)
    button = click.actions[0]
    return Click(Action(button.action_id), _target(button.value), click.user.resolve(people), click.trigger_id)


@dataclass(frozen=True)
class Filled:
    """A form of a button that was filled in."""

    action: Action
    target: Target
    by: str
    values: dict[str, str]
    view_id: str


def read_form(body: Mapping[str, Any], people: PeopleDirectory) -> Filled:
    """Read a form that was submitted.

    Raises:
        ValueError: it is not the form of a button of ours.
    """
    said = Submission.model_validate(body)
    action, target = Action(said.view.callback_id), _target(said.view.private_metadata)
    return Filled(action, target, said.user.resolve(people), said.values, said.view.id)


def _target(value: str) -> Target:
    return Target.model_validate(read_json(value or "null"))

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
    """A click on a button: what it does, what it is about, who clicked, and in which channel.

    `trigger_id` lets a form be shown.
    """

    action: Action
    target: Target
    by: str
    channel_id: str
    trigger_id: str


def read_click(body: Mapping[str, Any], people: PeopleDirectory) -> Click:
    """Read a click.

    Raises:
        ValueError: it is not on a button of ours.
    """
    click = Interaction.model_validate(body)
    button = click.actions[0]
    by, where = click.user.resolve(people), click.channel.id
    return Click(Action(button.action_id), _target(button.value), by, where, click.trigger_id)


@dataclass(frozen=True)
class Filled:
    """A form of a button that was filled in. `channel_id`: where the button was."""

    action: Action
    target: Target
    by: str
    channel_id: str
    values: dict[str, str]
    view_id: str


def read_form(body: Mapping[str, Any], people: PeopleDirectory) -> Filled:
    """Read a form that was submitted.

    Raises:
        ValueError: it is not the form of a button of ours.
    """
    said = Submission.model_validate(body)
    action = Action(said.view.callback_id)
    asked = _Asked.model_validate(read_json(said.view.private_metadata or "null"))
    return Filled(action, asked, said.user.resolve(people), asked.channel_id, said.values, said.view.id)


class _Asked(Target):
    """What a form keeps of the button that showed it. Slack keeps it from those who fill the form in."""

    channel_id: str = ""


def metadata_of(click: Click) -> str:
    """Return what a form keeps of the button that shows it."""
    asked = _Asked(**click.target.model_dump(), channel_id=click.channel_id)
    return asked.model_dump_json(exclude_defaults=True)


def _target(value: str) -> Target:
    return Target.model_validate(read_json(value or "null"))

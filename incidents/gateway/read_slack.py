"""Parse Slack slash commands and button clicks into incident commands."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from pydantic import BaseModel, Field, ValidationError

from incidents.domain.core.payload import first_fault, read_json
from incidents.domain.incident import commands
from incidents.domain.incident.commands import Command, Publication


class Usage(Exception):
    """The slash command is invalid. The message explains the usage."""


@dataclass(frozen=True)
class SlashCommand:
    """A slash command for an incident, by its number. `command` is None for `status`.

    `channel_id`: where it was typed; `answer_to`: the response URL for late answers.
    """

    incident: str
    command: Command | None
    channel_id: str = ""
    answer_to: str = ""


@dataclass(frozen=True)
class Click:
    """A button click: the incident's workflow id, the command, and the response URL."""

    incident: str
    command: Command
    answer_to: str


HELP = """\
`ack` · `status` · `note TEXT` · `assess IMPACT` · `severity P0 [REASON]` · `update TEXT` · `next TEXT` · \
`hold MINUTES REASON` · `escalate [REASON]` · `role commander|communications|scribe [PERSON]` · `monitor [TEXT]` · \
`resolve [TEXT]`
Outside the incident's channel, add the number: `ack 42`."""

_Maker = Callable[[str, str], Command]


def _split(rest: str) -> tuple[str, str]:
    first, _, others = rest.partition(" ")
    return first, others.strip()


def _severity(by: str, rest: str) -> Command:
    level, reason = _split(rest)
    return commands.DeclareSeverity.model_validate({"by": by, "severity": level.upper(), "reason": reason})


def _hold(by: str, rest: str) -> Command:
    minutes, reason = _split(rest)
    return commands.HoldUpdate.model_validate({"by": by, "minutes": minutes, "reason": reason})


def _role(by: str, rest: str) -> Command:
    role, person = _split(rest)
    return commands.AssignRole.model_validate({"by": by, "role": role.lower(), "person": person.removeprefix("@")})


_VERBS: dict[str, _Maker] = {
    "ack": lambda by, _: commands.Acknowledge(by=by),
    "note": lambda by, rest: commands.AddNote(by=by, text=rest),
    "assess": lambda by, rest: commands.Assess(by=by, impact=rest),
    "severity": _severity,
    "update": lambda by, rest: commands.PostUpdate(by=by, text=rest),
    "next": lambda by, rest: commands.PostUpdate(by=by, text=rest, when=Publication.NEXT),
    "hold": _hold,
    "escalate": lambda by, rest: commands.Escalate(by=by, reason=rest),
    "role": _role,
    "monitor": lambda by, rest: commands.Monitor(by=by, text=rest),
    "resolve": lambda by, rest: commands.Resolve(by=by, text=rest),
}


def read_command(body: bytes, channel_prefix: str) -> SlashCommand:
    """Parse a form-encoded slash command, such as `/incident ack 42`, or `/incident ack` in INC-42's channel.

    Raises:
        Usage: the command is invalid.
    """
    form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    by, text = form.get("user_name", ""), form.get("text", "").strip()
    verb, rest = _split(text)
    number, rest = _number(rest, form.get("channel_name", ""), channel_prefix)
    if verb.lower() != "status" and verb.lower() not in _VERBS:
        raise Usage(HELP)
    if number is None:
        raise Usage(f"Which incident? Use `{verb.lower()} 42`, or run it in the incident's channel.")
    where = form.get("channel_id", ""), form.get("response_url", "")
    if verb.lower() == "status":
        return SlashCommand(number, None, *where)
    try:
        return SlashCommand(number, _VERBS[verb.lower()](by, rest), *where)
    except ValidationError as error:
        raise Usage(f"{first_fault(error)}\n{HELP}") from None


def _number(rest: str, channel: str, prefix: str) -> tuple[str | None, str]:
    """Return the incident number (leading, or else from the channel name) and the remaining text."""
    if said := re.match(r"(?:INC-)?([0-9]{1,9})(?:\s+|$)", rest, re.IGNORECASE):
        here = re.match(rf"{re.escape(prefix)}-([0-9]{{1,9}})(?:-|$)", channel)
        # In INC-42's channel `hold 10 …` holds for ten minutes: a number is another incident's only elsewhere.
        if here is None or here[1] == said[1] or said[0].upper().startswith("INC-"):
            return said[1], rest[said.end() :].strip()
        return here[1], rest
    here = re.match(rf"{re.escape(prefix)}-([0-9]{{1,9}})(?:-|$)", channel)
    return (here[1] if here else None), rest


_CLICKS: dict[str, Callable[[str, int], Command]] = {
    commands.Acknowledge.name: lambda by, _: commands.Acknowledge(by=by),
    commands.Escalate.name: lambda by, revision: commands.Escalate(by=by, revision=revision),
}


class _User(BaseModel):
    id: str = ""
    name: str = ""
    username: str = ""


class _Action(BaseModel):
    action_id: str = ""
    value: str | None = None


class _Interaction(BaseModel):
    type: str = ""
    user: _User | None = None
    actions: list[_Action] | None = None
    response_url: str | None = None


class _Button(BaseModel):
    """The value of our buttons."""

    incident: str = Field(pattern=r"^[\x21-\x7e]{1,300}$")
    revision: int = Field(ge=0, le=2**53)


def read_click(body: bytes) -> Click | None:
    """Parse an interaction (form field `payload`); None if it is not one of our buttons.

    Raises:
        ValueError: not a Slack interaction.
    """
    payload = read_json(parse_qs(body.decode("utf-8", "replace")).get("payload", [""])[0])
    if not isinstance(payload, dict):
        raise ValueError("an interaction is a JSON object")
    if payload.get("type") != "block_actions":
        return None
    interaction = _Interaction.model_validate(payload)
    action = next(iter(interaction.actions or ()), _Action())
    build, user = _CLICKS.get(action.action_id), interaction.user or _User()
    if build is None:
        return None
    button = _Button.model_validate(read_json(action.value or "null"))
    by = (user.name or user.username or user.id)[:100]
    return Click(button.incident, build(by, button.revision), interaction.response_url or "")

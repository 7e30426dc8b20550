"""What people type and click in Slack, as commands of the runbook."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from pydantic import BaseModel, Field, ValidationError

from incidents.domain.core.payload import first_fault, read_json
from incidents.domain.incident import commands
from incidents.domain.incident.commands import Command, Publication


class Usage(Exception):
    """What was typed is not understood. The message says how it is said."""


@dataclass(frozen=True)
class Asked:
    """A command for the incident that people call so. Without a command, its state is asked for.

    `channel_id`: where it was typed; `answer_to`: where an answer goes that takes longer than Slack waits.
    """

    incident: str
    command: Command | None
    channel_id: str = ""
    answer_to: str = ""


@dataclass(frozen=True)
class Click:
    """A button that was clicked: the incident by its workflow id, the command, and where the answer goes."""

    incident: str
    command: Command
    answer_to: str


HELP = """\
`ack` · `status` · `note TEXT` · `assess IMPACT` · `severity P0 [REASON]` · `update TEXT` · `next TEXT` · \
`hold MINUTES REASON` · `escalate [REASON]` · `role commander|communications|scribe [PERSON]` · `monitor [TEXT]` · \
`resolve [TEXT]`
In the incident's channel as it stands; elsewhere with the number after the verb: `ack 42`."""

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


def read_command(body: bytes, channel_prefix: str) -> Asked:
    """Read a slash command (form-encoded), such as `/incident ack 42`, or `/incident ack` in the channel of INC-42.

    Raises:
        Usage: it is not understood.
    """
    form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    by, text = form.get("user_name", ""), form.get("text", "").strip()
    verb, rest = _split(text)
    number, rest = _number(rest, form.get("channel_name", ""), channel_prefix)
    if verb.lower() != "status" and verb.lower() not in _VERBS:
        raise Usage(HELP)
    if number is None:
        raise Usage(f"Which incident? `{verb.lower()} 42`, or say it in the incident's channel.")
    where = form.get("channel_id", ""), form.get("response_url", "")
    if verb.lower() == "status":
        return Asked(number, None, *where)
    try:
        return Asked(number, _VERBS[verb.lower()](by, rest), *where)
    except ValidationError as error:
        raise Usage(f"{first_fault(error)}\n{HELP}") from None


def _number(rest: str, channel: str, prefix: str) -> tuple[str | None, str]:
    """Return the incident's number and the rest: it is said first, or else the channel's name tells it."""
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
    """What our buttons carry."""

    incident: str = Field(pattern=r"^[\x21-\x7e]{1,300}$")
    revision: int = Field(ge=0, le=2**53)


def read_click(body: bytes) -> Click | None:
    """Read an interaction (form field `payload`); None if it is none of our buttons.

    Raises:
        ValueError: it is no interaction at all.
    """
    payload = read_json(parse_qs(body.decode("utf-8", "replace")).get("payload", [""])[0])
    if not isinstance(payload, dict):
        raise ValueError("an interaction is a JSON object")
    if payload.get("type") != "block_actions":
        return None
    told = _Interaction.model_validate(payload)
    action = next(iter(told.actions or ()), _Action())
    made, user = _CLICKS.get(action.action_id), told.user or _User()
    if made is None:
        return None
    button = _Button.model_validate(read_json(action.value or "null"))
    by = (user.name or user.username or user.id)[:100]
    return Click(button.incident, made(by, button.revision), told.response_url or "")

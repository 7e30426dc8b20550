"""What is sent to the API: the commands of the command line by its names, as the models of the domain.

A body has the fields of its command without `by` and `origin`, which the token tells, and without `id`, which is the
`Idempotency-Key`.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from starlette.requests import Request

from incidents.domain.apply_command import COMMANDS
from incidents.domain.core.command import Command
from incidents.domain.core.payload import first_fault
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.incident.commands import Merge, StartPostmortem
from incidents.domain.people.permissions import name_of
from incidents.gateway.api.refusals import Refused
from incidents.gateway.api.senders import LARGEST_BODY
from incidents.gateway.responses import BODY_WITHIN, TooLarge, TooSlow, read_body

Model = TypeVar("Model", bound="Body")
_NOT_IN_A_BODY = ("by", "id", "origin")


class Body(BaseModel):
    """The body of a request: exactly the fields that its schema has, of exactly these types."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class MergeInto(Body):
    """Merge this incident into another. `into`: the other one, as in a path, such as `INC-41`."""

    into: str = Field(min_length=1, max_length=200)
    reason: str = Field(default="", max_length=2000)


class OpenIncident(Body):
    """An incident that is opened. `repeats`: number of an earlier incident that it repeats."""

    title: str = Field(min_length=1, max_length=200)
    service: str = Field(min_length=1, max_length=200)
    severity: str = Field(min_length=1, max_length=40, description="One of the runbook's, such as P1.")
    environment: str = Field(default="production", min_length=1, max_length=200)
    private: bool = False
    drill: bool = False
    repeats: int | None = Field(default=None, ge=1, le=999_999_999)


def _path_name(kind: type[Command]) -> str:
    return "postmortem-start" if kind is StartPostmortem else name_of(kind.name)


KINDS: Mapping[str, type[Command]] = {_path_name(kind): kind for kind in COMMANDS}
"""Each command by its name in a path, which is that of the command line."""


def command_named(name: str) -> type[Command]:
    """Return the command of a path.

    Raises:
        Refused: there is none.
    """
    if (kind := KINDS.get(name)) is None:
        raise Refused(404, f"there is no command {one_line(name, 40)!r}: {', '.join(KINDS)}")
    return kind


@cache
def body_model(kind: type[Command]) -> type[Body]:
    """Return the model of a command's body: the command's own fields, with their bounds."""
    if kind is Merge:
        return MergeInto
    named = {name: field for name, field in kind.model_fields.items() if name not in _NOT_IN_A_BODY}
    fields: dict[str, Any] = {name: (field.annotation, field) for name, field in named.items()}
    return create_model(kind.__name__, __base__=Body, __doc__=kind.__doc__, **fields)


def read_command(kind: type[Command], fields: Mapping[str, Any], by: str, command_id: str) -> Command | MergeInto:
    """Return the command of a body.

    Raises:
        Refused: it does not fit.
    """
    body = read_model(body_model(kind), fields)
    if isinstance(body, MergeInto):
        return body
    try:
        return kind.model_validate(body.model_dump() | {"by": by, "id": command_id})
    except ValidationError as error:
        raise Refused(422, first_fault(error)) from None


def read_model(model: type[Model], fields: Mapping[str, Any]) -> Model:
    """Return the model of the fields of a JSON object.

    Raises:
        Refused: they do not fit; the message names the first field that does not.
    """
    try:
        return model.model_validate_json(json.dumps(fields))
    except ValidationError as error:
        raise Refused(422, first_fault(error)) from None


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request's body; an empty one if there is no body.

    Raises:
        Refused: it is too large, too slow, not JSON, or not an object.
    """
    try:
        raw = await read_body(request, LARGEST_BODY)
    except TooLarge:
        raise Refused(413, f"the body is larger than {LARGEST_BODY // 1024} KiB") from None
    except TooSlow:
        said = f"the body was not complete after {BODY_WITHIN:g} s. Nothing was changed."
        raise Refused(408, said, {"connection": "close"}) from None
    if not raw.strip():
        return {}
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "the body must be application/json")
    try:
        found = json.loads(raw, parse_constant=_reject)
        json.dumps(found, ensure_ascii=False).encode()  # a lone surrogate is no text, and Temporal takes none
    except (ValueError, RecursionError) as error:
        fault = "nested too deeply" if isinstance(error, RecursionError) else one_line(str(error), 200)
        raise Refused(400, f"the body is not JSON ({fault})") from None
    if not isinstance(found, dict):
        raise Refused(422, "the body must be a JSON object")
    return found


def _reject(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")

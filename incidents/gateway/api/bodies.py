"""What is sent to the API: the commands of the command line by its names, as the models of the domain.

A body has the fields of its command without `by`, which the token tells, and without `id`, which is the
`Idempotency-Key`.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request

from incidents.domain.apply_command import COMMANDS
from incidents.domain.core.base import Frozen
from incidents.domain.core.command import Command
from incidents.domain.core.payload import first_fault
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.incident.commands import Merge, StartPostmortem
from incidents.domain.people.permissions import name_of
from incidents.gateway.api.refusals import Refused
from incidents.gateway.api.senders import read_body

Model = TypeVar("Model", bound=BaseModel)
OWN_FIELDS = ("by", "id")
"""Fields of a command that a body does not have."""


class MergeInto(Frozen):
    """Merge this incident into another. `into`: the other one, as in a path, such as `INC-41`."""

    into: str = Field(min_length=1, max_length=200)
    reason: str = Field(default="", max_length=2000)


class OpenIncident(Frozen):
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


def body_model(kind: type[Command]) -> type[BaseModel]:
    """Return the model of a command's body."""
    return MergeInto if kind is Merge else kind


def read_command(kind: type[Command], body: Any, by: str, command_id: str) -> Command | MergeInto:
    """Return the command of a body.

    Raises:
        Refused: it does not fit.
    """
    if kind is Merge:
        return validate(MergeInto, body)
    if own := [name for name in OWN_FIELDS if name in body]:
        raise Refused(
            422, f"{own[0]}: unknown field; the token says who sends, and Idempotency-Key what is a repetition"
        )
    return validate(kind, body | {"by": by, "id": command_id})


def validate(model: type[Model], fields: Mapping[str, Any]) -> Model:
    """Return the model of these fields, of exactly the types that its schema names.

    Raises:
        Refused: they do not fit; the message names the first field that does not.
    """
    try:
        return model.model_validate_json(json.dumps(fields), strict=True, extra="forbid")
    except ValidationError as error:
        raise Refused(422, first_fault(error)) from None


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request's body; an empty one if there is no body.

    Raises:
        Refused: it is too large, not JSON, or not an object.
    """
    raw = await read_body(request)
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

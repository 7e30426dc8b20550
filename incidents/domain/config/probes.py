"""Probes: the HTTP requests that show whether a region is healthy, and how fast it answers."""

import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from string import Formatter
from typing import Annotated, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, JsonValue, field_validator, model_validator

from incidents.domain.core.base import Frozen

Method = Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
Scalar = str | bool | int | float
Placeholder = Literal["api", "region", "cluster"]
"""What a probe's URL may name of a region: its `url`, `name` and `cluster`."""

_PATH = re.compile(r"[\w-]+(\.[\w-]+)*")
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}", re.ASCII)
_HEADER = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_SECRET = {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"}
_SHOWN = 40
_PROVEN_FOR = timedelta(hours=2)


def one_or_more(value: object) -> object:
    """Let one value stand for a list of one."""
    return value if isinstance(value, list | tuple) else (value,)


class JsonCheck(Frozen):
    """What the JSON of an answer must hold at `path`.

    `path`: keys and list indices (from 0) joined by dots, such as `data.0.state`. A key that contains a dot cannot be
    reached. `equals`: one of these values; `not_equals`: none of these. Without both, any value will do.
    """

    # Own code rather than a library: JMESPath answers null for a value that is missing as for one that is null,
    # JSONPath selects any number of values, and a probe asks for one.

    path: str
    equals: Annotated[tuple[Scalar, ...], BeforeValidator(one_or_more)] = ()
    not_equals: Annotated[tuple[Scalar, ...], BeforeValidator(one_or_more)] = ()

    @field_validator("path")
    @classmethod
    def _dotted(cls, path: str) -> str:
        if not _PATH.fullmatch(path):
            raise ValueError(f"{path!r} is not a path: join keys and list indices by dots, such as data.0.state")
        return path

    def fault(self, document: JsonValue) -> str:
        """Return what is wrong with the answer, as a predicate of the probe's name, or ""."""
        value = document
        for step in self.path.split("."):
            if isinstance(value, dict) and step in value:
                value = value[step]
            elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                return f"answered without {self.path}"
        wrong = self.equals and not _is_one_of(value, self.equals)
        return f"answered {self.path} {_shown(value)}" if wrong or _is_one_of(value, self.not_equals) else ""


class Probe(Frozen):
    """One HTTP request to a region, and what its answer must be. Redirects are not followed.

    `url`: with the placeholders {api}, {region} and {cluster}. `headers`: a value may name environment variables, such
    as `${PROBE_API_KEY}`; the worker reads them when it sends the request, and nothing else knows them. `body`: sent as
    JSON. `measures_latency`: the latency of this probe is what a verification compares with the baseline.
    """

    name: str = Field(min_length=1, max_length=40)
    url: str
    method: Method = "GET"
    headers: dict[str, str] = {}
    body: JsonValue = None
    expect_status: Annotated[
        tuple[Annotated[int, Field(ge=100, le=599)], ...], BeforeValidator(one_or_more), Field(min_length=1)
    ] = (200,)
    expect_json: JsonCheck | None = None
    measures_latency: bool = False

    @field_validator("url")
    @classmethod
    def _can_be_filled(cls, url: str) -> str:
        known: tuple[str, ...] = get_args(Placeholder)
        hint = f"use {', '.join(f'{{{name}}}' for name in known)}"
        try:
            parts = list(Formatter().parse(url))
        except ValueError:
            raise ValueError(f"a brace without its partner; {hint}") from None
        for _, name, spec, conversion in parts:
            if name is not None and (name not in known or spec or conversion):
                raise ValueError(f"{{{name}}} is not a placeholder: {hint}")
        filled = urlsplit(url.format(api="https://api.example", region="region", cluster="cluster"))
        if filled.scheme not in ("http", "https") or not filled.hostname:
            raise ValueError("must begin with {api}, http:// or https://")
        if filled.username is not None:
            raise ValueError(
                "must hold no credentials: name environment variables in headers, such as ${PROBE_API_KEY}"
            )
        return url

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _HEADER.fullmatch(name):
                raise ValueError(f"{name!r} is not the name of a header")
            if name.lower() in _SECRET and not _VARIABLE.search(value) and "${" not in value:
                raise ValueError(
                    f"{name}: name an environment variable, such as ${{API_KEY}}: secrets do not go in here"
                )
            if "${" in _VARIABLE.sub("", value):
                raise ValueError(f"{name}: an environment variable is written ${{NAME}}")
            if not (value.isascii() and value.isprintable()):
                raise ValueError(f"{name}: only printable ASCII characters can be sent")
        return headers

    @model_validator(mode="after")
    def _has_a_body_to_check(self) -> Self:
        if self.method == "HEAD" and self.expect_json is not None:
            raise ValueError("the answer to HEAD has no JSON to check")
        return self

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that the headers name."""
        return tuple(dict.fromkeys(name for value in self.headers.values() for name in _VARIABLE.findall(value)))

    def filled_headers(self, values: dict[str, str]) -> dict[str, str]:
        """Return the headers with the values of their `variables`. They hold secrets: send them and keep no copy."""
        return {name: _VARIABLE.sub(lambda found: values[found[1]], text) for name, text in self.headers.items()}

    def fault(self, status: int, body: bytes) -> str:
        """Return what is wrong with an answer, as a predicate of the probe's name, or ""."""
        if status not in self.expect_status:
            return _unexpected(status)
        if self.expect_json is None:
            return ""
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return "answered, but not in JSON"  # a log-in or maintenance page that answers 200
        return self.expect_json.fault(document)


def credentials_proven(accepted_at: datetime | None, at: datetime) -> bool:
    """Tell whether credentials that were accepted then (None: never) still count as good at `at` (aware UTC).

    A service whose database is away answers 401 to good credentials, too.
    """
    return accepted_at is not None and at - accepted_at < _PROVEN_FOR


def describe_unset(names: Iterable[str]) -> str:
    """Return a sentence on environment variables that are not set, or ""."""
    listed = list(dict.fromkeys(names))
    return f"{' and '.join(listed)} {'is' if len(listed) == 1 else 'are'} not set" if listed else ""


def _unexpected(status: int) -> str:
    if 300 <= status < 400:
        return f"answered {status} (a redirect)"
    return f"answered {status} (too many requests)" if status == 429 else f"answered {status}"


def _is_one_of(value: JsonValue, wanted: tuple[Scalar, ...]) -> bool:
    """Compare as JSON does: `true` is not 1."""
    return any(isinstance(value, bool) == isinstance(one, bool) and value == one for one in wanted)


def _shown(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"

"""The error that ends a program: one line, or with --json one JSON object, on standard error (behaviour 105)."""

import json
import re
import sys
from collections.abc import Sequence
from contextvars import ContextVar

_as_json: ContextVar[bool] = ContextVar("as_json", default=False)

USAGE = "usage"
"""Code of a mistyped command line."""


def choose_form(args: Sequence[str]) -> None:
    """Choose JSON if the command line asks for it: its own parsing may be what fails."""
    options = args[: args.index("--")] if "--" in args else args
    _as_json.set("--json" in options)


def is_json() -> bool:
    """Tell whether the command line asks for JSON."""
    return _as_json.get()


def print_error(message: str, code: str) -> None:
    """Print an error. `code`: what scripts tell errors apart by, such as `not_found`."""
    if is_json():
        print(json.dumps({"error": message, "code": code}, ensure_ascii=False), file=sys.stderr)
    else:
        print(f"error: {message}", file=sys.stderr)


def code_of(error: Exception) -> str:
    """Return the code of an error: its class in snake case, as `not_found` of `NotFound`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()

"""JSON that comes from outside, and what is wrong with it in one line."""

import json
from typing import Any

from pydantic import ValidationError

from incidents.domain.core.text.untrusted import one_line

_LONGEST_FAULT = 300


class NotJson(ValueError):
    """The bytes are not JSON that can be read. The message is one line."""


def read_json(raw: bytes | str) -> Any:
    """Read JSON as leniently as a page deserves: of equal keys the last one counts, NaN and infinities become null.

    Raises:
        NotJson: it is none, in no encoding of Unicode, nested too deeply, or holds a number of thousands of digits.
    """
    try:
        return json.loads(raw, parse_constant=lambda _: None)
    except RecursionError:
        raise NotJson("not JSON (nested too deeply)") from None
    except ValueError as error:
        raise NotJson(f"not JSON ({one_line(str(error), _LONGEST_FAULT)})") from None


def first_fault(error: ValidationError) -> str:
    """Return the first thing that is wrong, as `field: what is wrong`, on one line."""
    fault = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    return one_line(f"{place}: {message}" if place else message, _LONGEST_FAULT)

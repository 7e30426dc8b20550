"""Text that comes from outside, made safe to store and to show."""

import re
from collections.abc import Mapping
from typing import Any

from incidents.cutting import cut

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
"""Control characters but newline and tab, those that turn the direction of what follows, and what no XML may hold."""
_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character. JSON can spell it (`"\\ud800"`), an argument that is not UTF-8 becomes one; UTF-8 has none."""

_ADDRESS = re.compile(r"[^\s<>\"'(),;:=\\]+@[^\s<>\"'(),;:\\]+")


def printable(text: str) -> str:
    """Return the text as UTF-8 can hold it and every screen shows it: no control or bidirectional characters."""
    return _SURROGATE.sub("\ufffd", _UNSEEN.sub("", text))


def is_text(text: str) -> bool:
    """Tell whether UTF-8 can hold the text: an argument of bytes that are not UTF-8 is none."""
    return _SURROGATE.search(text) is None


def all_printable(value: Any) -> Any:
    """Return a value with every text in it printable: in lists, tuples and mappings, too."""
    if type(value) is str:
        return printable(value)
    if isinstance(value, list | tuple):
        return type(value)(all_printable(part) for part in value)
    if isinstance(value, Mapping):
        return {all_printable(name): all_printable(part) for name, part in value.items()}
    return value


def without_addresses(text: str) -> str:
    """Return the text with `[address]` in place of each e-mail address: customers' are not kept."""
    return _ADDRESS.sub("[address]", text)


def one_line(text: str, longest: int) -> str:
    """Return the text printable, on one line, and at most `longest` characters long."""
    return cut(" ".join(printable(text).split()), longest)

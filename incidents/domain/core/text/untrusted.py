"""Text that comes from outside, made safe to store and to show."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
"""Control characters but newline and tab, those that turn the direction of what follows, and what no XML may hold."""
_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character. JSON can spell it (`"\\ud800"`), an argument that is not UTF-8 becomes one; UTF-8 has none."""

_ADDRESS = re.compile(r"[^\s<>\"'(),;:=\\]+@[^\s<>\"'(),;:\\]+")


_ELLIPSIS = "…".encode()
_JOINER, _TONES = "\u200d", tuple(map(chr, range(0x1F3FB, 0x1F400)))
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
"""Two of them make a flag."""
_LONGEST_CLUSTER = 32


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


def cut(text: str, longest: int) -> str:
    """Return the text, or as much of its start as leaves room for a `…`. `longest`: characters.

    No character as people see it is cut in two, such as a letter and its accent, a flag, or a family of emoji.
    """
    return text if len(text) <= longest else f"{text[: _whole(text, max(longest - 1, 0))]}…"


def cut_bytes(text: str, longest: int) -> str:
    """Return the text, or as much of its start as fits into `longest` bytes of UTF-8 with a `…`; at least three."""
    data = text.encode("utf-8", "replace")
    if len(data) <= longest:
        return data.decode()
    readable = data.decode()
    fits = len(data[: longest - len(_ELLIPSIS)].decode("utf-8", "ignore"))
    return f"{readable[: _whole(readable, fits)]}…"


def _whole(text: str, end: int) -> int:
    """Return the last place at or before `end` that is not within a character as people see it.

    The rules of UAX #29 that matter here. A longer run of marks than any language has is cut anywhere.
    """
    for place in range(end, max(end - _LONGEST_CLUSTER, 0), -1):
        if not _joins(text, place):
            return place
    return end if end > _LONGEST_CLUSTER else 0


def _joins(text: str, place: int) -> bool:
    """Tell whether what is before and after that place is one character to people."""
    before, after = text[place - 1], text[place]
    if after in (_JOINER, *_TONES) or before == _JOINER or unicodedata.category(after) in ("Mn", "Mc", "Me"):
        return True
    flags = len(text[:place]) - len(text[:place].rstrip(_FLAG_LETTERS))
    return after in _FLAG_LETTERS and flags % 2 == 1


def without_addresses(text: str) -> str:
    """Return the text with `[address]` in place of each e-mail address: customers' are not kept."""
    return _ADDRESS.sub("[address]", text)


def one_line(text: str, longest: int) -> str:
    """Return the text printable, on one line, and at most `longest` characters long."""
    return cut(" ".join(printable(text).split()), longest)

"""Text cut to a length where somebody sets a limit: a vendor, a screen, Temporal."""

import unicodedata

_ELLIPSIS = "…".encode()
_JOINER, _TONES = "\u200d", tuple(map(chr, range(0x1F3FB, 0x1F400)))
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
"""Two of them make a flag."""
_LONGEST_CLUSTER = 32


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

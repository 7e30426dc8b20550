"""Group log lines that differ only in numbers and ids, with how often and when they came."""

import re
from collections.abc import Iterable
from datetime import datetime

from pydantic import AwareDatetime

from incidents.cutting import cut
from incidents.domain.core.base import Frozen

_LONGEST = 160
_VARIES = re.compile(r"\b0x[0-9a-f]+\b|\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b(?=[a-f]*\d)[0-9a-f]{12,}\b|\d+", re.IGNORECASE)
"""Addresses, UUIDs, long hexadecimal ids and numbers."""


class LogGroup(Frozen):
    """Lines alike: the newest of them, how many there are, and when the first and the last came."""

    text: str
    count: int
    first: AwareDatetime
    last: AwareDatetime

    @property
    def said(self) -> str:
        """The group in one line: `12x (14:01:05 to 14:06:10 UTC) connection refused`."""
        when = f"{self.first:%H:%M:%S}"
        if self.last > self.first:
            when += f" to {self.last:%H:%M:%S}"
        return f"{self.count}x ({when} UTC) {self.text}"


def group_lines(lines: Iterable[tuple[datetime, str]]) -> list[LogGroup]:
    """Return the groups, the most frequent first, at the same count the newest first. `lines`: UTC time and text."""
    found: dict[str, list[tuple[datetime, str]]] = {}
    for at, line in lines:
        text = " ".join(line.split())
        found.setdefault(_VARIES.sub("#", text), []).append((at, text))
    groups = [_group(sorted(alike)) for alike in found.values()]
    return sorted(groups, key=lambda group: (-group.count, -group.last.timestamp(), group.text))


def _group(alike: list[tuple[datetime, str]]) -> LogGroup:
    return LogGroup(text=cut(alike[-1][1], _LONGEST), count=len(alike), first=alike[0][0], last=alike[-1][0])

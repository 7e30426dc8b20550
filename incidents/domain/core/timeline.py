"""The timeline: what happened, when, and who did it. Append-only, in the order in which the incident learnt of it.

Its entries form a hash chain: each entry's hash is SHA-256 of the hash of the entry before it ("" for the first) and
the entry as canonical JSON. No entry is ever changed or removed, so the hash of the last one, the head, proves all.
"""

import hashlib
import json
from collections.abc import Iterable
from enum import StrEnum
from itertools import accumulate

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen

SYSTEM = "system"
"""The actor of automatic timeline entries."""


class Kind(StrEnum):
    """What a timeline entry is about."""

    OPENED = "opened"
    ALERT = "alert"
    PAGE = "page"
    ACKNOWLEDGED = "acknowledged"
    ASSESSED = "assessed"
    SEVERITY = "severity"
    STATUS = "status"
    UPDATE = "update"
    DELIVERY = "delivery"
    ESCALATION = "escalation"
    CHECKLIST = "checklist"
    INVESTIGATION = "investigation"
    ROLLBACK = "rollback"
    CONFIRMATION = "confirmation"
    NOTE = "note"
    ROLE = "role"
    REFUSED = "refused"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    CANCELLED = "cancelled"
    POSTMORTEM = "postmortem"


TURNS = (Kind.ACKNOWLEDGED, Kind.SEVERITY, Kind.ESCALATION, Kind.STATUS, Kind.RESOLVED, Kind.REOPENED, Kind.CANCELLED)
"""Entries that invalidate an escalation button posted before them."""

TARGET_MISSED = "Target missed: "
"""What the entry of a missed target begins with."""


class Entry(Frozen):
    """One line of the timeline.

    `at` is when the incident learnt of it (workflow time, never decreasing); `happened_at` is when it happened, where
    that is known to be earlier. `announce` asks for the line to be said in the incident's channel; `mentions`: the
    people who are notified of it there; `decision`: the cluster whose rollback a person has to decide on.
    """

    sequence: int
    at: AwareDatetime
    actor: str
    kind: Kind
    text: str
    happened_at: AwareDatetime | None = None
    announce: bool = False
    mentions: tuple[str, ...] = ()
    decision: str = ""

    @property
    def canonical(self) -> str:
        """The entry as canonical JSON: keys sorted, no blanks, ASCII only.

        Fields with their default are left out, so that a field added later does not change the hash of older entries.
        """
        fields = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))


_SHORT = 16
"""Digits of a hash that people compare."""


class TimelineHead(Frozen):
    """The state of a timeline at one moment. `entries`: the number of its last entry; `sha256`: that entry's hash."""

    entries: int
    sha256: str

    def __str__(self) -> str:
        """Return it as people compare it and type it: `57:3f2a9c01b4de99aa`."""
        return f"{self.entries}:{self.sha256[:_SHORT]}"


def entry_hash(previous: str, entry: Entry) -> str:
    """Return the hash of an entry. `previous`: the hash of the entry before it; "" for the first."""
    return hashlib.sha256(f"{previous}{entry.canonical}".encode()).hexdigest()


def entry_hashes(previous: str, entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return the hash of each entry. `previous`: the hash of the entry before the first one."""
    return tuple(accumulate(entries, entry_hash, initial=previous))[1:]

"""The timeline: what happened, when, and who did it. Append-only, in the order in which the incident learnt of it."""

from enum import StrEnum

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

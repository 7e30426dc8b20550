"""The timeline: what happened, when, and who did it. Append-only, in the order in which the incident learnt of it."""

from enum import StrEnum

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen

SYSTEM = "system"
"""The actor of what the program did by itself."""


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


class Entry(Frozen):
    """One line of the timeline.

    `at` is when the incident learnt of it (workflow time, never decreasing); `happened_at` is when it happened, where
    that is known to be earlier. `announce` asks for the line to be said in the incident's channel.
    """

    sequence: int
    at: AwareDatetime
    actor: str
    kind: Kind
    text: str
    happened_at: AwareDatetime | None = None
    announce: bool = False

"""What alerts would do to one incident, in words."""

from enum import StrEnum

from incidents.domain.core.base import Frozen


class Outcome(StrEnum):
    """What would happen."""

    OPEN = "open"
    TRIAGE = "triage"
    WAIT = "wait"
    JOIN = "join"
    REOPEN = "reopen"
    IGNORED = "ignored"


class Effect(Frozen):
    """What would happen, and who would be paged."""

    outcome: Outcome
    summary: str
    pages: str

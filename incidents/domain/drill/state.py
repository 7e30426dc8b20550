"""What an incident remembers of a drill: its review."""

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen


class DrillReview(Frozen):
    """What the participants found: what went well, and what the runbook or the program lacks."""

    at: AwareDatetime
    by: str
    text: str


class DrillState(Frozen):
    """The review of a drill; None until it is recorded, and always for a real incident."""

    review: DrillReview | None = None

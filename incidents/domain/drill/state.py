"""What an incident remembers of a drill: what is played, and its review."""

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen


class DrillReview(Frozen):
    """What the participants found: what went well, and what the runbook or the program lacks."""

    at: AwareDatetime
    by: str
    text: str


class DrillState(Frozen):
    """`review`: None until it is recorded. `scenario`: the one that is played; "" without a script."""

    scenario: str = ""
    review: DrillReview | None = None

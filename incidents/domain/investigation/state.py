"""What an incident remembers of the investigation: the suggested blast radius."""

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen


class InvestigationState(Frozen):
    """The suggestion and when it was made; how often responders were asked to confirm it, and when they last were."""

    suggested: str = ""
    suggested_at: AwareDatetime | None = None
    asked: int = 0
    asked_at: AwareDatetime | None = None

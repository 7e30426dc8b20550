"""What an incident remembers of having been left open."""

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen


class LeftOpenState(Frozen):
    """How often, and when last, it was asked whether the incident is over although nobody acts.

    `unread_at`: when the channel could not be read last, to see whether anybody acts.
    """

    asked: int = 0
    asked_at: AwareDatetime | None = None
    unread_at: AwareDatetime | None = None

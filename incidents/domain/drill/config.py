"""What runbook.yaml says of drills: who takes part, where and when they are played, and when they are reviewed."""

from datetime import time, timedelta
from typing import Self

from pydantic import Field, model_validator

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.calendar import Day, Weekday
from incidents.domain.core.time.duration import Duration

QUARTERS = (1, 4, 7, 10)
"""The months of the quarterly drill."""
SECOND_WEEK = (8, 14)
"""The first and the last day of the month on which it may be: one day of each name, and none near a new year."""
LATEST_START = timedelta(hours=1)
"""After an outage at its time: a drill that would start later waits for the next quarter."""


class QuarterlyDrill(Frozen):
    """A drill in the second week of January, April, July and October, in the calendar's time zone.

    `scenario`: the name of a shipped one (`incident rehearse --list`), or a file beside runbook.yaml.
    """

    scenario: str = Field(min_length=1, max_length=200)
    day: Day = Weekday.TUE
    at: time = time(10)


class DrillRules(Frozen):
    """A drill reaches only its participants.

    `channel`: the id of the chat channel for every message of a drill; empty: chat is off. `participants`: contacts
    who get its mails, direct messages and invitations. `page_participants`: those of them who have a pager of their own
    are really paged. `review_within` of the resolution the drill is to be reviewed, and
    `remind_before` that the participants are reminded. `quarterly`: a drill that starts by itself; unset: none.
    """

    channel: str = ""
    participants: tuple[str, ...] = ()
    page_participants: bool = False
    review_within: Duration = timedelta(hours=48)
    remind_before: Duration = timedelta(hours=24)
    quarterly: QuarterlyDrill | None = None

    @model_validator(mode="after")
    def _has_participants(self) -> Self:
        if self.quarterly is not None and not self.participants:
            raise ValueError("quarterly: nobody takes part; name the participants")
        return self

"""What runbook.yaml says of drills: who takes part, where it is played, and when it is reviewed."""

from datetime import timedelta

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.duration import Duration


class DrillRules(Frozen):
    """A drill reaches only its participants.

    `channel`: the id of the chat channel for every message of a drill; empty: chat is off. `participants`: contacts
    who get its mails, direct messages and invitations. `page_participants`: those of them who have a pager of their own
    are really paged. `review_within` of the resolution the drill is to be reviewed, and
    `remind_before` that the participants are reminded.
    """

    channel: str = ""
    participants: tuple[str, ...] = ()
    page_participants: bool = False
    review_within: Duration = timedelta(hours=48)
    remind_before: Duration = timedelta(hours=24)

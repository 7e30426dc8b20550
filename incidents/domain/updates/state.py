"""What an incident remembers of status updates: those published, and what the next one says."""

from datetime import timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from incidents.domain.config.communication import Channel
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.core.status import Status
from incidents.domain.core.text.public_text import PublicText

PUNCTUAL = timedelta(minutes=1)
"""An update is on time if it was published within this delay after it was due."""


class UpdateKind(StrEnum):
    """Why a status update went out."""

    INITIAL = "initial"
    SCHEDULED = "scheduled"
    MANUAL = "manual"
    SEVERITY = "severity"
    STATUS = "status"
    FINAL = "final"


class StatusUpdate(Frozen):
    """One published status update; `channels`: where it is published. `sequence` never goes back on a channel."""

    sequence: int
    kind: UpdateKind
    at: AwareDatetime
    due: AwareDatetime
    severity: Severity
    status: Status
    text: PublicText
    news: bool
    next_at: AwareDatetime | None
    channels: tuple[Channel, ...]
    by: str

    @property
    def has_due_time(self) -> bool:
        """Tell whether it was due at a time, by the cadence."""
        return self.kind in (UpdateKind.INITIAL, UpdateKind.SCHEDULED)

    @property
    def is_on_time(self) -> bool:
        """Tell whether it was published within a minute of its due time."""
        return self.at - self.due <= PUNCTUAL


class PublicFact(Frozen):
    """Something that happened, in words that customers may read."""

    at: AwareDatetime
    text: PublicText


class Hold(Frozen):
    """The update of that number is held back until then, by a responder."""

    sequence: int
    until: AwareDatetime
    by: str


class UpdatesState(Frozen):
    """Status updates.

    `published`: the newest ones, and those older ones that a rule looks at; the others are in the archive. `anchor`:
    from when the cadence counts. `next_words`: what responders saved for the next update, `draft` what they wrote for
    it in full. `no_news` counts the updates in a row that said "no change"; `news`: facts since the last one.
    `components`: those of the status page that an update showed as affected. `titles` counts the changes of the title.
    `redactions`: how often the incident became private while the status page showed it. `bounced`: the customers of
    whom it was noted that mail does not reach them, by name. `bounce_events`: ids of the newest events about
    escalations whose mail bounced.
    """

    published: tuple[StatusUpdate, ...] = ()
    anchor: AwareDatetime | None = None
    next_words: PublicText = PublicText()
    hold: Hold | None = None
    draft: PublicText = PublicText()
    draft_at: AwareDatetime | None = None
    no_news: int = 0
    news: tuple[PublicFact, ...] = ()
    components: tuple[str, ...] = ()
    titles: int = 0
    redactions: int = 0
    bounced: tuple[str, ...] = ()
    bounce_events: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many were published, with those in the archive; the newest is always at hand."""
        return self.published[-1].sequence if self.published else 0

    def numbered(self, sequence: int) -> StatusUpdate:
        """Return the update of that number.

        Raises:
            LookupError: it is in the archive; nothing is owed of such an update.
        """
        for update in reversed(self.published):
            if update.sequence == sequence:
                return update
        raise LookupError(f"update {sequence} is in the archive")

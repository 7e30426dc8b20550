"""What is tried again later, such as what the evidence store could not take or give: for how long, and how often."""

from datetime import datetime, timedelta
from enum import StrEnum

from incidents.domain.core.keys import Key
from incidents.domain.core.ledger import Ledger, Postponed


class Postpones(StrEnum):
    """Why a failed obligation is tried again later. The values are Temporal patches: older histories gave it up."""

    UNSAVED = "store-again"
    """The evidence store could not take it."""
    UNPROPOSED = "proposal-again"
    """The document could not be read from the evidence store, or the repository did not take it."""


_FIRST_PAUSE = timedelta(minutes=30)
_LONGEST_PAUSE = timedelta(hours=4)
TRIED_FOR = timedelta(days=7)
"""From the first failure. After that it is a failure like any other, which a person has to settle."""


def postpone(ledger: Ledger, key: Key, reason: str, at: datetime) -> Postponed | None:
    """Return when an obligation that has just failed is tried again; None if it was tried for long enough."""
    known = ledger.postponement(key)
    since, times = (known.since, known.times + 1) if known is not None else (at, 1)
    if at - since >= TRIED_FOR:
        return None
    pause = min(_FIRST_PAUSE * 2 ** min(times - 1, 10), _LONGEST_PAUSE)
    return Postponed(key=key, reason=reason, since=since, until=at + pause, times=times)


def describe_postponed(summary: str, postponed: Postponed) -> str:
    """Say what is not done yet, why, and what happens next."""
    return (
        f"Not done yet: {summary} ({postponed.reason}). Nothing is lost: the next attempt is at"
        f" {postponed.until:%H:%M} UTC, and it is repeated for {TRIED_FOR.days} days"
    )

"""Which started maintenance windows the site goes on showing: those that are over stay in its history."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from incidents.domain.status_site.components import HISTORY_DAYS
from incidents.domain.status_site.published import PublicWindow


def keep_windows(
    known: Iterable[PublicWindow], started: Iterable[PublicWindow], now: datetime
) -> tuple[PublicWindow, ...]:
    """Return the windows to remember, the earliest first.

    `known`: those that the site showed; `started`: those that responders have started and not ended. One that was ended
    before its time ends now; one that had not begun is forgotten.
    """
    running = {_place(window): window for window in started}
    past = {_place(window): window.replace(until=min(window.until, now)) for window in known if window.since < now}
    oldest = now - timedelta(days=HISTORY_DAYS)
    kept = (window for window in (past | running).values() if window.until > oldest)
    return tuple(sorted(kept, key=lambda window: (window.since, window.components, window.regions)))


def _place(window: PublicWindow) -> tuple[datetime, tuple[str, ...], tuple[str, ...]]:
    return window.since, window.components, window.regions

"""The bounds of an instant that comes from outside: from 2000 to one hour ahead of its arrival.

A sender that does not know when an alert began sends its language's zero time: year 1 (Go), 1970 (C), 0 seconds. A
duration subtracted from year 1 raises OverflowError, in a workflow forever. Before 2000 no system that this runbook is
for existed. An hour ahead covers a clock that is wrong and a time zone that was dropped for it, and no more: a start
further ahead would postpone what is counted from it.
"""

from datetime import UTC, date, datetime, timedelta

from incidents.cutting import cut

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=1)
LATEST_DAY = date(2099, 12, 31)
"""The last day that something may be due: days are counted on from there."""


def fault(instant: datetime, at: datetime) -> str:
    """Return how an instant that arrived at `at` is out of bounds, as `before 2000`; "" if it is not."""
    if instant < EARLIEST:
        return f"before {EARLIEST.year}"
    return "more than 1 h in the future" if instant - at > AHEAD else ""


def bounded(instant: datetime, at: datetime) -> datetime:
    """Return the instant, or `at`, its arrival, if it is out of bounds."""
    return at if fault(instant, at) else instant


def parse_instant(text: str) -> datetime:
    """Return the time that a person typed in ISO 8601; UTC without an offset.

    Raises:
        ValueError: it is none. The message is one line.
    """
    try:
        typed = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{cut(text, 40)!r} is not an ISO 8601 time, such as 2026-11-23T14:02:00Z") from None
    return typed if typed.tzinfo else typed.replace(tzinfo=UTC)


def day_fault(day: date | None) -> str:
    """Return how a day that something is due on is out of bounds; "" if it is not, or if there is none."""
    if day is None or EARLIEST.date() <= day <= LATEST_DAY:
        return ""
    return f"{day.isoformat()} does not lie between {EARLIEST.year} and {LATEST_DAY.year}"


def written(instant: datetime) -> str:
    """Return an instant in words, as it was claimed: one near year 1 cannot be moved into another time zone."""
    return instant.isoformat(" ", "seconds").replace("+00:00", " UTC")


def not_used(what: str, claimed: datetime, used: datetime) -> str:
    """Return the line of the timeline for an instant that was out of bounds: what was claimed and what is used."""
    why = fault(claimed, used) or "out of range"
    return f"{what} ignored: {written(claimed)} is {why}; using the time of arrival, {written(used)}"

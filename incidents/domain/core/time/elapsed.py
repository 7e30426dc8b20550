"""Durations for people. No pydantic here: `incident list` would wait for it."""

from datetime import UTC, datetime, timedelta


def in_words(span: timedelta) -> str:
    """Say a duration shortly, rounded to seconds: `45s`, `30m`, `1h 30m`, `2d`."""
    seconds = round(abs(span.total_seconds()))
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def roughly(span: timedelta) -> str:
    """Say a duration in whole minutes if it is over one: `45s`, `39m`, `1h 30m`."""
    return in_words(span if abs(span) < timedelta(minutes=1) else timedelta(minutes=abs(span) // timedelta(minutes=1)))


def countdown(due: datetime, now: datetime) -> str:
    """Return when something is due: `in 12m`, `now`, `3m overdue`."""
    left = due - now
    if abs(left.total_seconds()) < 1:
        return "now"
    return f"in {in_words(left)}" if left.total_seconds() > 0 else f"{in_words(left)} overdue"


def clock_at(instant: datetime, now: datetime) -> str:
    """Return a time in UTC, with month and day if it is not today: `14:03:00`, `11-23 14:03:00`."""
    day = "" if instant.astimezone(UTC).date() == now.astimezone(UTC).date() else "%m-%d "
    return f"{instant.astimezone(UTC):{day}%H:%M:%S}"

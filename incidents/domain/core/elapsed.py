"""Durations for people. No pydantic here: `incident list` would wait for it."""

from datetime import timedelta


def in_words(span: timedelta) -> str:
    """Say a duration shortly, rounded to seconds: `45s`, `30m`, `1h 30m`, `2d`."""
    seconds = round(abs(span.total_seconds()))
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"

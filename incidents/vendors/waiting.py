"""How long a vendor asks us to wait."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_WAIT = timedelta(days=1)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> timedelta | None:
    """How long the vendor asks us to wait.

    `Retry-After` holds seconds (Slack, the edge of the Ops Portal), an HTTP date, or an ISO time (Zoom); PagerDuty
    sends `ratelimit-reset` in seconds; GitHub and SendGrid send `x-ratelimit-reset` as an epoch, which GitHub means
    only when nothing remains.
    """
    asked = headers.get("retry-after") or headers.get("ratelimit-reset")
    if not asked and headers.get("x-ratelimit-remaining", "0") == "0":
        asked = headers.get("x-ratelimit-reset")
    seconds = _seconds(asked.strip(), now.timestamp() if now else time.time()) if asked else None
    if seconds is None:
        return None
    return timedelta(seconds=min(max(seconds, 0.0), LONGEST_WAIT.total_seconds()))


def _seconds(asked: str, now: float) -> float | None:
    """From now on, for a number of seconds, an epoch or a date; None for anything else."""
    if re.fullmatch(r"-?\d+(\.\d+)?", asked):
        number = float(asked)
        return number - now if number > 1e9 else number
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(asked)
        except ValueError:
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    return None

"""Durations as an SRE writes them in runbook.yaml: `90s`, `30m`, `4h`, `2d`, and `1 business day`."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, model_validator

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.elapsed import in_words

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_ELAPSED = re.compile(r"(\d+)\s*([smhd])")
_BUSINESS = re.compile(r"(\d+)\s+business\s+days?")


def parse_duration(value: Any) -> Any:
    """Turn `"1h 30m"` into a timedelta; leave to pydantic whatever is not written that way (ISO 8601, timedelta).

    Raises:
        ValueError: a number without a unit, which could mean seconds to one reader and minutes to another.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{value} has no unit: write 90s, 30m, 4h or 2d")
    if isinstance(value, str) and not value.startswith(("P", "-P")):
        parts = _ELAPSED.findall(value)
        if not parts or _ELAPSED.sub("", value).strip():
            raise ValueError(f"{value!r} is not a duration: write 90s, 30m, 4h, 2d or 1h 30m")
        return timedelta(**{_UNITS[unit]: sum(int(n) for n, u in parts if u == unit) for _, unit in parts})
    return value


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


class Term(Frozen):
    """How long something may take: elapsed time, or whole business days of the organisation's calendar."""

    elapsed: Duration | None = None
    business_days: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, dict | Term):
            return value
        if isinstance(value, str) and (match := _BUSINESS.fullmatch(value.strip())):
            return {"business_days": int(match[1])}
        return {"elapsed": parse_duration(value)}

    @property
    def words(self) -> str:
        """Return it in words, such as `4h` or `2 business days`."""
        if self.business_days is not None:
            return f"{self.business_days} business day{'s' if self.business_days != 1 else ''}"
        return in_words(self.elapsed) if self.elapsed is not None else "no time"

"""The organisation's calendar: its time zone, working days, hours and holidays (runbook.yaml, `calendar`)."""

from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, model_validator

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.duration import Term


class Weekday(IntEnum):
    """Days as `datetime.weekday` counts them."""

    MON = 0
    TUE = 1
    WED = 2
    THU = 3
    FRI = 4
    SAT = 5
    SUN = 6


def _weekday(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return Weekday[value[:3].upper()]
        except KeyError:
            raise ValueError(f"{value!r} is not a day: write mon, tue, wed, thu, fri, sat or sun") from None
    return value


Day = Annotated[Weekday, BeforeValidator(_weekday)]
"""A weekday, as a file names it."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone: write a name such as Europe/Berlin") from None
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
"""The name of a time zone."""


class Calendar(Frozen):
    """When the organisation works. Instants are UTC everywhere else; only this module looks at the wall clock."""

    time_zone: Zone = "UTC"
    working_days: tuple[Day, ...] = (
        Weekday.MON,
        Weekday.TUE,
        Weekday.WED,
        Weekday.THU,
        Weekday.FRI,
    )
    opens: time = time(9)
    closes: time = time(18)
    holidays: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _some_work(self) -> "Calendar":
        if not self.working_days:
            raise ValueError("at least one working day is needed, or business days never pass")
        if self.opens >= self.closes:
            raise ValueError("opens must be before closes")
        return self

    def is_working_day(self, day: date) -> bool:
        """Tell whether people work on that day in the organisation's zone."""
        return day.weekday() in self.working_days and day not in self.holidays

    def add_business_days(self, start: datetime, days: int) -> datetime:
        """Return the same wall-clock time, `days` working days later; a day off counts from the next opening.

        The wall-clock time is kept over a change to or from daylight saving time: Friday 17:00 plus two business
        days is Tuesday 17:00 (behaviour 68).
        """
        zone = ZoneInfo(self.time_zone)
        local = start.astimezone(zone)
        day, clock = local.date(), local.time()
        if not self.is_working_day(day):
            day, clock = self._next_working_day(day), self.opens
        for _ in range(days):
            day = self._next_working_day(day)
        return datetime.combine(day, clock, zone).astimezone(UTC)

    def deadline(self, start: datetime, term: Term) -> datetime:
        """Return the instant at which `term`, counted from `start`, is over. Never before `start`."""
        if term.business_days is not None:
            return self.add_business_days(start, term.business_days)
        return start + (term.elapsed or timedelta())

    def is_open(self, instant: datetime) -> bool:
        """Tell whether people are at work at that instant."""
        local = instant.astimezone(ZoneInfo(self.time_zone))
        return self.is_working_day(local.date()) and self.opens <= local.time() < self.closes

    def next_open(self, instant: datetime) -> datetime:
        """Return the instant itself if people are at work then, else the next opening."""
        if self.is_open(instant):
            return instant
        zone = ZoneInfo(self.time_zone)
        local = instant.astimezone(zone)
        day = local.date()
        if not self.is_working_day(day) or local.time() >= self.closes:
            day = self._next_working_day(day)
        return datetime.combine(day, self.opens, zone).astimezone(UTC)

    def in_brackets(self, instant: datetime) -> str:
        """Write an instant for people: UTC always, the organisation's wall clock in brackets if it is another zone."""
        utc = instant.astimezone(UTC)
        text = f"{utc:%Y-%m-%d %H:%M} UTC"
        local = instant.astimezone(ZoneInfo(self.time_zone))
        if local.utcoffset() == timedelta():
            return text
        day = "" if local.date() == utc.date() else f"{local:%Y-%m-%d} "
        return f"{text} ({day}{local:%H:%M} {local:%Z})"

    def _next_working_day(self, day: date) -> date:
        day += timedelta(days=1)
        while not self.is_working_day(day):
            day += timedelta(days=1)
        return day

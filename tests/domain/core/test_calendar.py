"""The organisation's calendar: business days, holidays, zones, daylight saving."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.core.time.calendar import Calendar
from incidents.domain.core.time.duration import Term

BERLIN = Calendar(time_zone="Europe/Berlin", holidays=(date(2026, 12, 25),))


def local(calendar: Calendar, instant: datetime) -> str:
    return instant.astimezone(ZoneInfo(calendar.time_zone)).strftime("%a %d %H:%M")


def berlin(day: int, month: int, hour: int) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)


def test_68_friday_17_plus_two_business_days_is_tuesday_17() -> None:
    assert local(BERLIN, BERLIN.add_business_days(berlin(20, 11, 17), 2)) == "Tue 24 17:00"


def test_68_a_change_of_the_clocks_keeps_the_wall_clock_time() -> None:
    start = berlin(23, 10, 17)  # Friday; the clocks go back on Sunday the 25th
    due = BERLIN.add_business_days(start, 2)
    assert local(BERLIN, due) == "Tue 27 17:00"
    assert due - start == timedelta(days=4, hours=1)


def test_holidays_are_no_business_days() -> None:
    assert local(BERLIN, BERLIN.add_business_days(berlin(24, 12, 10), 1)) == "Mon 28 10:00"


def test_a_start_on_a_day_off_counts_from_the_next_opening() -> None:
    assert local(BERLIN, BERLIN.add_business_days(berlin(21, 11, 3), 1)) == "Tue 24 09:00"


def test_elapsed_time_knows_no_weekend() -> None:
    start = berlin(23, 10, 17)
    assert BERLIN.deadline(start, Term(elapsed=timedelta(hours=48))) == start + timedelta(hours=48)


def test_40_utc_always_and_the_organisations_clock_in_brackets() -> None:
    assert Calendar().in_brackets(datetime(2026, 11, 23, 14, tzinfo=UTC)) == "2026-11-23 14:00 UTC"
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert BERLIN.in_brackets(late) == "2026-11-23 23:30 UTC (2026-11-24 00:30 CET)"


def test_40_a_change_of_the_clocks_moves_no_instant() -> None:
    before, after = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert BERLIN.in_brackets(before) == "2026-10-25 00:30 UTC (02:30 CEST)"
    assert BERLIN.in_brackets(after) == "2026-10-25 01:30 UTC (02:30 CET)"


@given(
    st.integers(0, 15 * 365 * 24 * 60).map(
        lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    st.integers(0, 30),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
)
def test_a_business_deadline_is_a_working_day_and_never_before_its_start(start: datetime, days: int, zone: str) -> None:
    calendar = Calendar(time_zone=zone, opens=time(9), holidays=(date(2026, 1, 1),))
    due = calendar.add_business_days(start, days)
    assert due >= start - timedelta(hours=1), "an hour that the clocks skip may move it, nothing else"
    assert calendar.is_working_day(due.astimezone(ZoneInfo(zone)).date())

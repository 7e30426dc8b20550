"""Schedule the review at the engineering all-hands, and its invitation (runbook, "Post-Mortem Process")."""

from collections.abc import Iterable
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar, Event, vCalAddress

from incidents.domain.postmortem.config import ReviewRules


def next_meeting(after: datetime, rules: ReviewRules) -> datetime:
    """Return the first meeting after that instant, in UTC.

    The rule counts days on the wall clock of its zone, so the meeting keeps its hour across DST changes.

    Raises:
        ValueError: the rule has no later meeting.
    """
    zone = ZoneInfo(rules.time_zone)
    days = rrulestr(rules.rule, dtstart=datetime.combine(rules.since, time()))
    day = days.after(after.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None), inc=True)
    while day is not None:
        meeting = datetime.combine(day.date(), rules.at, zone).astimezone(UTC)
        if meeting > after:
            return meeting
        day = days.after(day)
    raise ValueError(f"{rules.rule!r} has no meeting after {after:%Y-%m-%d}")


def invitation(uid: str, title: str, url: str, at: datetime, rules: ReviewRules, sent_at: datetime) -> str:
    """Return the invitation as iCalendar text (RFC 5545), without attendees: `invite` adds them.

    A later one with the same `uid` updates it.
    """
    event = Event()
    event.add("uid", uid)
    event.add("sequence", int(sent_at.timestamp()) // 60)
    event.add("dtstamp", sent_at.astimezone(UTC))
    event.add("dtstart", at.astimezone(UTC))
    event.add("dtend", at.astimezone(UTC) + rules.lasts)
    event.add("summary", title)
    event.add("description", f"Post-mortem: {url}" if url else "Post-mortem review.")
    calendar = Calendar()
    calendar.add("prodid", "-//incident-runbook//post-mortem//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "REQUEST")
    calendar.add_component(event)
    return bytes(calendar.to_ical()).decode()


def invite(text: str, attendees: Iterable[str]) -> str:
    """Return the invitation with these addresses as its attendees. They are known only where mail is sent."""
    calendar = Calendar.from_ical(text)
    for event in calendar.walk("VEVENT"):
        for address in attendees:
            event.add("attendee", vCalAddress(f"mailto:{address}"))
    return bytes(calendar.to_ical()).decode()

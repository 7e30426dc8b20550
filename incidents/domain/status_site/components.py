"""The state of components now and on each of the last days, derived from what was published."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.status_site.published import PublicWindow, PublishedIncident

OPERATIONAL, UNDER_MAINTENANCE, NO_DATA = "operational", "under_maintenance", "no_data"
STATES = (OPERATIONAL, UNDER_MAINTENANCE, "degraded_performance", "partial_outage", "major_outage")
"""The states of a component, best first."""
HISTORY_DAYS = 90


class Overall(StrEnum):
    """The state of the whole site, in one word."""

    INCIDENT = "incident"
    MAINTENANCE = "maintenance"
    OPERATIONAL = "operational"


class Component(Frozen):
    """A service as customers know it, and the public names of its regions."""

    name: str
    regions: tuple[str, ...]


class Span(Frozen):
    """For how long components were in a state. `until` unset: they still are. No names: all of them."""

    since: AwareDatetime
    until: AwareDatetime | None
    state: str
    components: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def concerns(self, component: str, region: str) -> bool:
        """Tell whether it is about that component in that region ("": in any)."""
        named = not self.components or component in self.components
        return named and (not self.regions or not region or region in self.regions)

    def overlaps(self, since: datetime, until: datetime) -> bool:
        """Tell whether any of it lies in that time."""
        return self.since < until and (self.until is None or self.until > since)


class Day(Frozen):
    """The worst state of a component on a day (UTC). `no_data`: the site did not exist yet."""

    day: date
    state: str


def components_of(runbook: RunbookConfig) -> tuple[Component, ...]:
    """Return the components that the site lists: the runbook's services, in its order."""
    names = {region.name: region.public_name or region.name for region in runbook.regions}
    return tuple(
        Component(name=service.public_name, regions=tuple(names[name] for name in service.regions if name in names))
        for service in runbook.services
    )


def overall(incidents: Iterable[PublishedIncident], windows: Iterable[PublicWindow], now: datetime) -> Overall:
    """Return the state of the site: an open incident counts before maintenance that is in progress."""
    if any(incident.is_open for incident in incidents):
        return Overall.INCIDENT
    if any(window.since <= now < window.until for window in windows):
        return Overall.MAINTENANCE
    return Overall.OPERATIONAL


def spans_of(incidents: Iterable[PublishedIncident], windows: Iterable[PublicWindow]) -> tuple[Span, ...]:
    """Return every time in which a component was not operational: each update counts until the next one."""
    found = [span for incident in incidents for span in _spans(incident)]
    found += [
        Span(
            since=window.since,
            until=window.until,
            state=UNDER_MAINTENANCE,
            components=window.components,
            regions=window.regions,
        )
        for window in windows
    ]
    return tuple(found)


def _spans(incident: PublishedIncident) -> Iterator[Span]:
    until: datetime | None = None
    for update in incident.updates:
        for component, state in update.affected.items():
            if state in STATES[1:]:
                yield Span(since=update.at, until=until, state=state, components=(component,), regions=update.regions)
        until = update.at


def state_at(component: str, region: str, spans: Iterable[Span], at: datetime) -> str:
    """Return the worst state of a component in a region ("": in any) at that moment."""
    shown = [
        s.state for s in spans if s.since <= at and (s.until is None or at < s.until) and s.concerns(component, region)
    ]
    return max(shown, key=STATES.index, default=OPERATIONAL)


def history_of(component: str, spans: Iterable[Span], first: datetime, now: datetime) -> tuple[Day, ...]:
    """Return the last days of a component, the oldest first. `first`: since when the site exists."""
    concerned = [span for span in spans if span.concerns(component, "")]
    today = now.astimezone(UTC).date()
    days = (today - timedelta(days=back) for back in range(HISTORY_DAYS - 1, -1, -1))
    return tuple(Day(day=day, state=_worst(day, concerned, first, now)) for day in days)


def _worst(day: date, spans: Iterable[Span], first: datetime, now: datetime) -> str:
    """Return the worst state of a day, as far as it has passed."""
    since = datetime.combine(day, time(), UTC)
    until = min(since + timedelta(days=1), now + timedelta(microseconds=1))
    found = [span.state for span in spans if span.overlaps(since, until)]
    known = since + timedelta(days=1) > first
    return max(found, key=STATES.index, default=OPERATIONAL if known else NO_DATA)

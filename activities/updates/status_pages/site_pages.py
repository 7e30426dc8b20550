"""The files of the static status site, rendered from what was published."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, assert_never

from icalendar import Calendar, Event
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.public_texts import fill
from incidents.domain.config.status_page import SiteTexts
from incidents.domain.core.text.escaping import html_value
from incidents.domain.status_site.components import (
    HISTORY_DAYS,
    NO_DATA,
    OPERATIONAL,
    Component,
    Day,
    Overall,
    Span,
    components_of,
    history_of,
    overall,
    spans_of,
    state_at,
)
from incidents.domain.status_site.published import PublicWindow, PublishedIncident

INDEX = "index.html"
_LISTED = 50
"""Incidents that are over, and updates of the feeds, at most. Every open incident is shown."""


@dataclass(frozen=True)
class Published:
    """All that the site shows. `since`: when it began to exist; `now`: what it is rendered for."""

    incidents: tuple[PublishedIncident, ...]
    windows: tuple[PublicWindow, ...]
    since: datetime
    now: datetime

    @property
    def open(self) -> tuple[PublishedIncident, ...]:
        """Every incident that is not resolved."""
        return tuple(incident for incident in self.incidents if incident.is_open)

    @property
    def past(self) -> tuple[PublishedIncident, ...]:
        """The newest incidents that are over."""
        return tuple(incident for incident in self.incidents if not incident.is_open)[:_LISTED]

    @property
    def overall(self) -> Overall:
        """The state of the whole site."""
        return overall(self.incidents, self.windows, self.now)


class SitePages:
    """Renders the files. Everything but the updates is the worker's runbook's: names, components, texts."""

    def __init__(self, runbook: RunbookConfig) -> None:
        self._texts, self._page = runbook.status_page.texts, runbook.status_page
        self._product, self._components = runbook.product, components_of(runbook)
        self._templates = Environment(loader=PackageLoader("activities"), autoescape=True, finalize=html_value)
        self._templates.filters |= {
            "clock": clock,
            "spoken": _spoken,
            "bar": _bar,
            "filled": lambda text, **values: fill(text, {name: str(value) for name, value in values.items()}),
            "rfc822": format_datetime,
            "scope": _scope,
        }

    def incident(self, incident: PublishedIncident) -> bytes:
        """Return the page of one incident."""
        return self._render("incident.html.j2", up="../", incident=incident)

    def shared(self, published: Published) -> dict[str, bytes]:
        """Return the other files by path, in the order in which they are to be written: the overview last."""
        spans = spans_of(published.incidents, published.windows)
        rows = [self._row(component, spans, published) for component in self._components]
        updates = [update for incident in published.incidents for update in incident.updates]
        entries = sorted(updates, key=lambda update: update.at, reverse=True)[:_LISTED]
        feed: dict[str, Any] = {
            "entries": entries,
            "since": published.since,
            "address": self._address,
            "url": self._page.url,
        }
        return {
            "maintenance.ics": self._calendar(published.windows),
            "feed.atom": self._render("feed.atom.j2", **feed),
            "feed.rss": self._render("feed.rss.j2", **feed),
            "status.json": _document(published, rows),
            INDEX: self._index(published, spans, rows),
        }

    def _index(self, published: Published, spans: Iterable[Span], rows: list[dict[str, Any]]) -> bytes:
        return self._render(
            "index.html.j2",
            now=published.now,
            banner=self._banner(published.overall),
            open=published.open,
            past=published.past,
            coming=[window for window in published.windows if window.until > published.now],
            components=rows,
            first_day=f"{max(published.since, published.now - timedelta(days=HISTORY_DAYS - 1)):%Y-%m-%d}",
        )

    def _render(self, template: str, *, up: str = "", **values: Any) -> bytes:
        texts = self._texts
        common = {
            "title": fill(texts.title, {"PRODUCT": self._product}),
            "product": self._product,
            "texts": texts,
            "subscribe_url": self._page.subscribe_url,
            "up": up,
        }
        return self._templates.get_template(f"site/{template}").render(common | values).encode()

    def _row(self, component: Component, spans: tuple[Span, ...], published: Published) -> dict[str, Any]:
        now = published.now
        days = history_of(component.name, spans, published.since, now)
        return {
            "name": component.name,
            "state": state_at(component.name, "", spans, now),
            "regions": {region: state_at(component.name, region, spans, now) for region in component.regions},
            "days": days,
            "bad": [day for day in days if day.state not in (OPERATIONAL, NO_DATA)],
        }

    def _banner(self, state: Overall) -> dict[str, str]:
        match state:
            case Overall.INCIDENT:
                return {"look": "bad", "words": self._texts.in_incident}
            case Overall.MAINTENANCE:
                return {"look": "calm", "words": self._texts.in_maintenance}
            case Overall.OPERATIONAL:
                return {"look": "good", "words": self._texts.all_operational}
            case _:
                assert_never(state)

    def _address(self, path: str) -> str:
        """Return where a file is read: an address where the runbook has one, else relative to the feed."""
        return f"{self._page.url}/{path}" if self._page.url else path

    def _calendar(self, windows: Iterable[PublicWindow]) -> bytes:
        calendar = Calendar()
        calendar.add("prodid", "-//incident-runbook//status//EN")
        calendar.add("version", "2.0")
        calendar.add("x-wr-calname", f"{self._product}: {self._texts.maintenance}")
        for window in windows:
            calendar.add_component(self._event(window))
        return bytes(calendar.to_ical())

    def _event(self, window: PublicWindow) -> Event:
        place = "|".join((window.since.isoformat(), *window.components, *window.regions))
        event = Event()
        event.add("uid", f"{hashlib.sha256(place.encode()).hexdigest()[:32]}@incident-runbook")
        event.add("dtstamp", window.since)
        event.add("dtstart", window.since)
        event.add("dtend", window.until)
        event.add("summary", fill(self._texts.maintenance_of, {"COMPONENTS": _scope(window, self._texts)}))
        return event


def clock(at: datetime) -> str:
    """Return an instant as readers see it, UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _scope(window: PublicWindow, texts: SiteTexts) -> str:
    """Return what a window concerns, in words."""
    components = ", ".join(window.components) or texts.everything
    return f"{components} ({', '.join(window.regions)})" if window.regions else components


def _spoken(day: Day, texts: SiteTexts) -> str:
    return f"{day.day.isoformat()}: {texts.word(day.state)}"


def _bar(state: str) -> Markup:
    """Return where a day's bar stands: those of good days are shorter, so that color is not all that tells them."""
    top = {OPERATIONAL: 8, NO_DATA: 20}.get(state, 0)
    return Markup(f'y="{top}" height="{24 - top}"')  # nosec B704


def _document(published: Published, rows: list[dict[str, Any]]) -> bytes:
    """Return the state for programs."""
    document = {
        "status": published.overall,
        "components": [{"name": row["name"], "state": row["state"], "regions": row["regions"]} for row in rows],
        "maintenance": [window.model_dump(mode="json") for window in published.windows],
        "incidents": [_as_json(incident) for incident in (*published.open, *published.past)],
    }
    return json.dumps(document, indent=1).encode()


def _as_json(incident: PublishedIncident) -> dict[str, Any]:
    newest = incident.newest
    shown = [
        {"sequence": one.sequence, "at": one.at.isoformat(), "status": one.status, "body": one.words.strip()}
        for one in incident.updates
    ]
    head = {"id": incident.id, "title": newest.title, "status": newest.status, "impact": newest.impact}
    return head | {"components": newest.affected, "regions": list(newest.regions), "updates": shown}


def recent(now: datetime) -> datetime:
    """Return from when on the site shows incidents that are over."""
    return now - timedelta(days=HISTORY_DAYS)

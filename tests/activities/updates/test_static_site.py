"""Our own status site: what it shows, that each of its files is valid and whole, and what happens with many writers."""

import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from icalendar import Calendar

from activities.registry import ActivitySet
from activities.updates.status_pages.static_site import StatusSite
from incidents.domain.activity_requests import PublishStatus
from incidents.domain.alerting.config import MaintenanceWindow
from incidents.domain.core.text.public_text import PublicText
from incidents.vendors.storage import FileStore, Stored
from tests.activities.conftest import perform
from tests.support.incidents import RUNBOOK

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
ATOM = "{http://www.w3.org/2005/Atom}"
FRAMED = "Status: INVESTIGATING\nIncident ID: INC-7\n\nCurrent Status:\nWe look into it & more.\n\nThe Team"
UPDATE = PublishStatus(
    key="run-7/update/1/status_page",
    page_id=None,
    marker="run-7",
    sequence=1,
    title=PublicText.trusted("[INCIDENT] FeatureSignals P0 — Flag evaluation <disruption>"),
    headline=PublicText.trusted("Flag evaluation <disruption>"),
    status="investigating",
    body=PublicText.trusted(FRAMED),
    words=PublicText.trusted("We look into it & more."),
    impact="critical",
    affected={"Flag evaluation": "major_outage"},
    regions=("Europe",),
    at=NOW.replace(hour=14),
    product="FeatureSignals",
)
PAGE = RUNBOOK.status_page.replace(url="https://status.example.com", subscribe_url="mailto:status@example.com")


def later(sequence: int, status: str, text: str, **changes: Any) -> PublishStatus:
    return UPDATE.replace(
        key=f"run-7/update/{sequence}/status_page",
        sequence=sequence,
        status=status,
        words=PublicText.trusted(text),
        at=NOW.replace(hour=14, minute=sequence),
        **changes,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.fixture
def make(folder: Path) -> Callable[..., StatusSite]:
    """Makes the site of one more worker, with the clock at `NOW`."""

    def site(at: datetime = NOW, **changes: Any) -> StatusSite:
        runbook = RUNBOOK.replace(**({"status_page": PAGE} | changes))
        return StatusSite(FileStore(folder.as_uri()), runbook, lambda: at)

    return site


def publish(site: StatusSite, *updates: PublishStatus) -> str:
    """Publish; return the incident's id."""
    for update in updates:
        done = site.publish(update, repeated=False)
    return str(done.resources.status_page_id)


def read(folder: Path, name: str = "index.html") -> str:
    return (folder / name).read_text(encoding="utf-8")


def states(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(read(folder, "status.json"))["components"]}


def test_36_each_update_is_shown_once_and_the_site_never_goes_back(
    wired: Callable[..., ActivitySet], folder: Path
) -> None:
    activities = wired(STATUS_SITE_URL=folder.as_uri())
    first = perform(activities.status_page.publish_status, UPDATE)
    page = f"incidents/{first.resources.status_page_id}.html"
    assert first.resources.status_page_url == f"{folder.as_uri()}/{page}"
    perform(activities.status_page.publish_status, UPDATE, attempt=2)
    assert "There is an incident" in read(folder)
    assert "Flag evaluation &lt;disruption&gt;" in read(folder, page), "nobody's words are markup"
    assert read(folder, page).count("We look into it &amp; more.") == 1
    perform(activities.status_page.publish_status, later(3, "resolved", "All is well.", affected={}))
    dropped = perform(activities.status_page.publish_status, later(2, "monitoring", "Old news."))
    assert dropped.detail == "dropped (the page already shows update 3)"
    assert "All systems operational" in read(folder)
    assert "Old news." not in read(folder, page)
    document = json.loads(read(folder, "status.json"))
    assert document["status"] == "operational"
    assert [update["sequence"] for update in document["incidents"][0]["updates"]] == [3, 1]


def test_readers_get_the_words_of_an_update_and_nothing_of_the_mail_around_them(
    make: Callable[..., StatusSite], folder: Path
) -> None:
    publish(make(), UPDATE)
    for path in folder.rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\[INCIDENT\]|Incident ID|Current Status:|The Team", text), path.name


def test_components_and_regions_change_and_recover(make: Callable[..., StatusSite], folder: Path) -> None:
    site = make()
    publish(site, UPDATE)
    shown = states(folder)
    assert shown["Flag evaluation"]["state"] == "major_outage"
    assert shown["Flag evaluation"]["regions"] == {"Europe": "major_outage", "United States": "operational"}
    assert shown["Dashboard"]["state"] == "operational"
    assert "Europe: Major outage" in read(folder)
    publish(site, later(2, "monitoring", "Better.", affected={"Flag evaluation": "degraded_performance"}, regions=()))
    assert set(states(folder)["Flag evaluation"]["regions"].values()) == {"degraded_performance"}
    publish(site, later(3, "resolved", "Done.", affected={"Flag evaluation": "operational"}))
    assert {row["state"] for row in states(folder).values()} == {"operational"}


def test_the_history_shows_bad_days_and_none_from_before_the_site(
    make: Callable[..., StatusSite], folder: Path
) -> None:
    publish(make(), UPDATE, later(2, "resolved", "Done.", affected={}))
    make(NOW + timedelta(days=3)).refresh(())
    page = read(folder)
    assert "Days with incidents or maintenance: 1" in page
    assert "<li>2026-11-23: Major outage</li>" in page
    [bars, *_] = re.findall(r'<svg class="history".*?</svg>', page, re.DOTALL)
    days = re.findall(r'<rect class="(\w+)"', bars)
    assert len(days) == 90
    assert days == ["no_data"] * 86 + ["major_outage"] + ["operational"] * 3
    assert "Since 2026-11-23: no incidents or maintenance" in page, "of a day without data nothing is known"
    make(NOW + timedelta(days=91)).refresh(())
    assert "None since 2026-11-25." in read(folder)


def test_24_an_incident_that_has_become_private_loses_its_words_everywhere(
    make: Callable[..., StatusSite], folder: Path
) -> None:
    first, second = make(), make()
    name = publish(first, UPDATE, later(2, "monitoring", "We look into it further."))
    webhooks = PublicText.trusted("Webhooks are late.")
    other = UPDATE.replace(marker="run-8", words=webhooks, headline=webhooks)
    publish(second, other)
    bare, closed = PublicText.trusted("INC-7 is closed."), PublicText.trusted("Incident closed")
    publish(second, later(3, "resolved", bare, headline=closed, withdrawn=True, affected={}, regions=()))
    publish(first, other.replace(sequence=2, status="resolved", affected={}))  # by who has read the words before
    said = {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("*.*")}
    assert not [path for path, text in said.items() if "We look into it" in text or "disruption>" in text]
    [shown] = [row for row in json.loads(said["status.json"])["incidents"] if row["id"] == name]
    assert (shown["title"], [one["body"] for one in shown["updates"]]) == (closed, [bare])


def removal(sequence: int) -> PublishStatus:
    """What takes an incident from the page that has become private."""
    closed, nothing = PublicText.trusted("Incident closed"), PublicText()
    return later(sequence, "investigating", nothing, headline=closed, withdrawn=True, affected={}, regions=())


def test_24_an_incident_that_becomes_private_is_removed_at_once_and_only_its_end_is_told(
    make: Callable[..., StatusSite], folder: Path
) -> None:
    site = make()
    page = f"incidents/{publish(site, UPDATE, later(2, 'monitoring', 'We look into it further.'))}.html"
    publish(site, removal(2))
    assert "All systems operational" in read(folder)
    assert json.loads(read(folder, "status.json"))["incidents"] == []
    assert "There is nothing to read here." in read(folder, page)
    publish(make(), later(3, "monitoring", "We look into it, late."), removal(2))  # an attempt that was under way
    said = [path.read_text(encoding="utf-8") for path in folder.rglob("*.*")]
    assert not [text for text in said if "We look into it" in text or "disruption" in text]
    bare = PublicText.trusted("INC-7 is closed.")
    publish(site, later(4, "resolved", bare, headline=PublicText.trusted("Incident closed"), withdrawn=True))
    assert bare in read(folder, page)
    assert "Incident closed" in read(folder)
    publish(make(), removal(2))
    assert bare in read(folder, page), "a removal that comes late removes nothing more"


def test_maintenance_is_shown_without_its_reason(make: Callable[..., StatusSite], folder: Path) -> None:
    def window(hours: int, **names: str) -> MaintenanceWindow:
        begin = NOW + timedelta(hours=hours)
        return MaintenanceWindow(since=begin, until=begin + timedelta(hours=2), reason="replace db-eu-7", **names)

    planned = (window(24, service="dashboard", region="eu"), window(30, environment="staging"))
    make(maintenance=planned).refresh([window(-1, service="webhooks")])
    page, calendar = read(folder), Calendar.from_ical(read(folder, "maintenance.ics"))
    assert "Planned maintenance is in progress" in page
    assert states(folder)["Webhooks"]["state"] == "under_maintenance"
    events = [(str(e["summary"]), e.decoded("dtstart"), e.decoded("dtend")) for e in calendar.walk("VEVENT")]
    assert events == [
        ("Maintenance: Webhooks", NOW - timedelta(hours=1), NOW + timedelta(hours=1)),
        ("Maintenance: Dashboard (Europe)", NOW + timedelta(hours=24), NOW + timedelta(hours=26)),
    ]
    assert not [path for path in folder.rglob("*.*") if "db-eu-7" in path.read_text(encoding="utf-8")]
    make(NOW + timedelta(minutes=10), maintenance=planned).refresh(())
    assert "All systems operational" in read(folder), "it was ended before its time"
    publish(make(NOW + timedelta(minutes=20)), UPDATE)
    assert "Maintenance: Webhooks" in read(folder, "maintenance.ics"), "it took place"


def test_windows_that_cannot_be_read_stay_as_they_were(make: Callable[..., StatusSite], folder: Path) -> None:
    make().refresh([MaintenanceWindow(since=NOW, until=NOW + timedelta(hours=1), reason="x")])
    make(NOW + timedelta(minutes=5)).refresh(None)
    assert "Planned maintenance is in progress" in read(folder)


def test_feeds_are_valid_and_lead_to_the_incidents_page(make: Callable[..., StatusSite], folder: Path) -> None:
    page = publish(make(), UPDATE, later(2, "monitoring", "It looks <better>."))
    address = f"https://status.example.com/incidents/{page}.html"
    feed = ElementTree.fromstring(read(folder, "feed.atom"))
    assert feed.findtext(f"{ATOM}updated") == "2026-11-23T14:02:00+00:00"
    assert all(feed.find(f"{ATOM}{name}") is not None for name in ("id", "title", "author"))
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}content") for entry in entries] == ["It looks <better>.", "We look into it & more."]
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == 2
    assert [link.get("href") for entry in entries for link in entry.findall(f"{ATOM}link")] == [address] * 2
    channel = ElementTree.fromstring(read(folder, "feed.rss")).find("channel")
    assert channel is not None
    assert channel.findtext("link") == "https://status.example.com/index.html"
    items = channel.findall("item")
    assert [item.findtext("description") for item in items] == ["It looks <better>.", "We look into it & more."]
    assert [item.findtext("link") for item in items] == [address] * 2
    assert parsedate_to_datetime(items[1].findtext("pubDate") or "") == UPDATE.at


def test_a_site_without_an_address_says_nothing_of_where_it_is_stored(
    make: Callable[..., StatusSite], folder: Path
) -> None:
    publish(make(status_page=RUNBOOK.status_page), UPDATE)
    files = [path.read_text(encoding="utf-8") for path in folder.rglob("*.*")]
    assert len(files) > 5
    assert not [text for text in files if folder.as_posix() in text]


class Checker(HTMLParser):
    """Notes what makes a page invalid: tags that are not closed, an id given twice, what comes from elsewhere."""

    EMPTY = {"meta", "link", "rect", "br"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.ids += [named["id"] or ""] if "id" in named else []
        self.links += [named["href"] or ""] if "href" in named else []
        if tag in ("script", "img", "iframe") or "src" in named or "style" in named:
            self.faults.append(f"<{tag}>")
        if len(named) < len(attrs):
            self.faults.append(f"an attribute of <{tag}> is given twice")
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.EMPTY:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}>")


def checked(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    return checker


def test_pages_are_whole_and_load_nothing_from_elsewhere(make: Callable[..., StatusSite], folder: Path) -> None:
    page = publish(make(), UPDATE, later(2, "monitoring", "A\nB"))
    make().refresh([MaintenanceWindow(since=NOW, until=NOW + timedelta(hours=1), reason="x")])
    for name in ("index.html", f"incidents/{page}.html"):
        found = checked(read(folder, name))
        assert (found.faults, found.open) == ([], []), name
        assert len(set(found.ids)) == len(found.ids)
        here = (folder / name).parent
        local = [link for link in found.links if not link.startswith("mailto:")]
        assert [link for link in local if not (here / link).is_file()] == []
        assert "mailto:status@example.com" in found.links
    assert checked("<p><b></p>").faults, "a fault is noticed"


def luminance(color: str) -> float:
    digits = color if len(color) == 6 else "".join(2 * each for each in color)
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    brighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_colors_have_the_contrast_of_wcag_aa(make: Callable[..., StatusSite], folder: Path) -> None:
    """WCAG 2.1, 1.4.3 (text) and 1.4.11 (what is not text)."""
    publish(make(), UPDATE)
    light, dark = re.findall(r":root\{(.*?)\}", read(folder), re.DOTALL)
    colors = dict(re.findall(r"--([\w-]+):#(\w+)", light))
    assert contrast("000", "fff") == pytest.approx(21)
    for scheme in (colors, colors | dict(re.findall(r"--([\w-]+):#(\w+)", dark))):
        for text in ("ink", "soft", "link"):
            assert all(contrast(scheme[text], scheme[ground]) >= 4.5 for ground in ("page", "card")), (text, scheme)
        assert all(contrast(scheme["on-bar"], scheme[f"{name}-bar"]) >= 4.5 for name in ("good", "calm", "bad"))
        assert all(contrast(scheme[name], scheme["card"]) >= 3 for name in ("good", "calm", "warn", "bad", "none"))


def test_an_incident_that_moves_on_while_another_is_written_is_not_set_back(
    make: Callable[..., StatusSite], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, other = make(), make()
    publish(site, UPDATE)
    write, done = FileStore.write, list[str]()

    def interrupted(store: FileStore, path: str, data: bytes) -> Stored:
        if path == "status.json" and not done:
            done.append(path)
            publish(other, later(2, "monitoring", "It looks better."))
        return write(store, path, data)

    monkeypatch.setattr(FileStore, "write", interrupted)
    publish(site, UPDATE.replace(marker="run-8", headline=PublicText.trusted("Webhooks")))
    assert "It looks better." in read(folder)
    assert read(folder).count("<article") == 2


def test_many_writers_lose_nothing_and_a_reader_never_sees_half_a_site(
    make: Callable[..., StatusSite], folder: Path
) -> None:
    publish(make(), UPDATE)
    over, broken = threading.Event(), list[str]()

    def look() -> None:
        while not over.is_set():
            page = checked(read(folder))
            json.loads(read(folder, "status.json"))
            ElementTree.fromstring(read(folder, "feed.atom"))
            dead = [link for link in page.links if "mailto:" not in link and not (folder / link).is_file()]
            broken.extend([*page.faults, *page.open, *dead])

    def work(number: int) -> None:
        site = make()
        for sequence in range(1, 6):
            text = PublicText.trusted(f"Update {sequence} of {number}.")
            publish(site, UPDATE.replace(marker=f"run-{number}", sequence=sequence, words=text))

    with ThreadPoolExecutor() as pool:
        reader = pool.submit(look)
        list(pool.map(work, range(100, 106)))
        over.set()
        reader.result()
    assert broken == []
    shown = {row["id"]: len(row["updates"]) for row in json.loads(read(folder, "status.json"))["incidents"]}
    assert sorted(shown.values()) == [1, 5, 5, 5, 5, 5, 5]
    assert all(f"incidents/{name}.html" in read(folder) for name in shown)


def test_two_attempts_at_once_do_not_overwrite_each_other(
    make: Callable[..., StatusSite], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt that was given up goes on while a newer update is published."""
    write, done = FileStore.write, list[str]()

    def late(store: FileStore, path: str, data: bytes) -> Stored:
        if path.startswith("updates/") and not done:
            done.append(path)
            publish(make(), later(2, "resolved", "All is well.", affected={}))
        return write(store, path, data)

    monkeypatch.setattr(FileStore, "write", late)
    publish(make(), UPDATE)
    assert "All systems operational" in read(folder)
    [incident] = json.loads(read(folder, "status.json"))["incidents"]
    assert [update["sequence"] for update in incident["updates"]] == [2, 1]


def test_a_file_that_is_no_update_hides_only_itself(make: Callable[..., StatusSite], folder: Path) -> None:
    publish(make(), UPDATE)
    (folder / "updates" / "2026-11-23" / "0123.1.json").write_text("{}")
    publish(make(), later(2, "monitoring", "It looks better."))
    assert "It looks better." in read(folder)
    assert "0123" not in read(folder, "status.json")

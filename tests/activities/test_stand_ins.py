"""Stand-ins for who has no vendor: a static status site, tickets as files, mail by SMTP. Nothing pretends."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from activities.registry import ActivitySet
from incidents.domain.activity_requests import CommentTicket, OpenTicket, PublishStatus
from incidents.domain.core.text.public_text import PublicText
from incidents.vendors.mail.smtp import SmtpClient
from incidents.vendors.storage import FileStore, Stored
from tests.activities.conftest import perform

UPDATE = PublishStatus(
    key="run-7/update/1/status_page",
    page_id=None,
    marker="run-7",
    sequence=1,
    title=PublicText.trusted("Flag evaluation <disruption>"),
    status="investigating",
    body=PublicText.trusted("We look into it & more."),
    impact="critical",
    at=datetime(2026, 11, 23, 14, 0, tzinfo=UTC),
    product="FeatureSignals",
)


def later(sequence: int, status: str, text: str) -> PublishStatus:
    return UPDATE.replace(
        key=f"run-7/update/{sequence}/status_page",
        sequence=sequence,
        status=status,
        body=PublicText.trusted(text),
        at=datetime(2026, 11, 23, 14, sequence, tzinfo=UTC),
    )


def test_the_static_site_shows_each_update_once_and_never_goes_back(
    wired: Callable[..., ActivitySet], tmp_path: Path
) -> None:
    site = tmp_path / "site"
    activities = wired(STATUS_SITE_URL=site.as_uri())
    first = perform(activities.status_page.publish_status, UPDATE)
    assert first.resources.status_page_url == f"{site.as_uri()}/index.html#{first.resources.status_page_id}"
    perform(activities.status_page.publish_status, UPDATE, attempt=2)
    page = (site / "index.html").read_text(encoding="utf-8")
    assert "There is an incident" in page
    assert "Flag evaluation &lt;disruption&gt;" in page, "nobody's words are markup"
    assert page.count("We look into it &amp; more.") == 1
    perform(activities.status_page.publish_status, later(3, "resolved", "All is well."))
    dropped = perform(activities.status_page.publish_status, later(2, "monitoring", "Old news."))
    assert dropped.detail == "dropped (the page already shows update 3)"
    page = (site / "index.html").read_text(encoding="utf-8")
    assert "All systems operational" in page
    assert "Old news." not in page
    document = json.loads((site / "status.json").read_text(encoding="utf-8"))
    assert document["status"] == "operational"
    assert [update["sequence"] for update in document["incidents"][0]["updates"]] == [3, 1]
    feed = ElementTree.fromstring((site / "feed.atom").read_text(encoding="utf-8"))
    entries = feed.findall("{http://www.w3.org/2005/Atom}entry")
    assert len(entries) == 2
    assert entries[0].findtext("{http://www.w3.org/2005/Atom}updated") == "2026-11-23T14:03:00+00:00"


def test_an_incident_that_moves_on_while_another_is_written_is_not_set_back(
    wired: Callable[..., ActivitySet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    activities = wired(STATUS_SITE_URL=str(tmp_path / "site"))
    perform(activities.status_page.publish_status, UPDATE)
    write = FileStore.write
    done: list[str] = []

    def interrupted(store: FileStore, path: str, data: bytes) -> Stored:
        if path == "status.json" and not done:
            done.append(path)
            perform(activities.status_page.publish_status, later(2, "monitoring", "It looks better."))
        return write(store, path, data)

    monkeypatch.setattr(FileStore, "write", interrupted)
    perform(activities.status_page.publish_status, UPDATE.replace(marker="run-8", title=PublicText.trusted("Webhooks")))
    assert "It looks better." in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_two_incidents_stand_side_by_side(wired: Callable[..., ActivitySet], tmp_path: Path) -> None:
    activities = wired(STATUS_SITE_URL=str(tmp_path / "site"))
    perform(activities.status_page.publish_status, UPDATE)
    perform(activities.status_page.publish_status, UPDATE.replace(marker="run-8", title=PublicText.trusted("Webhooks")))
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert page.count("<article") == 2


def test_a_ticket_folder_stands_in_for_github(wired: Callable[..., ActivitySet], tmp_path: Path) -> None:
    activities = wired(TRACKER_FOLDER=str(tmp_path / "tickets"))
    ticket = OpenTicket(key="k", title="INC-7: typo", body="A typo.", labels=("incident",), marker="<!-- run-7 -->")
    comment = CommentTicket(key="run-7/update/1", ticket=None, body="Done.", close=True, opening=ticket)
    for attempt in (1, 2):
        outcome = perform(activities.issue_tracker.comment_ticket, comment, attempt=attempt)
    text = (tmp_path / "tickets" / "0001.md").read_text(encoding="utf-8")
    assert text.startswith("# INC-7: typo\n\n_closed_ · incident\n")
    assert text.count("Done.") == 1
    assert outcome.resources.ticket_url == (tmp_path / "tickets" / "0001.md").as_uri()


def test_a_mail_server_stands_in_for_sendgrid_and_never_beside_it(wired: Callable[..., ActivitySet]) -> None:
    alone = wired(SMTP_URL="smtp://mail.example", EMAIL_FROM="a@x.example")
    assert isinstance(alone.email._client, SmtpClient)
    both = wired(SMTP_URL="smtp://mail.example", EMAIL_FROM="a@x.example", SENDGRID_API_KEY="SG.x")
    assert not isinstance(both.email._client, SmtpClient)

"""Links of pages: what was signed is read back, and nothing else is."""

from datetime import UTC, datetime, timedelta

import pytest
from itsdangerous import TimestampSigner

from incidents.client.paging.acknowledge_links import AcknowledgeLinks, InvalidLink, PageRef

SECRET = "s" * 32
PAGE = PageRef(key="incident-api:production/2", run_id="r-1", to="on_call")


def token(links: AcknowledgeLinks) -> str:
    link = links.link(PAGE)
    assert link.startswith("https://incidents.example.com/acknowledge/")
    return link.rpartition("/")[2]


def test_a_link_names_its_page_and_when_it_was_made() -> None:
    links = AcknowledgeLinks("https://incidents.example.com/", SECRET)
    read = links.read(token(links))
    assert (read.workflow_id, read.run_id, read.key, read.to) == ("incident-api:production", "r-1", PAGE.key, "on_call")
    assert abs(datetime.now(UTC) - read.at) < timedelta(minutes=1)


def test_a_link_ends_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    links = AcknowledgeLinks("https://incidents.example.com", SECRET)
    made = token(links)
    now = TimestampSigner(SECRET).get_timestamp()
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: now + 86_390)
    links.read(made)
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: now + 86_410)
    with pytest.raises(InvalidLink):
        links.read(made)


@pytest.mark.parametrize("change", ["", "x", "é", "." * 500])
def test_a_changed_link_is_none(change: str) -> None:
    links = AcknowledgeLinks("https://incidents.example.com", SECRET)
    made = token(links)
    with pytest.raises(InvalidLink):
        links.read(change or made[:-1])
    with pytest.raises(InvalidLink):
        links.read(f"{change}{made}" if change else made[1:])
    with pytest.raises(InvalidLink):
        AcknowledgeLinks("https://incidents.example.com", "t" * 32).read(made)

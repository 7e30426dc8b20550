"""What follows the text of a customers' mail: the link to the status page, and the last updates."""

import pytest

from incidents.domain.activity_requests import SendMail
from incidents.domain.apply_command import apply_command
from incidents.domain.build_request import request
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident import commands as c
from incidents.domain.incident.incident import Incident
from incidents.domain.updates.obligations import deliveries
from tests.support.incidents import RUNBOOK, T0, at, opened, settled

PAGE = "https://status.example.com"
OWN = f"{PAGE}/incidents/0123.html"


def mailed(incident: Incident, runbook: RunbookConfig = RUNBOOK) -> SendMail:
    """The mail of the newest update."""
    [owed] = [o for o in deliveries(incident, runbook) if o.subject == Channel.EMAIL]
    mail = request(owed, incident, runbook, at(60))
    assert isinstance(mail, SendMail)
    return mail


def updated(*texts: str) -> Incident:
    incident = settled(opened(), T0)
    for minute, text in enumerate(texts, start=1):
        incident = apply_command(incident, c.PostUpdate(by="ann", text=text), RUNBOOK, at(minute))
    return incident


def linked(url: str | None, base: str = "", *, private: bool = False) -> str:
    incident = settled(opened(), T0).replace(private=private)
    incident = incident.replace(resources=incident.resources.replace(status_page_url=url))
    page = RUNBOOK.status_page.replace(url=base)
    return mailed(incident, RUNBOOK.replace(status_page=page)).below.link


@pytest.mark.parametrize(
    ("url", "base", "link"),
    [
        (OWN, PAGE, OWN),
        (None, PAGE, PAGE),
        (None, "", ""),
        ("file:///srv/status/incidents/0123.html", "", ""),
        ("s3://bucket/incidents/0123.html", PAGE, PAGE),
    ],
)
def test_a_mail_links_the_incidents_page_where_customers_can_open_it(url: str | None, base: str, link: str) -> None:
    assert linked(url, base) == link


def test_24_a_mail_about_a_private_incident_has_no_link() -> None:
    assert linked(OWN, PAGE, private=True) == ""


def test_a_mail_repeats_the_last_three_updates_before_it() -> None:
    mail = mailed(updated("One.", "Two.", "Three.", "Four."))
    assert mail.preheader == "Four."
    assert [earlier.words for earlier in mail.below.recap] == ["Three.", "Two.", "One."]
    assert mail.below.recap[0].when == "2026-11-23 14:03 UTC (19:33 IST)"
    assert mail.below.recap_label == "Earlier updates"
    assert mailed(updated()).below.recap == ()


def test_updates_that_said_no_change_are_not_repeated() -> None:
    incident = updated("One.", "Two.", "Three.")
    first, second, *others = incident.updates.published
    quiet = incident.updates.replace(published=(first, second.replace(news=False), *others))
    assert [earlier.words for earlier in mailed(incident.replace(updates=quiet)).below.recap] == ["Two.", first.text]


def test_a_long_update_is_repeated_in_part() -> None:
    [earlier, _] = mailed(updated("Long. " * 300, "Short.")).below.recap
    assert len(earlier.words) == 500
    assert earlier.words.endswith("…")


def test_a_footer_with_nothing_in_it_adds_nothing() -> None:
    assert mailed(updated()).below.as_text() == ""

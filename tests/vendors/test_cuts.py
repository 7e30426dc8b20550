"""What a vendor is sent is cut at its limit, with a "…", and not within a character as people see it."""

from collections.abc import Callable
from typing import Any

import pytest

from incidents.vendors.github.client import GitHubClient
from incidents.vendors.paging.ntfy import URGENT, Draft, NtfyClient
from incidents.vendors.paging.pagerduty import PagerDutyEvents
from incidents.vendors.slack.blocks import clip
from incidents.vendors.statuspage import StatuspageClient
from incidents.vendors.zoom import ZoomClient

FLAG, FAMILY = "🇮🇳", "👩‍👩‍👧"


def status_page(script: Any, text: str) -> list[str]:
    """Send a text as the title and body of a public incident."""
    row = {"id": "i1", "name": "x", "status": "resolved", "impact": "none", "shortlink": "", "incident_updates": []}
    script.answer(201, row)
    StatuspageClient("secret", "page", transport=script.transport).create_incident(text, "resolved", text, key="k")
    incident = script.last.json["incident"]
    return [incident["name"], incident["body"]]


def page(script: Any, text: str) -> list[str]:
    """Send a text as a page's summary."""
    script.answer(202, {"status": "success", "dedup_key": "k"})
    PagerDutyEvents("route", transport=script.transport).send_event(
        "trigger", "k", summary=text, source="s", severity="critical"
    )
    return [script.last.json["payload"]["summary"]]


def message(script: Any, text: str) -> list[str]:
    """Send a text as a message's title and text, and as a button's label."""
    script.answer(200, {"id": "m1"})
    links = {text: "https://x.example"}
    NtfyClient("https://ntfy.example/t", transport=script.transport).publish(
        Draft(text, text, URGENT, (), buttons=links)
    )
    sent = script.last.json
    return [sent["title"], sent["message"], sent["actions"][0]["label"]]


def meeting(script: Any, text: str) -> list[str]:
    """Send a text as a meeting's topic and agenda."""
    script.answer(200, {"access_token": "t", "expires_in": 3600})
    script.answer(201, {"id": 1, "topic": "x", "join_url": "https://zoom.example/j/1"})
    ZoomClient("account", "client", "secret", transport=script.transport).create_meeting(text, agenda=text)
    return [script.last.json["topic"], script.last.json["agenda"]]


def issue(script: Any, text: str) -> list[str]:
    """Send a text as an issue's title."""
    script.answer(201, {"number": 1, "html_url": "https://github.example/1", "title": "x", "state": "open", "body": ""})
    GitHubClient("token", "owner/name", transport=script.transport).create_issue(text, "body")
    return [script.last.json["title"]]


SENT: dict[str, Callable[[Any, str], list[str]]] = {
    "Statuspage": status_page,
    "PagerDuty": page,
    "ntfy": message,
    "Zoom": meeting,
    "GitHub": issue,
    "Slack": lambda _script, text: [clip(text, 250)],
}


@pytest.mark.parametrize("vendor", SENT)
@pytest.mark.parametrize("character", [FLAG, FAMILY, "e\u0301"])
@pytest.mark.parametrize("shift", range(5))
def test_a_text_is_cut_between_characters_with_a_mark(script: Any, vendor: str, character: str, shift: int) -> None:
    text = "x" * shift + character * 30_000
    for sent in SENT[vendor](script, text):
        kept, mark = sent[:-1], sent[-1]
        assert mark == "…"
        assert kept.startswith("x" * shift + character)
        assert (len(kept) - shift) % len(character) == 0


@pytest.mark.parametrize("vendor", SENT)
def test_a_text_that_fits_is_sent_as_it_is(script: Any, vendor: str) -> None:
    assert set(SENT[vendor](script, f"Evaluation fails {FLAG}")) == {f"Evaluation fails {FLAG}"}

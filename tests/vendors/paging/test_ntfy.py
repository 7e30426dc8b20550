"""ntfy: messages of one topic."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from incidents.vendors.errors import (
    VendorError,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from incidents.vendors.paging.ntfy import LOW, URGENT, Draft, Message, NtfyClient

TOPIC, TOKEN = "incidents-3f9c27d1", "tk_s3cret"
URL = f"https://ntfy.example/{TOPIC}"
DRAFT = Draft("P0: down", "what: all of it", URGENT, ("rotating_light", "page-1"))
BODY_LIMIT = 8192
"""Bytes of JSON that a server takes: twice the longest message."""


@pytest.fixture
def ntfy(script: Any) -> NtfyClient:
    return NtfyClient(URL, TOKEN, transport=script.transport)


def lines(*events: dict[str, Any]) -> str:
    return "".join(json.dumps(event) + "\n" for event in events)


def test_publish(ntfy: NtfyClient, script: Any) -> None:
    script.answer(200, {"id": "m1", "event": "message"})
    links = {"Acknowledge": "https://x.example/a"}
    assert ntfy.publish(replace(DRAFT, click="https://x.example/1", buttons=links)) == "m1"
    assert (script.last.method, script.last.path) == ("POST", "/")
    assert script.last.headers["authorization"] == f"Bearer {TOKEN}"
    assert script.last.json == {
        "topic": TOPIC,
        "title": "P0: down",
        "message": "what: all of it",
        "priority": 5,
        "tags": ["rotating_light", "page-1"],
        "click": "https://x.example/1",
        "actions": [{"action": "view", "label": "Acknowledge", "url": "https://x.example/a"}],
    }


def test_a_message_in_the_place_of_another(ntfy: NtfyClient, script: Any) -> None:
    script.answer(200, {"id": "m2"})
    ntfy.publish(Draft("P0: down", "Acknowledged", LOW, ("eyes",), replaces="m1"))
    assert (script.last.json["sequence_id"], script.last.json["priority"]) == ("m1", 2)


def test_another_topic_of_the_server_and_no_token(script: Any) -> None:
    script.answer(200, {"id": "m1"})
    NtfyClient(f"http://x.example/prefix/{TOPIC}/", topic="cto-77", transport=script.transport).publish(DRAFT)
    assert (script.last.path, script.last.json["topic"]) == ("/prefix/", "cto-77")
    assert "authorization" not in script.last.headers


def test_find_returns_the_messages_with_the_tag_oldest_first(ntfy: NtfyClient, script: Any) -> None:
    first: dict[str, Any] = {"id": "a", "event": "message", "title": "t", "message": "m", "tags": ["page-1"]}
    first["actions"] = [{"label": "x"}]
    second = {"id": "b", "event": "message", "tags": ["eyes", "page-1"]}
    others = {"id": "c", "event": "message_delete", "tags": ["page-1"]}, {"id": "d", "event": "message"}
    script.answer(200, lines(first, second, *others))
    found = ntfy.find("page-1")
    assert found == (Message("a", "t", "m", ("page-1",), ("x",)), Message("b", "", "", ("eyes", "page-1"), ()))
    assert (script.last.method, script.last.path) == ("GET", f"/{TOPIC}/json")
    assert script.last.query == {"poll": ["1"], "since": ["all"], "tags": ["page-1"]}


def test_nothing_is_found_in_an_empty_answer(ntfy: NtfyClient, script: Any) -> None:
    script.answer(200, "")
    assert ntfy.find("page-1") == ()


@pytest.mark.parametrize(
    "body", ["<html>Please log in</html>", '{"id": "a"}\n', '{"event": "message"}\n', "[]\n", "5\n"]
)
def test_an_answer_that_is_not_ntfys_is_not_an_empty_topic(ntfy: NtfyClient, script: Any, body: str) -> None:
    script.answer(200, body)
    with pytest.raises(VendorUnavailable) as caught:
        ntfy.find("page-1")
    assert (caught.value.code, caught.value.maybe_done) == ("unreadable_answer", False)


@pytest.mark.parametrize("body", ["<html>Please log in</html>", {"ok": True}, []])
def test_a_message_whose_answer_is_not_ntfys_may_be_published(ntfy: NtfyClient, script: Any, body: Any) -> None:
    script.answer(200, body)
    with pytest.raises(VendorUnavailable) as caught:
        ntfy.publish(DRAFT)
    assert caught.value.maybe_done


@pytest.mark.parametrize("character", ['"', "\\", "\n", "\x00", "é", "🚨"])
def test_a_body_is_never_too_long(ntfy: NtfyClient, script: Any, character: str) -> None:
    script.answer(200, {"id": "m1"})
    text, link = character * 20_000, "https://x.example/" + "a" * 682
    ntfy.publish(Draft(text, text, URGENT, ("page-1",) * 2, link, {f"{place}{text}": link for place in range(9)}))
    assert len(script.last.body) <= BODY_LIMIT
    sent = script.last.json
    assert len(sent["message"].encode()) <= 4096, "a longer one is an attachment"
    assert (len(sent["actions"]), sent["click"]) == (3, link)


@pytest.mark.parametrize("link", ["https://x.example/" + "a" * 700, 'https://x.example/"', "https://x.example/\n", ""])
def test_a_link_that_has_no_room_is_left_out(ntfy: NtfyClient, script: Any, link: str) -> None:
    script.answer(200, {"id": "m1"})
    ntfy.publish(
        Draft(
            "P0", "t", URGENT, (), link, {"Alert": link, "\n": "https://x.example", "Channel": "https://chat.example"}
        )
    )
    assert "click" not in script.last.json
    assert [action["label"] for action in script.last.json["actions"]] == ["Channel"]


def test_the_same_is_shown_whatever_the_links_are(ntfy: NtfyClient, script: Any) -> None:
    long = "x" * 3000 + "\n"
    script.answer(200, {"id": "m1"})
    ntfy.publish(Draft(long, long, URGENT, ("page-1",), buttons={"Acknowledge": "https://x.example/signed-at-1"}))
    script.steps.clear()
    script.answer(200, lines(script.last.json | {"id": "m1", "event": "message"}))
    [message] = ntfy.find("page-1")
    same = Draft(long, long, LOW, ("page-1",), buttons={"Acknowledge": "https://x.example/signed-at-2"})
    assert same.is_shown_by(message)
    for other in (Draft("y", long, LOW, ()), Draft(long, "y", LOW, ()), Draft(long, long, LOW, ())):
        assert not other.is_shown_by(message)


@pytest.mark.parametrize("call", [lambda ntfy: ntfy.publish(DRAFT), lambda ntfy: ntfy.find("x")])
def test_trouble_is_typed_and_tells_no_secret(ntfy: NtfyClient, script: Any, call: Callable[[NtfyClient], Any]) -> None:
    kinds: dict[int, type[VendorError]] = {
        400: VendorRejected,
        401: VendorUnauthorized,
        403: VendorUnauthorized,
        429: VendorRateLimited,
        500: VendorUnavailable,
    }
    for status, kind in kinds.items():
        script.steps.clear()
        script.answer(status, {"code": status * 100 + 1, "http": status, "error": f"no {TOKEN} for {URL} and {TOPIC}"})
        fresh = NtfyClient(URL, TOKEN, transport=script.transport)  # one that was rate-limited pauses
        with pytest.raises(kind) as caught:
            call(fresh)
        assert not [secret for secret in (TOKEN, TOPIC) if secret in str(caught.value)]
        assert "no *** for *** and ***" in str(caught.value)


def test_access_is_whether_the_topic_can_be_read(ntfy: NtfyClient, script: Any) -> None:
    script.answer(200, "", {"Date": "Mon, 23 Nov 2026 14:02:00 GMT"}).answer(403, {"code": 40301, "error": "forbidden"})
    script.answer(401, {"code": 40101, "error": "unauthorized"})
    access = ntfy.check_access()
    assert (access.missing, access.untold) == ((), "whether they may publish")
    assert access.at is not None
    assert ntfy.check_access().missing, "the right to read"
    with pytest.raises(VendorUnauthorized):
        ntfy.check_access()
    assert {asked.method for asked in script.asked} == {"GET"}, "nothing is published"

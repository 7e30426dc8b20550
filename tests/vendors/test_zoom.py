"""Zoom: the token's life, and meetings."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from incidents.vendors.errors import VendorRateLimited, VendorUnauthorized, VendorUnavailable
from incidents.vendors.zoom import Meeting, ZoomClient

TOKEN = {"access_token": "tok-1", "expires_in": 3600}
ROW = {
    "id": 81000000001,
    "topic": "INC-1",
    "join_url": "https://zoom.us/j/81000000001",
    "start_url": "https://zoom.us/s/81000000001?zak=host-secret",
}
MEETING = Meeting("81000000001", "INC-1", "https://zoom.us/j/81000000001")
EXPIRED = {"code": 124, "message": "Access token is expired."}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def zoom(script: Any, clock: Clock) -> ZoomClient:
    return ZoomClient("acc", "cid", "zoom-secret", transport=script.transport, clock=clock)


def test_create(zoom: ZoomClient, script: Any) -> None:
    script.answer(200, TOKEN).answer(201, ROW)
    start = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
    made = zoom.create_meeting("INC-1", agenda="a", start=start, minutes=60)
    assert made == MEETING
    assert "host-secret" not in repr(made)
    token, create = script.asked
    assert (token.method, token.path) == ("POST", "/oauth/token")
    assert token.form == {"grant_type": "account_credentials", "account_id": "acc"}
    assert token.headers["authorization"] == "Basic " + base64.b64encode(b"cid:zoom-secret").decode()
    assert (create.method, create.path) == ("POST", "/v2/users/me/meetings")
    assert create.headers["authorization"] == "Bearer tok-1"
    assert create.json["type"] == 2, "only scheduled meetings are listed, and so found again"
    assert create.json["start_time"] == "2026-05-01T12:00:00Z"
    assert (create.json["topic"], create.json["duration"]) == ("INC-1", 60)
    assert create.json["settings"]["join_before_host"] is True


def test_the_token_is_used_until_shortly_before_its_end(zoom: ZoomClient, script: Any, clock: Clock) -> None:
    listing = {"meetings": [], "next_page_token": ""}
    script.answer(200, TOKEN).answer(200, listing).answer(200, listing)
    script.answer(200, {**TOKEN, "access_token": "tok-2"}).answer(200, listing)
    zoom.find_meeting("x")
    clock.now += 3000
    zoom.find_meeting("x")
    clock.now += 590
    zoom.find_meeting("x")
    assert [asked.headers["authorization"] for asked in script.asked if asked.method == "GET"] == [
        "Bearer tok-1",
        "Bearer tok-1",
        "Bearer tok-2",
    ]


def test_an_unknown_token_is_renewed_once(zoom: ZoomClient, script: Any) -> None:
    script.answer(200, TOKEN).answer(401, EXPIRED).answer(200, {**TOKEN, "access_token": "tok-2"}).answer(201, ROW)
    assert zoom.create_meeting("INC-1") == MEETING
    assert script.last.headers["authorization"] == "Bearer tok-2"


def test_a_token_refused_again_is_an_error(zoom: ZoomClient, script: Any) -> None:
    script.answer(200, TOKEN).answer(401, EXPIRED).answer(200, TOKEN).answer(401, {**EXPIRED, "message": "tok-1"})
    with pytest.raises(VendorUnauthorized) as caught:
        zoom.create_meeting("INC-1")
    assert len(script.asked) == 4
    assert "tok-1" not in str(caught.value)


def test_other_refusals_renew_nothing(zoom: ZoomClient, script: Any) -> None:
    script.answer(200, TOKEN).answer(400, {"code": 4711, "message": "Invalid access token, no scopes."})
    with pytest.raises(VendorUnauthorized) as caught:
        zoom.create_meeting("INC-1")
    assert (caught.value.code, len(script.asked)) == ("4711", 2)


def test_bad_credentials(zoom: ZoomClient, script: Any) -> None:
    script.answer(400, {"reason": "Invalid client_id or zoom-secret", "error": "invalid_client"})
    with pytest.raises(VendorUnauthorized) as caught:
        zoom.create_meeting("INC-1")
    assert "zoom-secret" not in str(caught.value)
    assert not caught.value.maybe_done


def test_find_pages(zoom: ZoomClient, script: Any) -> None:
    script.answer(200, TOKEN).answer(200, {"meetings": [{**ROW, "topic": "INC-10"}], "next_page_token": "p2"})
    script.answer(200, {"meetings": [ROW], "next_page_token": ""})
    assert zoom.find_meeting("INC-1") == MEETING
    assert script.asked[1].query == {"type": ["scheduled"], "page_size": ["300"]}
    assert script.asked[2].query["next_page_token"] == ["p2"]


def test_a_lost_reply_and_a_limit(zoom: ZoomClient, script: Any) -> None:
    script.answer(200, TOKEN).fail(httpx.ReadTimeout("slow")).answer(429, {"code": 429, "message": "daily limit"})
    with pytest.raises(VendorUnavailable) as caught:
        zoom.create_meeting("INC-1")
    assert caught.value.maybe_done
    with pytest.raises(VendorRateLimited):
        zoom.create_meeting("INC-1")


@pytest.mark.parametrize("oauth", ["http://x.example/o", "http://x.example/o/oauth/token"])
@pytest.mark.parametrize("base", ["http://x.example/z", "http://x.example/z/v2/"])
def test_base_urls(script: Any, oauth: str, base: str) -> None:
    script.answer(200, TOKEN).answer(201, ROW)
    ZoomClient("a", "c", "s", base, oauth, transport=script.transport).create_meeting("INC-1")
    assert [asked.path for asked in script.asked] == ["/o/oauth/token", "/z/v2/users/me/meetings"]

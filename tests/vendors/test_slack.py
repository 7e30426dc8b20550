"""Slack, through its SDK, against a real socket."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents.vendors.errors import (
    VendorError,
    VendorNotFound,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from incidents.vendors.slack.client import Channel, SlackClient

TOKEN = "xoxb-very-secret"
ROW = {
    "id": "C1",
    "name": "incident-1",
    "creator": "UBOT",
    "topic": {"value": "t"},
    "purpose": {"value": "p"},
    "is_archived": False,
    "is_private": False,
}
CHANNEL = Channel("C1", "incident-1", "UBOT", "t", "p", is_archived=False, is_private=False)


@pytest.fixture
def slack(loopback: Any) -> SlackClient:
    return SlackClient(TOKEN, loopback.url + "/slack/api/", timeout=1)


def refused(code: str) -> dict[str, Any]:
    return {"ok": False, "error": code}


def message(ts: str, key: str = "", **more: Any) -> dict[str, Any]:
    ours = {"metadata": {"event_type": "incident_runbook", "event_payload": {"key": key}}} if key else {}
    return {"ts": ts, "user": "U1", "text": "hello", **ours, **more}


def test_create_channel(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, {"ok": True, "channel": ROW})
    assert slack.create_channel("incident-1", private=True) == CHANNEL
    asked = loopback.last
    assert (asked.method, asked.path) == ("POST", "/slack/api/conversations.create")
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.fields == {"name": "incident-1", "is_private": "1"}


def test_a_host_alone_gets_slacks_paths(loopback: Any) -> None:
    loopback.answer(200, {"ok": True, "user_id": "UBOT"})
    assert SlackClient(TOKEN, loopback.url).whoami() == "UBOT"
    assert loopback.last.path == "/api/auth.test"


@pytest.mark.parametrize(
    ("code", "kind", "maybe_done"),
    [
        ("name_taken", VendorRejected, False),
        ("is_archived", VendorRejected, False),
        ("not_in_channel", VendorRejected, False),
        ("channel_not_found", VendorNotFound, False),
        ("invalid_auth", VendorUnauthorized, False),
        ("missing_scope", VendorUnauthorized, False),
        ("token_revoked", VendorUnauthorized, False),
        ("ratelimited", VendorRateLimited, False),
        ("fatal_error", VendorUnavailable, True),
        ("internal_error", VendorUnavailable, True),
        ("service_unavailable", VendorUnavailable, False),
    ],
)
def test_refusals_by_code(
    slack: SlackClient, loopback: Any, code: str, kind: type[VendorError], maybe_done: bool
) -> None:
    loopback.answer(200, refused(code))
    with pytest.raises(VendorError) as caught:
        slack.post("C1", "hello", key="k")
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.maybe_done) == (code, maybe_done)
    assert len(loopback.asked) == 1


def test_a_missing_scope_is_named(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, {**refused("missing_scope"), "needed": "pins:write", "provided": "chat:write"})
    with pytest.raises(VendorUnauthorized, match=r"missing_scope \(needs pins:write\)"):
        slack.pin("C1", "1.2")


def test_rate_limit(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(429, refused("ratelimited"), {"Retry-After": "30"})
    with pytest.raises(VendorRateLimited) as caught:
        slack.post("C1", "hello", key="k")
    assert caught.value.retry_after == timedelta(seconds=30)
    assert len(loopback.asked) == 1


@pytest.mark.parametrize(("status", "code"), [(200, "unreadable_answer"), (503, "")])
def test_a_page_in_place_of_an_answer(slack: SlackClient, loopback: Any, status: int, code: str) -> None:
    loopback.answer(status, f"<html>Down for maintenance {TOKEN}</html>")
    with pytest.raises(VendorUnavailable) as caught:
        slack.post("C1", "hello", key="k")
    assert (caught.value.status, caught.value.code, caught.value.maybe_done) == (status, code, True)
    assert TOKEN not in str(caught.value)


def test_an_ok_without_its_content(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, {"ok": True})
    with pytest.raises(VendorUnavailable) as caught:
        slack.post("C1", "hello", key="k")
    assert (caught.value.code, caught.value.maybe_done) == ("unreadable_answer", True)


@pytest.mark.parametrize("trouble", ["Hang", "Reset"])
def test_a_lost_reply_is_not_repeated_and_may_be_done(loopback: Any, trouble: str) -> None:
    loopback.fail(getattr(loopback, trouble)())
    slack = SlackClient(TOKEN, loopback.url, timeout=0.2)
    with pytest.raises(VendorUnavailable) as caught:
        slack.post("C1", "hello", key="k")
    assert caught.value.maybe_done
    assert caught.value.code == ("timeout" if trouble == "Hang" else "connection")
    assert len(loopback.asked) == 1, "the SDK's own repeat would post twice"


def test_a_refused_connection_has_done_nothing() -> None:
    with pytest.raises(VendorUnavailable) as caught:
        SlackClient(TOKEN, "http://127.0.0.1:1", timeout=0.5).post("C1", "hello", key="k")
    assert (caught.value.code, caught.value.maybe_done) == ("connection", False)


def test_post_carries_its_key(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, {"ok": True, "ts": "1503435956.000247"})
    blocks = [{"type": "divider"}]
    assert slack.post("C1", "hello", blocks=blocks, key="inc-1/update/3", thread_ts="1.2") == "1503435956.000247"
    sent = loopback.last.json
    assert sent["metadata"] == {"event_type": "incident_runbook", "event_payload": {"key": "inc-1/update/3"}}
    assert blocks_of(loopback.last) == blocks
    assert (sent["channel"], sent["text"], sent["thread_ts"]) == ("C1", "hello", "1.2")


def blocks_of(request: Any) -> Any:
    sent = request.json["blocks"]
    return json.loads(sent) if isinstance(sent, str) else sent


def test_texts_are_cut_to_slacks_limits(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, {"ok": True, "ts": "1.2"})
    slack.post("C1", "x" * 50_000, key="k")
    assert len(loopback.last.json["text"]) == 40_000
    slack.set_topic("C1", "x" * 300)
    assert len(loopback.last.fields["topic"]) == 250
    slack.set_purpose("C1", "y" * 250)
    assert loopback.last.fields["purpose"] == "y" * 250


def test_find_channel_pages_through_all_kinds(slack: SlackClient, loopback: Any) -> None:
    other = {**ROW, "id": "C0", "name": "incident-10"}
    loopback.answer(200, {"ok": True, "channels": [other], "response_metadata": {"next_cursor": "page2"}})
    loopback.answer(200, {"ok": True, "channels": [{**ROW, "is_archived": True}], "response_metadata": {}})
    found = slack.find_channel("incident-1")
    assert found is not None
    assert (found.id, found.is_archived) == ("C1", True)
    first, second = (asked.fields for asked in loopback.asked)
    assert first["types"] == "public_channel,private_channel"
    assert first["exclude_archived"] == "0"
    assert "cursor" not in first
    assert second["cursor"] == "page2"


def test_find_channel_without_the_right_to_private_ones(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, refused("missing_scope")).answer(200, {"ok": True, "channels": [ROW]})
    assert slack.find_channel("incident-1") == CHANNEL
    assert loopback.last.fields["types"] == "public_channel"


def test_find_channel_finds_none(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, {"ok": True, "channels": [ROW], "response_metadata": {"next_cursor": ""}})
    assert slack.find_channel("incident-2") is None


def test_invite_everybody_at_once(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, {"ok": True, "channel": ROW})
    assert slack.invite("C1", ["U1", "U2", "U1"]) == ()
    assert [asked.fields["users"] for asked in loopback.asked] == ["U1,U2"]
    assert slack.invite("C1", []) == ()
    assert len(loopback.asked) == 1


def test_one_refused_person_does_not_keep_the_others_out(slack: SlackClient, loopback: Any) -> None:
    ok = {"ok": True, "channel": ROW}
    loopback.answer(200, refused("user_not_found")).answer(200, ok).answer(200, refused("user_not_found"))
    loopback.answer(200, refused("already_in_channel")).answer(200, refused("cant_invite_self"))
    problems = slack.invite("C1", ["U1", "U2", "U3", "UBOT"])
    assert problems == ("U2 user_not_found", "U3 already_in_channel", "UBOT cant_invite_self")
    assert [asked.fields["users"] for asked in loopback.asked] == ["U1,U2,U3,UBOT", "U1", "U2", "U3", "UBOT"]


def test_invite_to_a_channel_that_takes_none(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, refused("is_archived"))
    with pytest.raises(VendorRejected) as caught:
        slack.invite("C1", ["U1", "U2"])
    assert caught.value.code == "is_archived"


def test_history_of_a_time(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, {"ok": True, "messages": [message("1503435956.000247", "k", reply_count=2)]})
    oldest = datetime(2026, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    (found,) = slack.history("C1", oldest, oldest + timedelta(hours=1))
    assert (found.ts, found.user, found.text, found.key, found.reply_count) == (
        "1503435956.000247",
        "U1",
        "hello",
        "k",
        2,
    )
    assert loopback.last.fields["oldest"] == "1777636800.250000"
    assert loopback.last.fields["latest"] == "1777640400.250000"


@pytest.mark.parametrize(
    ("method", "arguments", "path", "code"),
    [
        ("pin", ("C1", "1.2"), "pins.add", "already_pinned"),
        ("archive", ("C1",), "conversations.archive", "already_archived"),
        ("unarchive", ("C1",), "conversations.unarchive", "not_archived"),
    ],
)
def test_done_already_is_done(
    slack: SlackClient, loopback: Any, method: str, arguments: tuple[str, ...], path: str, code: str
) -> None:
    loopback.answer(200, refused(code)).answer(200, refused("channel_not_found"))
    getattr(slack, method)(*arguments)
    assert loopback.last.path == f"/slack/api/{path}"
    with pytest.raises(VendorNotFound):
        getattr(slack, method)(*arguments)


def test_update(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, {"ok": True, "ts": "1.2"})
    slack.update("C1", "1.2", "new")
    assert loopback.last.path.endswith("/chat.update")
    assert {name: loopback.last.json[name] for name in ("channel", "ts", "text")} == {
        "channel": "C1",
        "ts": "1.2",
        "text": "new",
    }
    assert "metadata" not in loopback.last.json, "Slack would drop the key with an empty one"


def test_people(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, {"ok": True, "user": {"id": "U7"}}).answer(200, refused("users_not_found"))
    loopback.answer(200, {"ok": True, "channel": {"id": "D7"}})
    assert slack.lookup_user("a@b.example") == "U7"
    assert loopback.last.fields == {"email": "a@b.example"}
    assert slack.lookup_user("nobody@b.example") is None
    assert slack.open_dm("U7") == "D7"
    assert loopback.last.fields["users"] == "U7"


def test_the_token_is_not_logged(loopback: Any, caplog: pytest.LogCaptureFixture) -> None:
    loopback.answer(200, refused("invalid_auth"))
    with caplog.at_level(logging.DEBUG), pytest.raises(VendorUnauthorized):
        SlackClient(TOKEN, loopback.url).whoami()
    assert TOKEN not in caplog.text

"""Slack: a message is found by its key, and no further back than it can be."""

from datetime import UTC, datetime
from typing import Any

from incidents.vendors.slack.client import SlackClient
from tests.vendors.test_slack import message, slack

__all__ = ["slack"]

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def test_find_message_by_key(slack: SlackClient, loopback: Any) -> None:
    stranger = message("3.0")
    stranger["metadata"] = {"event_type": "other_app", "event_payload": {"key": "k2"}}
    loopback.answer(200, {"ok": True, "messages": [stranger], "response_metadata": {"next_cursor": "c"}})
    loopback.answer(200, {"ok": True, "messages": [message("2.0", "k1"), message("1.0", "k2")]})
    assert slack.find_message("C1", "k2", LONG_AGO) == "1.0"
    assert loopback.asked[0].fields["include_all_metadata"] == "1"
    assert loopback.asked[1].fields["cursor"] == "c"


def test_find_message_looks_only_so_far_back(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, {"ok": True, "messages": [message("1.0")], "response_metadata": {"next_cursor": "more"}})
    assert slack.find_message("C1", "k2", LONG_AGO, pages=3) is None
    assert len(loopback.asked) == 3


def test_find_message_in_a_thread(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, {"ok": True, "messages": [message("1.0"), message("1.5", "k2", thread_ts="1.0")]})
    assert slack.find_message("C1", "k2", LONG_AGO, thread_ts="1.0") == "1.5"
    assert loopback.last.path.endswith("/conversations.replies")
    assert loopback.last.fields["ts"] == "1.0"


def test_find_message_reads_no_further_back_than_it_can_be(slack: SlackClient, loopback: Any) -> None:
    loopback.answer(200, {"ok": True, "messages": []})
    since = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert slack.find_message("C1", "k2", since) is None
    assert slack.find_message("C1", "k2", since, thread_ts="1.0") is None
    assert [asked.fields["oldest"] for asked in loopback.asked] == [f"{since.timestamp():.6f}"] * 2

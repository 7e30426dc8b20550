"""Slack: what an incident does there, and that a lost reply doubles nothing."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.chat import channel_name
from activities.hands import Hands
from runbook.effects import ArchiveChannel, DirectMessage, Invite, KeepSummary, OpenChannel, PostMessage, SetTopic
from sandbox.server import RunningSandbox
from tests.activities.conftest import perform

WANTED = OpenChannel(key="k/channel", name="incident-7", marker="[run-7]")


def opened(hands: Hands, attempt: int = 1) -> str:
    outcome = perform(hands.chat.open_channel, WANTED, attempt)
    assert outcome.resources.channel_id
    return str(outcome.resources.channel_id)


def made(sandbox: RunningSandbox, operation: str) -> int:
    return len([row for row in sandbox.ledger("slack") if row["operation"] == operation])


@given(st.text(max_size=200), st.sampled_from(["", "-2", "-9"]))
def test_19_any_text_becomes_a_name_that_slack_takes(text: str, suffix: str) -> None:
    name = channel_name(text, suffix)
    assert 1 <= len(name) <= 80
    assert all(letter in "abcdefghijklmnopqrstuvwxyz0123456789-_" for letter in name)
    assert name.endswith(suffix)
    assert channel_name("Incident 42: Ünïcode!") == "incident-42-n-code"


def test_20_a_lost_reply_makes_no_second_channel(hands: Hands, sandbox: RunningSandbox) -> None:
    sandbox.fault("slack", "lost_reply", "conversations.create")
    with pytest.raises(ApplicationError) as lost:
        perform(hands.chat.open_channel, WANTED)
    assert not lost.value.non_retryable
    outcome = perform(hands.chat.open_channel, WANTED, attempt=2)
    assert outcome.resources.channel_name == "incident-7"
    assert made(sandbox, "conversations.create") == 1
    assert opened(hands, attempt=3) == outcome.resources.channel_id


def test_18_a_strangers_channel_is_never_adopted(hands: Hands, sandbox: RunningSandbox) -> None:
    stranger = opened(hands)
    other = WANTED.but(marker="[run-8]")
    outcome = perform(hands.chat.open_channel, other, attempt=2)
    assert outcome.resources.channel_id != stranger
    assert outcome.resources.channel_name == "incident-7-2"
    perform(hands.chat.archive_channel, ArchiveChannel(key="k/archive", channel_id=stranger))
    third = perform(hands.chat.open_channel, WANTED.but(marker="[run-9]"))
    assert third.resources.channel_name == "incident-7-3"
    unarchived = made(sandbox, "conversations.unarchive")
    assert unarchived == 0


def test_a_message_is_posted_once_though_the_reply_is_lost(hands: Hands, sandbox: RunningSandbox) -> None:
    message = PostMessage(key="k/notice/1", channel_id=opened(hands), text="hello")
    sandbox.fault("slack", "lost_reply", "chat.postMessage")
    with pytest.raises(ApplicationError):
        perform(hands.chat.post_message, message)
    perform(hands.chat.post_message, message, attempt=2)
    perform(hands.chat.post_message, message.but(again=True))
    assert made(sandbox, "chat.postMessage") == 1


def test_the_summary_is_posted_pinned_and_kept_current(hands: Hands, sandbox: RunningSandbox) -> None:
    room = opened(hands)
    first = perform(hands.chat.keep_summary, KeepSummary(key="k/s/0", channel_id=room, ts=None, text="one"))
    ts = first.resources.summary_ts
    second = perform(hands.chat.keep_summary, KeepSummary(key="k/s/1", channel_id=room, ts=ts, text="two"))
    assert second.resources.summary_ts == ts
    gone = perform(hands.chat.keep_summary, KeepSummary(key="k/s/2", channel_id=room, ts="1.000001", text="three"))
    assert gone.resources.summary_ts not in (ts, "1.000001"), "a deleted summary is posted anew"
    assert (made(sandbox, "chat.postMessage"), made(sandbox, "chat.update"), made(sandbox, "pins.add")) == (2, 1, 2)


def test_21_people_whom_slack_does_not_know_are_named_and_hold_up_nobody(hands: Hands) -> None:
    room = opened(hands)
    invitation = Invite(key="k/i", channel_id=room, emails=("oncall@featuresignals.com", "ghost@example.com"))
    assert perform(hands.chat.invite, invitation).detail == "ghost@example.com is not in Slack"
    assert "already" not in perform(hands.chat.invite, invitation, attempt=2).detail


def test_a_direct_message(hands: Hands, sandbox: RunningSandbox) -> None:
    message = DirectMessage(key="k/dm", email="cto@featuresignals.com", text="Please come.")
    perform(hands.chat.direct_message, message)
    perform(hands.chat.direct_message, message, attempt=2)
    assert made(sandbox, "chat.postMessage") == 1
    nobody = perform(hands.chat.direct_message, message.but(email="ghost@example.com"))
    assert nobody.skipped == "ghost@example.com is not in Slack"


def test_22_a_rate_limit_becomes_the_next_attempts_delay(hands: Hands, sandbox: RunningSandbox) -> None:
    sandbox.fault("slack", "rate_limit", "setTopic", retry_after=7)
    with pytest.raises(ApplicationError) as limited:
        perform(hands.chat.set_topic, SetTopic(key="k/t", channel_id=opened(hands), topic="x"))
    assert limited.value.next_retry_delay == timedelta(seconds=7)
    assert limited.value.category is ApplicationErrorCategory.BENIGN
    assert not limited.value.non_retryable


def test_21_wrong_credentials_are_final_and_never_told(hands: Hands, sandbox: RunningSandbox) -> None:
    sandbox.fault("slack", "status", "conversations.create", status=200, body={"ok": False, "error": "invalid_auth"})
    with pytest.raises(ApplicationError) as refused:
        perform(hands.chat.open_channel, WANTED)
    assert refused.value.non_retryable
    assert refused.value.type == "VendorUnauthorized"
    assert sandbox.environment()["SLACK_BOT_TOKEN"] not in str(refused.value)


def test_without_a_token_it_is_off_and_says_what_is_missing(idle: Hands) -> None:
    outcome = perform(idle.chat.open_channel, WANTED)
    assert outcome.skipped == "slack is off: SLACK_BOT_TOKEN is not set"

"""Slack: what an incident does there, and that a lost reply doubles nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.chat.chat import channel_name
from activities.registry import ActivitySet
from incidents.domain.activity_requests import (
    AddBookmark,
    ArchiveChannel,
    Button,
    DirectMessage,
    HearChannel,
    Invite,
    KeepSummary,
    OpenChannel,
    PostMessage,
    SetTopic,
)
from sandbox.server import RunningSandbox
from sandbox.vendors.slack.workspace import Workspace
from tests.activities.conftest import failed, operations, perform

WANTED = OpenChannel(key="k/channel", name="incident-7", marker="[run-7]")
WORKSPACE = Workspace()


def opened(hands: ActivitySet, attempt: int = 1) -> str:
    outcome = perform(hands.chat.open_channel, WANTED, attempt)
    assert outcome.resources.channel_id
    return str(outcome.resources.channel_id)


def made(sandbox: RunningSandbox, operation: str) -> int:
    return operations(sandbox, "slack").count(operation)


def channel(sandbox: RunningSandbox, name: str) -> dict[str, Any]:
    """The channel of that name as Slack has it."""
    found = [row for row in sandbox.state()["slack"]["channels"] if row.get("name") == name]
    assert len(found) == 1, f"{len(found)} channels are called {name}"
    return dict(found[0])


def listed(sandbox: RunningSandbox, *rows: dict[str, Any]) -> None:
    """From now on, Slack lists these channels and no others."""
    sandbox.fault(
        "slack", "status", "conversations.list", status=200, body={"ok": True, "channels": list(rows)}, times=None
    )


@given(st.text(max_size=200), st.sampled_from(["", "-2", "-9"]))
def test_19_any_text_becomes_a_name_that_slack_takes(text: str, suffix: str) -> None:
    name = channel_name(text, suffix)
    assert 1 <= len(name) <= 80
    assert all(letter in "abcdefghijklmnopqrstuvwxyz0123456789-_" for letter in name)
    assert name.endswith(suffix)
    WORKSPACE.check_name(name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Incident 42: Ünïcode!", "incident-42-n-code"),
        ("incident-7-日本語", "incident-7"),
        ("___", "incident"),
        ("🔥", "incident"),
        ("x" * 79 + " yz", "x" * 79),
        ("_" * 90 + "a", "a"),
    ],
)
def test_19_a_title_is_slugged(text: str, name: str) -> None:
    assert channel_name(text) == name


def test_20_a_lost_reply_makes_no_second_channel(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("slack", "lost_reply", "conversations.create")
    with pytest.raises(ApplicationError) as lost:
        perform(hands.chat.open_channel, WANTED)
    assert not lost.value.non_retryable
    outcome = perform(hands.chat.open_channel, WANTED, attempt=2)
    assert outcome.resources.channel_name == "incident-7"
    assert made(sandbox, "conversations.create") == 1
    assert opened(hands, attempt=3) == outcome.resources.channel_id


def test_18_a_strangers_channel_is_never_adopted(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    stranger = opened(hands)
    other = WANTED.replace(marker="[run-8]")
    outcome = perform(hands.chat.open_channel, other, attempt=2)
    assert outcome.resources.channel_id != stranger
    assert outcome.resources.channel_name == "incident-7-2"
    perform(hands.chat.archive_channel, ArchiveChannel(key="k/archive", channel_id=stranger))
    third = perform(hands.chat.open_channel, WANTED.replace(marker="[run-9]"))
    assert third.resources.channel_name == "incident-7-3"
    unarchived = made(sandbox, "conversations.unarchive")
    assert unarchived == 0


def test_a_message_is_posted_once_though_the_reply_is_lost(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    message = PostMessage(key="k/notice/1", channel_id=opened(hands), text="hello")
    sandbox.fault("slack", "lost_reply", "chat.postMessage")
    with pytest.raises(ApplicationError):
        perform(hands.chat.post_message, message)
    perform(hands.chat.post_message, message, attempt=2)
    perform(hands.chat.post_message, message.replace(again=True))
    assert made(sandbox, "chat.postMessage") == 1


def test_the_summary_is_posted_pinned_and_kept_current(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    room = opened(hands)
    first = perform(hands.chat.keep_summary, KeepSummary(key="k/s/0", channel_id=room, ts=None, text="one"))
    ts = first.resources.summary_ts
    second = perform(hands.chat.keep_summary, KeepSummary(key="k/s/1", channel_id=room, ts=ts, text="two"))
    assert second.resources.summary_ts == ts
    gone = perform(hands.chat.keep_summary, KeepSummary(key="k/s/2", channel_id=room, ts="1.000001", text="three"))
    assert gone.resources.summary_ts not in (ts, "1.000001"), "a deleted summary is posted anew"
    assert (made(sandbox, "chat.postMessage"), made(sandbox, "chat.update"), made(sandbox, "pins.add")) == (2, 1, 2)


def test_21_people_whom_slack_does_not_know_are_named_and_hold_up_nobody(hands: ActivitySet) -> None:
    room = opened(hands)
    invitation = Invite(key="k/i", channel_id=room, emails=("oncall@featuresignals.com", "ghost@example.com"))
    assert perform(hands.chat.invite, invitation).detail == "ghost@example.com not found in Slack"
    assert "already" not in perform(hands.chat.invite, invitation, attempt=2).detail


def test_a_direct_message(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    message = DirectMessage(key="k/dm", email="cto@featuresignals.com", text="Please come.")
    perform(hands.chat.direct_message, message)
    perform(hands.chat.direct_message, message, attempt=2)
    assert made(sandbox, "chat.postMessage") == 1
    nobody = perform(hands.chat.direct_message, message.replace(email="ghost@example.com"))
    assert nobody.skipped == "ghost@example.com not found in Slack"


def test_22_a_rate_limit_becomes_the_next_attempts_delay(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("slack", "rate_limit", "setTopic", retry_after=7)
    with pytest.raises(ApplicationError) as limited:
        perform(hands.chat.set_topic, SetTopic(key="k/t", channel_id=opened(hands), topic="x"))
    assert limited.value.next_retry_delay == timedelta(seconds=7)
    assert limited.value.category is ApplicationErrorCategory.BENIGN
    assert not limited.value.non_retryable


def test_21_wrong_credentials_are_final_and_never_told(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("slack", "status", "conversations.create", status=200, body={"ok": False, "error": "invalid_auth"})
    with pytest.raises(ApplicationError) as refused:
        perform(hands.chat.open_channel, WANTED)
    assert refused.value.non_retryable
    assert refused.value.type == "VendorUnauthorized"
    assert sandbox.environment()["SLACK_BOT_TOKEN"] not in str(refused.value)


def test_without_a_token_it_is_off_and_says_what_is_missing(idle: ActivitySet) -> None:
    outcome = perform(idle.chat.open_channel, WANTED)
    assert outcome.skipped == "Slack not configured (SLACK_BOT_TOKEN is not set)"


def test_what_slack_then_shows(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    room = opened(hands)
    perform(hands.chat.set_topic, SetTopic(key="k/t", channel_id=room, topic="P0 | investigating"))
    perform(hands.chat.post_message, PostMessage(key="k/m", channel_id=room, text="hello"))
    shown = channel(sandbox, "incident-7")
    assert (shown["id"], shown["is_private"], shown["is_archived"]) == (room, False, False)
    assert "[run-7]" in shown["purpose"]["value"]
    assert shown["topic"]["value"] == "P0 | investigating"
    assert [message["text"] for message in shown["messages"]] == ["hello"]
    for attempt in (1, 2):
        perform(hands.chat.archive_channel, ArchiveChannel(key="k/archive", channel_id=room), attempt)
    assert channel(sandbox, "incident-7")["is_archived"]


def test_24_a_private_channel_is_made_private(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(hands.chat.open_channel, WANTED.replace(private=True))
    assert channel(sandbox, "incident-7")["is_private"]


@pytest.mark.parametrize("again", [True, False])
def test_20_a_channel_cut_off_before_its_purpose_is_adopted(
    hands: ActivitySet, sandbox: RunningSandbox, again: bool
) -> None:
    sandbox.fault("slack", "reset", "setPurpose")
    failed(hands.chat.open_channel, WANTED)
    bare = channel(sandbox, "incident-7")
    assert bare["purpose"]["value"] == ""
    outcome = perform(hands.chat.open_channel, WANTED.replace(again=again))
    assert outcome.resources.channel_id == bare["id"]
    assert "[run-7]" in channel(sandbox, "incident-7")["purpose"]["value"]
    assert made(sandbox, "conversations.create") == 1


def test_20_a_lost_variant_is_found_too(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(hands.chat.open_channel, WANTED.replace(marker="[run-6]"))
    sandbox.fault("slack", "status", "create", status=200, body={"ok": False, "error": "name_taken"})
    sandbox.fault("slack", "lost_reply", "conversations.create")
    failed(hands.chat.open_channel, WANTED)
    assert perform(hands.chat.open_channel, WANTED, attempt=2).resources.channel_name == "incident-7-2"
    assert made(sandbox, "conversations.create") == 2, "the other's, and ours"


@pytest.mark.parametrize("purpose", ["", "Incident response [run-7]", "Lunch"])
@pytest.mark.parametrize("attempt", [1, 2])
def test_18_whom_a_channel_belongs_to_is_told_by_its_creator(
    hands: ActivitySet, sandbox: RunningSandbox, purpose: str, attempt: int
) -> None:
    opened(hands)
    theirs = channel(sandbox, "incident-7")
    theirs |= {"creator": "U0STRANGER", "is_archived": True, "purpose": {"value": purpose}}
    listed(sandbox, theirs)
    outcome = perform(hands.chat.open_channel, WANTED, attempt)
    assert outcome.resources.channel_name == "incident-7-2"
    assert made(sandbox, "conversations.unarchive") == 0
    assert [row["payload"]["channel_name"] for row in sandbox.ledger("slack") if "setPurpose" in row["operation"]] == [
        "incident-7",
        "incident-7-2",
    ]


def test_18_a_name_that_others_have_in_private_is_passed_over(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(hands.chat.open_channel, WANTED.replace(marker="[run-6]", private=True))
    listed(sandbox)
    assert perform(hands.chat.open_channel, WANTED).resources.channel_name == "incident-7-2"


def test_18_when_every_name_is_taken_it_says_so(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    for number in range(9):
        perform(hands.chat.open_channel, WANTED.replace(marker=f"[other-{number}]"))
    outcome = perform(hands.chat.open_channel, WANTED)
    assert outcome.skipped == "all names from #incident-7 to #incident-7-9 are taken"
    assert made(sandbox, "conversations.create") == 9


def test_63_our_own_archived_channel_comes_back(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    room = opened(hands)
    perform(hands.chat.archive_channel, ArchiveChannel(key="k/archive", channel_id=room))
    assert opened(hands, attempt=2) == room
    assert not channel(sandbox, "incident-7")["is_archived"]


def test_the_summary_is_posted_once_though_the_reply_is_lost(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    summary = KeepSummary(key="k/s", channel_id=opened(hands), ts=None, text="one")
    for step in ("chat.postMessage", "pins.add"):
        sandbox.fault("slack", "lost_reply", step)
        assert failed(hands.chat.keep_summary, summary, attempt=2).type == "VendorUnavailable"
    outcome = perform(hands.chat.keep_summary, summary, attempt=3)
    shown = channel(sandbox, "incident-7")
    assert [message["ts"] for message in shown["messages"]] == shown["pins"] == [outcome.resources.summary_ts]


def test_a_direct_message_goes_out_once_though_the_reply_is_lost(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    message = DirectMessage(key="k/dm", email="cto@featuresignals.com", text="Please come.")
    sandbox.fault("slack", "lost_reply", "chat.postMessage")
    failed(hands.chat.direct_message, message)
    perform(hands.chat.direct_message, message, attempt=2)
    assert made(sandbox, "chat.postMessage") == 1


def test_two_duties_with_the_same_words_are_two_messages(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    message = PostMessage(key="k/notice/1", channel_id=opened(hands), text="No change.")
    perform(hands.chat.post_message, message)
    perform(hands.chat.post_message, message.replace(key="k/notice/2"), attempt=2)
    assert made(sandbox, "chat.postMessage") == 2


def test_21_inviting_the_bot_itself_is_no_problem(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    refusal = {"ok": False, "error": "cant_invite_self"}
    sandbox.fault("slack", "status", "conversations.invite", status=200, body=refusal, times=None)
    wanted = Invite(key="k/i", channel_id=opened(hands), emails=("oncall@featuresignals.com",))
    assert perform(hands.chat.invite, wanted).detail == ""


def test_21_one_who_cannot_be_invited_is_named_and_the_others_come(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    wanted = Invite(key="k/i", channel_id=opened(hands), emails=("oncall@featuresignals.com", "cto@featuresignals.com"))
    refusal = {"ok": False, "error": "user_is_restricted"}
    sandbox.fault("slack", "status", "conversations.invite", status=200, body=refusal, times=2)
    assert perform(hands.chat.invite, wanted).detail.endswith(" user_is_restricted")
    assert len(channel(sandbox, "incident-7")["members"]) == 2, "the bot and the second one"


@pytest.mark.parametrize("code", ["missing_scope", "account_inactive", "token_revoked"])
def test_21_missing_rights_are_final(hands: ActivitySet, sandbox: RunningSandbox, code: str) -> None:
    room = opened(hands)
    sandbox.fault("slack", "status", "chat.postMessage", status=200, body={"ok": False, "error": code})
    refused = failed(hands.chat.post_message, PostMessage(key="k", channel_id=room, text="x"))
    assert (refused.non_retryable, refused.type) == (True, "VendorUnauthorized")
    assert code in refused.message


def test_each_method_is_off_without_a_token(idle: ActivitySet) -> None:
    chat = idle.chat
    outcomes = [
        perform(chat.set_topic, SetTopic(key="k", channel_id="C1", topic="x")),
        perform(chat.invite, Invite(key="k", channel_id="C1", emails=("a@example.com",))),
        perform(chat.post_message, PostMessage(key="k", channel_id="C1", text="x")),
        perform(chat.direct_message, DirectMessage(key="k", email="a@example.com", text="x")),
        perform(chat.keep_summary, KeepSummary(key="k", channel_id="C1", ts=None, text="x")),
        perform(chat.archive_channel, ArchiveChannel(key="k", channel_id="C1")),
        perform(chat.add_bookmark, AddBookmark(key="k", channel_id="C1", label="x", url="https://x.example")),
        perform(chat.hear_channel, HearChannel(key="k", channel_id="C1", since=datetime.now(UTC))),
    ]
    assert {outcome.skipped for outcome in outcomes} == {"Slack not configured (SLACK_BOT_TOKEN is not set)"}


def test_a_bookmark_is_put_once_though_the_reply_is_lost(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    channel_id = opened(hands)
    mark = AddBookmark(key="k", channel_id=channel_id, label="War room", url="https://zoom.example/j/1")
    sandbox.fault("slack", "lost_reply", "bookmarks.add", status=502)
    failed(hands.chat.add_bookmark, mark)
    perform(hands.chat.add_bookmark, mark, attempt=2)
    assert [row["link"] for row in channel(sandbox, "incident-7")["bookmarks"]] == ["https://zoom.example/j/1"]


def test_44_a_persons_word_is_heard_and_a_bots_is_none(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    channel_id = opened(hands)
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    asked = HearChannel(key="k", channel_id=channel_id, since=long_ago)
    perform(hands.chat.post_message, PostMessage(key="run-7/notice/1", channel_id=channel_id, text="We say."))
    assert perform(hands.chat.hear_channel, asked).heard_at is None
    sandbox.say("incident-7", "oncall@featuresignals.com", "On it.")
    heard = perform(hands.chat.hear_channel, asked).heard_at
    assert heard is not None
    assert heard > long_ago
    assert perform(hands.chat.hear_channel, asked.replace(since=heard)).heard_at is None, "that word is known"


def test_buttons_are_shown_only_where_somebody_hears_them(
    wired: Callable[..., ActivitySet], hands: ActivitySet, sandbox: RunningSandbox
) -> None:
    channel_id = opened(hands)
    button = Button(label="Acknowledge", action="acknowledge", value="{}")
    wanted = KeepSummary(key="run-7/summary/0", channel_id=channel_id, ts=None, text="*INC-7*", buttons=(button,))
    perform(hands.chat.keep_summary, wanted)
    deaf = wired(**(sandbox.environment() | {"SLACK_SIGNING_SECRET": ""}))
    perform(deaf.chat.keep_summary, wanted.replace(key="run-7/summary/1"))
    messages = channel(sandbox, "incident-7")["messages"]
    assert messages[0]["blocks"][1]["elements"][0]["action_id"] == "acknowledge"
    assert not messages[1].get("blocks")
    over = wanted.replace(key="run-7/summary/2", ts=messages[0]["ts"], text="*INC-7* resolved", buttons=())
    perform(hands.chat.keep_summary, over)
    message = channel(sandbox, "incident-7")["messages"][0]
    shown = (message["text"], message.get("blocks"))
    assert shown == ("*INC-7* resolved", None), "Slack would show the old ones for ever"

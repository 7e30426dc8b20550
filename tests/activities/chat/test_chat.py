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
from incidents.domain.chat.activity_requests import (
    AddBookmark,
    ArchiveChannel,
    DirectMessage,
    HearChannel,
    Invite,
    KeepSummary,
    OpenChannel,
    PostMessage,
    SetTopic,
)
from incidents.domain.chat.card import Button, Card
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from sandbox.server import RunningSandbox
from sandbox.vendors.slack.workspace import Workspace
from tests.activities.conftest import failed, operations, perform

WANTED = OpenChannel(key="k/channel", name="incident-7", marker="[run-7]")
WORKSPACE = Workspace()


def opened(activities: ActivitySet, attempt: int = 1) -> str:
    outcome = perform(activities.chat.open_channel, WANTED, attempt)
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


def test_20_a_lost_reply_makes_no_second_channel(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("slack", "lost_reply", "conversations.create")
    with pytest.raises(ApplicationError) as lost:
        perform(activities.chat.open_channel, WANTED)
    assert not lost.value.non_retryable
    outcome = perform(activities.chat.open_channel, WANTED, attempt=2)
    assert outcome.resources.channel_name == "incident-7"
    assert made(sandbox, "conversations.create") == 1
    assert opened(activities, attempt=3) == outcome.resources.channel_id


def test_18_a_strangers_channel_is_never_adopted(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    stranger = opened(activities)
    other = WANTED.replace(marker="[run-8]")
    outcome = perform(activities.chat.open_channel, other, attempt=2)
    assert outcome.resources.channel_id != stranger
    assert outcome.resources.channel_name == "incident-7-2"
    perform(activities.chat.archive_channel, ArchiveChannel(key="k/archive", channel_id=stranger))
    third = perform(activities.chat.open_channel, WANTED.replace(marker="[run-9]"))
    assert third.resources.channel_name == "incident-7-3"
    unarchived = made(sandbox, "conversations.unarchive")
    assert unarchived == 0


def test_a_message_is_posted_once_though_the_reply_is_lost(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    message = PostMessage(key="k/notice/1", channel_id=opened(activities), text=as_mrkdwn("hello"))
    sandbox.fault("slack", "lost_reply", "chat.postMessage")
    with pytest.raises(ApplicationError):
        perform(activities.chat.post_message, message)
    perform(activities.chat.post_message, message, attempt=2)
    perform(activities.chat.post_message, message.replace(again=True))
    assert made(sandbox, "chat.postMessage") == 1


def test_the_summary_is_posted_pinned_and_kept_current(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    room = opened(activities)
    first = perform(
        activities.chat.keep_summary, KeepSummary(key="k/s/0", channel_id=room, ts=None, text=as_mrkdwn("one"))
    )
    ts = first.resources.summary_ts
    second = perform(
        activities.chat.keep_summary, KeepSummary(key="k/s/1", channel_id=room, ts=ts, text=as_mrkdwn("two"))
    )
    assert second.resources.summary_ts == ts
    gone = perform(
        activities.chat.keep_summary, KeepSummary(key="k/s/2", channel_id=room, ts="1.000001", text=as_mrkdwn("three"))
    )
    assert gone.resources.summary_ts not in (ts, "1.000001"), "a deleted summary is posted anew"
    assert (made(sandbox, "chat.postMessage"), made(sandbox, "chat.update"), made(sandbox, "pins.add")) == (2, 1, 2)


def test_21_people_whom_slack_does_not_know_are_named_and_hold_up_nobody(activities: ActivitySet) -> None:
    room = opened(activities)
    invitation = Invite(key="k/i", channel_id=room, emails=("oncall@featuresignals.com", "ghost@example.com"))
    assert perform(activities.chat.invite, invitation).detail == "ghost@example.com not found in Slack"
    assert "already" not in perform(activities.chat.invite, invitation, attempt=2).detail


def test_a_direct_message(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    message = DirectMessage(key="k/dm", email="cto@featuresignals.com", text=as_mrkdwn("Please come."))
    perform(activities.chat.direct_message, message)
    perform(activities.chat.direct_message, message, attempt=2)
    assert made(sandbox, "chat.postMessage") == 1
    nobody = perform(activities.chat.direct_message, message.replace(email="ghost@example.com"))
    assert nobody.skipped == "ghost@example.com not found in Slack"


def test_22_a_rate_limit_becomes_the_next_attempts_delay(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("slack", "rate_limit", "setTopic", retry_after=7)
    with pytest.raises(ApplicationError) as limited:
        perform(activities.chat.set_topic, SetTopic(key="k/t", channel_id=opened(activities), topic="x"))
    assert limited.value.next_retry_delay == timedelta(seconds=7)
    assert limited.value.category is ApplicationErrorCategory.BENIGN
    assert not limited.value.non_retryable


def test_21_wrong_credentials_are_final_and_never_told(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("slack", "status", "conversations.create", status=200, body={"ok": False, "error": "invalid_auth"})
    with pytest.raises(ApplicationError) as refused:
        perform(activities.chat.open_channel, WANTED)
    assert refused.value.non_retryable
    assert refused.value.type == "VendorUnauthorized"
    assert sandbox.environment()["SLACK_BOT_TOKEN"] not in str(refused.value)


def test_without_a_token_it_is_off_and_says_what_is_missing(idle: ActivitySet) -> None:
    outcome = perform(idle.chat.open_channel, WANTED)
    assert outcome.skipped == "Slack not configured (SLACK_BOT_TOKEN is not set)"


def test_what_slack_then_shows(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    room = opened(activities)
    perform(activities.chat.set_topic, SetTopic(key="k/t", channel_id=room, topic="P0 | investigating"))
    perform(activities.chat.post_message, PostMessage(key="k/m", channel_id=room, text=as_mrkdwn("hello")))
    shown = channel(sandbox, "incident-7")
    assert (shown["id"], shown["is_private"], shown["is_archived"]) == (room, False, False)
    assert "[run-7]" in shown["purpose"]["value"]
    assert shown["topic"]["value"] == "P0 | investigating"
    assert [message["text"] for message in shown["messages"]] == ["hello"]
    for attempt in (1, 2):
        perform(activities.chat.archive_channel, ArchiveChannel(key="k/archive", channel_id=room), attempt)
    assert channel(sandbox, "incident-7")["is_archived"]


def test_24_a_private_channel_is_made_private(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(activities.chat.open_channel, WANTED.replace(private=True))
    assert channel(sandbox, "incident-7")["is_private"]


@pytest.mark.parametrize("again", [True, False])
def test_20_a_channel_cut_off_before_its_purpose_is_adopted(
    activities: ActivitySet, sandbox: RunningSandbox, again: bool
) -> None:
    sandbox.fault("slack", "reset", "setPurpose")
    failed(activities.chat.open_channel, WANTED)
    bare = channel(sandbox, "incident-7")
    assert bare["purpose"]["value"] == ""
    outcome = perform(activities.chat.open_channel, WANTED.replace(again=again))
    assert outcome.resources.channel_id == bare["id"]
    assert "[run-7]" in channel(sandbox, "incident-7")["purpose"]["value"]
    assert made(sandbox, "conversations.create") == 1


def test_20_a_lost_variant_is_found_too(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(activities.chat.open_channel, WANTED.replace(marker="[run-6]"))
    sandbox.fault("slack", "status", "create", status=200, body={"ok": False, "error": "name_taken"})
    sandbox.fault("slack", "lost_reply", "conversations.create")
    failed(activities.chat.open_channel, WANTED)
    assert perform(activities.chat.open_channel, WANTED, attempt=2).resources.channel_name == "incident-7-2"
    assert made(sandbox, "conversations.create") == 2, "the other's, and ours"


@pytest.mark.parametrize("purpose", ["", "Incident response [run-7]", "Lunch"])
@pytest.mark.parametrize("attempt", [1, 2])
def test_18_whom_a_channel_belongs_to_is_told_by_its_creator(
    activities: ActivitySet, sandbox: RunningSandbox, purpose: str, attempt: int
) -> None:
    opened(activities)
    theirs = channel(sandbox, "incident-7")
    theirs |= {"creator": "U0STRANGER", "is_archived": True, "purpose": {"value": purpose}}
    listed(sandbox, theirs)
    outcome = perform(activities.chat.open_channel, WANTED, attempt)
    assert outcome.resources.channel_name == "incident-7-2"
    assert made(sandbox, "conversations.unarchive") == 0
    assert [row["payload"]["channel_name"] for row in sandbox.ledger("slack") if "setPurpose" in row["operation"]] == [
        "incident-7",
        "incident-7-2",
    ]


def test_18_a_name_that_others_have_in_private_is_passed_over(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(activities.chat.open_channel, WANTED.replace(marker="[run-6]", private=True))
    listed(sandbox)
    assert perform(activities.chat.open_channel, WANTED).resources.channel_name == "incident-7-2"


def test_18_when_every_name_is_taken_it_says_so(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    for number in range(9):
        perform(activities.chat.open_channel, WANTED.replace(marker=f"[other-{number}]"))
    outcome = perform(activities.chat.open_channel, WANTED)
    assert outcome.skipped == "all names from #incident-7 to #incident-7-9 are taken"
    assert made(sandbox, "conversations.create") == 9


def test_63_our_own_archived_channel_comes_back(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    room = opened(activities)
    perform(activities.chat.archive_channel, ArchiveChannel(key="k/archive", channel_id=room))
    assert opened(activities, attempt=2) == room
    assert not channel(sandbox, "incident-7")["is_archived"]


def test_the_summary_is_posted_once_though_the_reply_is_lost(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    summary = KeepSummary(key="k/s", channel_id=opened(activities), ts=None, text=as_mrkdwn("one"))
    for step in ("chat.postMessage", "pins.add"):
        sandbox.fault("slack", "lost_reply", step)
        assert failed(activities.chat.keep_summary, summary, attempt=2).type == "VendorUnavailable"
    outcome = perform(activities.chat.keep_summary, summary, attempt=3)
    shown = channel(sandbox, "incident-7")
    assert [message["ts"] for message in shown["messages"]] == shown["pins"] == [outcome.resources.summary_ts]


def test_a_direct_message_goes_out_once_though_the_reply_is_lost(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    message = DirectMessage(key="k/dm", email="cto@featuresignals.com", text=as_mrkdwn("Please come."))
    sandbox.fault("slack", "lost_reply", "chat.postMessage")
    failed(activities.chat.direct_message, message)
    perform(activities.chat.direct_message, message, attempt=2)
    assert made(sandbox, "chat.postMessage") == 1


def test_two_duties_with_the_same_words_are_two_messages(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    message = PostMessage(key="k/notice/1", channel_id=opened(activities), text=as_mrkdwn("No change."))
    perform(activities.chat.post_message, message)
    perform(activities.chat.post_message, message.replace(key="k/notice/2"), attempt=2)
    assert made(sandbox, "chat.postMessage") == 2


def test_21_inviting_the_bot_itself_is_no_problem(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    refusal = {"ok": False, "error": "cant_invite_self"}
    sandbox.fault("slack", "status", "conversations.invite", status=200, body=refusal, times=None)
    wanted = Invite(key="k/i", channel_id=opened(activities), emails=("oncall@featuresignals.com",))
    assert perform(activities.chat.invite, wanted).detail == ""


def test_21_one_who_cannot_be_invited_is_named_and_the_others_come(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    wanted = Invite(
        key="k/i", channel_id=opened(activities), emails=("oncall@featuresignals.com", "cto@featuresignals.com")
    )
    refusal = {"ok": False, "error": "user_is_restricted"}
    sandbox.fault("slack", "status", "conversations.invite", status=200, body=refusal, times=2)
    assert perform(activities.chat.invite, wanted).detail.endswith(" user_is_restricted")
    assert len(channel(sandbox, "incident-7")["members"]) == 2, "the bot and the second one"


@pytest.mark.parametrize("code", ["missing_scope", "account_inactive", "token_revoked"])
def test_21_missing_rights_are_final(activities: ActivitySet, sandbox: RunningSandbox, code: str) -> None:
    room = opened(activities)
    sandbox.fault("slack", "status", "chat.postMessage", status=200, body={"ok": False, "error": code})
    refused = failed(activities.chat.post_message, PostMessage(key="k", channel_id=room, text=as_mrkdwn("x")))
    assert (refused.non_retryable, refused.type) == (True, "VendorUnauthorized")
    assert code in refused.message


def test_each_method_is_off_without_a_token(idle: ActivitySet) -> None:
    chat = idle.chat
    outcomes = [
        perform(chat.set_topic, SetTopic(key="k", channel_id="C1", topic="x")),
        perform(chat.invite, Invite(key="k", channel_id="C1", emails=("a@example.com",))),
        perform(chat.post_message, PostMessage(key="k", channel_id="C1", text=as_mrkdwn("x"))),
        perform(chat.direct_message, DirectMessage(key="k", email="a@example.com", text=as_mrkdwn("x"))),
        perform(chat.keep_summary, KeepSummary(key="k", channel_id="C1", ts=None, text=as_mrkdwn("x"))),
        perform(chat.archive_channel, ArchiveChannel(key="k", channel_id="C1")),
        perform(chat.add_bookmark, AddBookmark(key="k", channel_id="C1", label="x", url="https://x.example")),
        perform(chat.hear_channel, HearChannel(key="k", channel_id="C1", since=datetime.now(UTC))),
    ]
    assert {outcome.skipped for outcome in outcomes} == {"Slack not configured (SLACK_BOT_TOKEN is not set)"}


def test_a_bookmark_is_put_once_though_the_reply_is_lost(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    channel_id = opened(activities)
    mark = AddBookmark(key="k", channel_id=channel_id, label="War room", url="https://zoom.example/j/1")
    sandbox.fault("slack", "lost_reply", "bookmarks.add", status=502)
    failed(activities.chat.add_bookmark, mark)
    perform(activities.chat.add_bookmark, mark, attempt=2)
    assert [row["link"] for row in channel(sandbox, "incident-7")["bookmarks"]] == ["https://zoom.example/j/1"]


def test_44_a_persons_word_is_heard_and_a_bots_is_none(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    channel_id = opened(activities)
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    asked = HearChannel(key="k", channel_id=channel_id, since=long_ago)
    perform(
        activities.chat.post_message,
        PostMessage(key="run-7/notice/1", channel_id=channel_id, text=as_mrkdwn("We say.")),
    )
    assert perform(activities.chat.hear_channel, asked).heard_at is None
    sandbox.say("incident-7", "oncall@featuresignals.com", "On it.")
    heard = perform(activities.chat.hear_channel, asked).heard_at
    assert heard is not None
    assert heard > long_ago
    assert perform(activities.chat.hear_channel, asked.replace(since=heard)).heard_at is None, "that word is known"


def test_44_a_word_below_the_summary_is_heard_however_much_was_said_since(
    activities: ActivitySet, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notices go below the summary, where people answer them: its thread is long, and it scrolls away."""
    monkeypatch.setattr("incidents.vendors.slack.client.PAGE", 2)
    channel_id = opened(activities)
    card = KeepSummary(key="run-7/summary/0", channel_id=channel_id, ts=None, text=as_mrkdwn("*INC-7*"))
    ts = perform(activities.chat.keep_summary, card).resources.summary_ts
    for number in range(12):
        below = PostMessage(key=f"run-7/notice/{number}", channel_id=channel_id, text=as_mrkdwn("x"), thread_ts=ts)
        perform(activities.chat.post_message, below)
    sandbox.say("incident-7", "oncall@featuresignals.com", "On it.", ts or "")
    for number in range(5):
        perform(
            activities.chat.post_message, PostMessage(key=f"top/{number}", channel_id=channel_id, text=as_mrkdwn("x"))
        )
    asked = HearChannel(key="k", channel_id=channel_id, since=datetime.now(UTC) - timedelta(hours=1), thread_ts=ts)
    assert perform(activities.chat.hear_channel, asked).heard_at is not None
    again = PostMessage(key="run-7/notice/11", channel_id=channel_id, text=as_mrkdwn("x"), thread_ts=ts)
    perform(activities.chat.post_message, again, attempt=2)
    messages = channel(sandbox, "incident-7")["messages"]
    keys = [message.get("metadata", {}).get("event_payload", {}) for message in messages]
    assert keys.count({"key": "run-7/notice/11"}) == 1, "found at the end of a long thread"


def test_buttons_are_shown_only_where_somebody_hears_them(
    wired: Callable[..., ActivitySet], activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    channel_id = opened(activities)
    button = Button(label="Acknowledge", action="acknowledge", value="{}")
    card = Card(title="INC-7", paragraphs=(as_mrkdwn("It is down."),), buttons=(button,))
    wanted = KeepSummary(key="run-7/summary/0", channel_id=channel_id, ts=None, text=as_mrkdwn("*INC-7*"), card=card)
    perform(activities.chat.keep_summary, wanted)
    deaf = wired(**(sandbox.environment() | {"SLACK_SIGNING_SECRET": "", "SLACK_APP_TOKEN": ""}))
    perform(deaf.chat.keep_summary, wanted.replace(key="run-7/summary/1"))
    messages = channel(sandbox, "incident-7")["messages"]
    assert messages[0]["blocks"][2]["elements"][0]["action_id"] == "acknowledge"
    assert [block["type"] for block in messages[1]["blocks"]] == ["header", "section"], "the card, without its buttons"
    over = wanted.replace(key="run-7/summary/2", ts=messages[0]["ts"], text="*INC-7* resolved", card=None)
    perform(activities.chat.keep_summary, over)
    message = channel(sandbox, "incident-7")["messages"][0]
    shown = (message["text"], message.get("blocks"))
    assert shown == ("*INC-7* resolved", None), "Slack would show the old ones for ever"

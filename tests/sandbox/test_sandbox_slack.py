from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.server import RunningSandbox

METADATA = {"event_type": "incident_update", "event_payload": {"key": "INC-1/update/3"}}


@pytest.fixture
def slack(sandbox: RunningSandbox) -> WebClient:
    env = sandbox.environment()
    return WebClient(token=env["SLACK_BOT_TOKEN"], base_url=env["SLACK_API_URL"], retry_handlers=[])


@pytest.fixture
def channel(slack: WebClient) -> str:
    return str(slack.conversations_create(name="incident-1")["channel"]["id"])


def error_of(call: Callable[[], Any]) -> str:
    with pytest.raises(SlackApiError) as caught:
        call()
    return str(caught.value.response["error"])


def operations(sandbox: RunningSandbox) -> list[str]:
    return [row["operation"] for row in sandbox.ledger("slack")]


def test_an_incident_channel_is_opened_as_slack_would(sandbox: RunningSandbox, slack: WebClient) -> None:
    bot = slack.auth_test()["user_id"]
    created = slack.conversations_create(name="incident-42")["channel"]
    user = slack.users_lookupByEmail(email="oncall@featuresignals.com")["user"]["id"]
    slack.conversations_setTopic(channel=created["id"], topic="P0")
    slack.conversations_setPurpose(channel=created["id"], purpose="key INC-42")
    slack.conversations_invite(channel=created["id"], users=[user])
    posted = slack.chat_postMessage(channel=created["id"], text="opened")
    slack.pins_add(channel=created["id"], timestamp=posted["ts"])
    slack.bookmarks_add(channel_id=created["id"], title="War room", type="link", link="https://example.com")
    slack.reactions_add(channel=created["id"], timestamp=posted["ts"], name="eyes")

    seen = slack.conversations_info(channel=created["id"])["channel"]
    assert (seen["name"], seen["creator"], seen["topic"]["value"]) == ("incident-42", bot, "P0")
    assert seen["purpose"]["value"] == "key INC-42"
    assert slack.conversations_members(channel=created["id"])["members"] == [bot, user]
    assert isinstance(posted["ts"], str)
    assert operations(sandbox) == [
        "conversations.create",
        "conversations.setTopic",
        "conversations.setPurpose",
        "conversations.invite",
        "chat.postMessage",
        "pins.add",
        "bookmarks.add",
        "reactions.add",
    ]
    assert sandbox.ledger("slack")[4]["payload"]["channel_name"] == "incident-42"


def test_a_wrong_or_missing_token_is_refused_with_http_200(sandbox: RunningSandbox, http: httpx.Client) -> None:
    wrong = WebClient(token="xoxb-wrong", base_url=sandbox.environment()["SLACK_API_URL"])
    assert error_of(wrong.auth_test) == "invalid_auth"
    missing = http.post("/slack/api/auth.test")
    assert (missing.status_code, missing.json()) == (200, {"ok": False, "error": "not_authed"})
    assert sandbox.ledger("slack") == []


def test_form_and_json_are_both_read(sandbox: RunningSandbox, http: httpx.Client) -> None:
    token = sandbox.environment()["SLACK_BOT_TOKEN"]
    by_form = http.post("/slack/api/chat.postMessage", data={"token": token, "channel": "#general", "text": "form"})
    headers = {"Authorization": f"Bearer {token}"}
    by_json = http.post("/slack/api/chat.postMessage", headers=headers, json={"channel": "#general", "text": "json"})
    assert [by_form.json()["message"]["text"], by_json.json()["message"]["text"]] == ["form", "json"]
    # A JSON body must bring its token in the header.
    no_header = http.post("/slack/api/chat.postMessage", json={"token": token, "channel": "#general", "text": "x"})
    assert no_header.json()["error"] == "not_authed"
    broken = http.post("/slack/api/auth.test", headers=headers | {"Content-Type": "application/json"}, content="{")
    assert broken.json()["error"] == "invalid_json"
    assert http.post("/slack/api/no.such", headers=headers).json()["error"] == "unknown_method"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "invalid_name_required"),
        ("x" * 81, "invalid_name_maxlength"),
        ("Incident-1", "invalid_name_specials"),
        ("inc 1", "invalid_name_specials"),
        ("---", "invalid_name_punctuation"),
        ("general", "name_taken"),
    ],
)
def test_channel_names_are_checked(slack: WebClient, name: str, error: str) -> None:
    assert error_of(lambda: slack.conversations_create(name=name)) == error


def test_an_archived_channel_keeps_its_name_and_takes_no_message(slack: WebClient, channel: str) -> None:
    slack.conversations_archive(channel=channel)
    assert error_of(lambda: slack.conversations_create(name="incident-1")) == "name_taken"
    assert error_of(lambda: slack.conversations_archive(channel=channel)) == "already_archived"
    assert error_of(lambda: slack.chat_postMessage(channel=channel, text="x")) == "is_archived"
    assert error_of(lambda: slack.conversations_setTopic(channel=channel, topic="x")) == "is_archived"
    slack.conversations_unarchive(channel=channel)
    assert error_of(lambda: slack.conversations_unarchive(channel=channel)) == "not_archived"
    slack.conversations_rename(channel=channel, name="incident-1-old")
    assert slack.conversations_info(channel=channel)["channel"]["previous_names"] == ["incident-1"]


def test_metadata_comes_back_only_when_asked_for(slack: WebClient, channel: str) -> None:
    slack.chat_postMessage(channel=channel, text="update", metadata=METADATA)
    assert "metadata" not in slack.conversations_history(channel=channel)["messages"][0]
    shown = slack.conversations_history(channel=channel, include_all_metadata=True)["messages"][0]
    assert shown["metadata"] == METADATA
    bad = {"event_type": "x", "event_payload": "no object"}
    assert (
        error_of(lambda: slack.chat_postMessage(channel=channel, text="x", metadata=bad)) == "invalid_metadata_format"
    )


def test_history_is_newest_first_paged_and_without_replies(slack: WebClient, channel: str) -> None:
    stamps = [slack.chat_postMessage(channel=channel, text=str(number))["ts"] for number in range(5)]
    slack.chat_postMessage(channel=channel, text="reply", thread_ts=stamps[0])
    first = slack.conversations_history(channel=channel, limit=3)
    assert [row["text"] for row in first["messages"]] == ["4", "3", "2"]
    assert first["has_more"]
    cursor = first["response_metadata"]["next_cursor"]
    rest = slack.conversations_history(channel=channel, limit=3, cursor=cursor)
    assert [row["text"] for row in rest["messages"]] == ["1", "0"]
    newer = slack.conversations_history(channel=channel, oldest=stamps[3])["messages"]
    assert [row["text"] for row in newer] == ["4"]
    thread = slack.conversations_replies(channel=channel, ts=stamps[0])["messages"]
    assert [row["text"] for row in thread] == ["0", "reply"]


def test_messages_are_updated_and_missing_ones_refused(slack: WebClient, channel: str, sandbox: RunningSandbox) -> None:
    ts = slack.chat_postMessage(channel=channel, text="before")["ts"]
    slack.chat_update(channel=channel, ts=ts, text="after")
    assert slack.conversations_history(channel=channel)["messages"][0]["text"] == "after"
    assert error_of(lambda: slack.chat_update(channel=channel, ts="1.000001", text="x")) == "message_not_found"
    sandbox.say("incident-1", "cto@featuresignals.com", "a human's words")
    human = slack.conversations_history(channel=channel)["messages"][0]
    assert error_of(lambda: slack.chat_update(channel=channel, ts=human["ts"], text="x")) == "cant_update_message"


def test_what_was_done_already_says_so(slack: WebClient, channel: str) -> None:
    ts = slack.chat_postMessage(channel=channel, text="x")["ts"]
    user = slack.users_lookupByEmail(email="em@featuresignals.com")["user"]["id"]
    slack.pins_add(channel=channel, timestamp=ts)
    slack.reactions_add(channel=channel, timestamp=ts, name="eyes")
    slack.conversations_invite(channel=channel, users=user)
    assert error_of(lambda: slack.pins_add(channel=channel, timestamp=ts)) == "already_pinned"
    assert error_of(lambda: slack.reactions_add(channel=channel, timestamp=ts, name="eyes")) == "already_reacted"
    assert error_of(lambda: slack.conversations_invite(channel=channel, users=user)) == "already_in_channel"
    bot = slack.auth_test()["user_id"]
    assert error_of(lambda: slack.conversations_invite(channel=channel, users=bot)) == "cant_invite_self"
    assert slack.conversations_join(channel=channel)["warning"] == "already_in_channel"


def test_one_bad_user_refuses_the_whole_invitation_unless_forced(slack: WebClient, channel: str) -> None:
    user = slack.users_lookupByEmail(email="vp@featuresignals.com")["user"]["id"]
    assert error_of(lambda: slack.conversations_invite(channel=channel, users=[user, "U0NOBODY"])) == "user_not_found"
    assert user not in slack.conversations_members(channel=channel)["members"]
    slack.conversations_invite(channel=channel, users=[user, "U0NOBODY"], force=True)
    assert user in slack.conversations_members(channel=channel)["members"]
    assert (
        error_of(lambda: slack.conversations_invite(channel=channel, users="vp@featuresignals.com")) == "user_not_found"
    )


def test_a_topic_is_short_and_a_message_not_empty(slack: WebClient, channel: str) -> None:
    assert error_of(lambda: slack.conversations_setTopic(channel=channel, topic="x" * 251)) == "too_long"
    assert error_of(lambda: slack.api_call("chat.postMessage", json={"channel": channel})) == "no_text"


def test_people_are_found_by_address_and_written_to(slack: WebClient) -> None:
    user = slack.users_lookupByEmail(email="ceo@featuresignals.com")["user"]
    assert slack.users_info(user=user["id"])["user"]["profile"]["email"] == "ceo@featuresignals.com"
    assert error_of(lambda: slack.users_lookupByEmail(email="who@example.com")) == "users_not_found"
    direct = slack.conversations_open(users=user["id"])["channel"]["id"]
    assert direct.startswith("D")
    assert slack.chat_postMessage(channel=user["id"], text="hello")["channel"] == direct
    assert slack.conversations_open(users=user["id"])["already_open"]


def test_an_ephemeral_message_needs_a_member_and_leaves_no_history(slack: WebClient, channel: str) -> None:
    user = slack.users_lookupByEmail(email="oncall@featuresignals.com")["user"]["id"]
    send = {"channel": channel, "user": user, "text": "psst"}
    assert error_of(lambda: slack.chat_postEphemeral(**send)) == "user_not_in_channel"
    slack.conversations_invite(channel=channel, users=user)
    slack.chat_postEphemeral(**send)
    assert slack.conversations_history(channel=channel)["messages"] == []


def test_channels_are_listed_in_pages(slack: WebClient, channel: str) -> None:
    slack.conversations_archive(channel=channel)
    names = [row["name"] for page in slack.conversations_list(limit=2) for row in page["channels"]]
    assert names == ["general", "incidents", "engineering", "leadership", "incident-1"]
    living = slack.conversations_list(exclude_archived=True)["channels"]
    assert "incident-1" not in [row["name"] for row in living]
    assert error_of(lambda: slack.conversations_info(channel="C0NOWHERE")) == "channel_not_found"


@pytest.mark.parametrize(
    "blocks",
    [
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}],
        [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11}],
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}],
        [{"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "x" * 76}}]}],
        [{"type": "divider"}] * 51,
        ["no object"],
    ],
)
def test_wrong_blocks_are_refused(slack: WebClient, channel: str, blocks: list[Any]) -> None:
    assert error_of(lambda: slack.chat_postMessage(channel=channel, text="x", blocks=blocks)) == "invalid_blocks"


MODAL: dict[str, Any] = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Update"},
    "submit": {"type": "plain_text", "text": "Save"},
    "blocks": [{"type": "input", "block_id": "text", "element": {"type": "plain_text_input", "action_id": "text"}}],
}


def test_a_trigger_shows_one_view_which_can_be_replaced(slack: WebClient) -> None:
    view_id = slack.views_open(trigger_id="1.trigger", view=MODAL)["view"]["id"]
    assert error_of(lambda: slack.views_open(trigger_id="1.trigger", view=MODAL)) == "exchanged_trigger_id"
    slack.views_update(view_id=view_id, view={**MODAL, "title": {"type": "plain_text", "text": "Saved"}})
    assert error_of(lambda: slack.views_update(view_id="V0", view=MODAL)) == "not_found"


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": {"type": "plain_text", "text": "x" * 25}},
        {"submit": None},
        {"private_metadata": "x" * 3001},
        {"blocks": [{"type": "divider"}] * 101},
        {"blocks": []},
        {"type": "home"},
    ],
)
def test_a_view_that_slack_refuses(slack: WebClient, wrong: dict[str, Any]) -> None:
    assert error_of(lambda: slack.views_open(trigger_id="2.trigger", view=MODAL | wrong)) == "invalid_arguments"


def test_a_response_url_takes_five_answers(sandbox: RunningSandbox, http: httpx.Client) -> None:
    answers = [http.post("/slack/response/x", json={"text": str(number)}).status_code for number in range(6)]
    assert answers == [200] * 5 + [404]
    assert [answer["text"] for answer in sandbox.state()["slack"]["answers"]] == ["0", "1", "2", "3", "4"]
    assert http.post("/slack/response/y", json={}).status_code == 400


def test_socket_mode_needs_the_app_token_and_a_connection(sandbox: RunningSandbox, slack: WebClient) -> None:
    env = sandbox.environment()
    opened = slack.apps_connections_open(app_token=env["SLACK_APP_TOKEN"])
    assert opened["url"].startswith("ws://127.0.0.1:")
    assert error_of(lambda: slack.apps_connections_open(app_token=env["SLACK_BOT_TOKEN"])) == "invalid_auth"
    with pytest.raises(ValueError, match="the app is not connected"):
        sandbox.slack_sends("slash_commands", {})
    with pytest.raises(ValueError, match="kind must be one of"):
        sandbox.slack_sends("nonsense", {})

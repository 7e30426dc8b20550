"""Slack's Web API for one bot.

Rules of the vendor (docs.slack.dev): a failure is HTTP 200 with `ok: false` and an error code; only rate limiting is a
429 with `Retry-After`. Nothing has an idempotency key, so every message carries a key of ours in its `metadata`, by
which `find_message` finds it again after a lost reply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from incidents.vendors.access.access import Access
from incidents.vendors.errors import VendorNotFound, VendorRejected, VendorUnauthorized
from incidents.vendors.http import reading
from incidents.vendors.slack.access import check_access
from incidents.vendors.slack.blocks import clip
from incidents.vendors.slack.calls import SlackCalls

EVENT_TYPE = "incident_runbook"
TOPIC_LIMIT, TEXT_LIMIT = 250, 40_000
INVITES_AT_ONCE = 100
PAGE, LONGEST_PAGE, PAGES = 200, 999, 50
THREADS = 20

# What can be wrong with one person in an invitation. It says nothing against the others.
ABOUT_ONE_PERSON = {
    "already_in_channel",
    "cant_invite",
    "cant_invite_self",
    "invalid_users",
    "no_user",
    "ura_max_channels",
    "user_disabled",
    "user_is_restricted",
    "user_is_ultra_restricted",
    "user_not_found",
    "users_not_found",
}


@dataclass(frozen=True)
class Channel:
    """A channel as `conversations.list` and `.create` tell it."""

    id: str
    name: str
    creator: str
    topic: str
    purpose: str
    is_archived: bool
    is_private: bool

    @property
    def url(self) -> str:
        """Return the address that opens it in Slack, in whichever workspace the reader is signed in."""
        return f"https://slack.com/app_redirect?channel={quote(self.id, safe='')}"


@dataclass(frozen=True)
class Message:
    """A message. `key` is ours, "" for others'; `ts` is its identity, a string because a float loses digits."""

    ts: str
    user: str
    text: str
    key: str
    thread_ts: str
    reply_count: int
    by_person: bool
    reactions: dict[str, int] = field(default_factory=dict)


class SlackClient:
    """What a bot does in its workspace. One attempt per call.

    A `base_url` of a host alone means Slack's paths on that host (`/api/METHOD`); any other is taken as it is.
    """

    def __init__(self, token: str, base_url: str = "https://slack.com/api/", timeout: float = 10) -> None:
        self._api = SlackCalls(token, base_url, timeout)
        self._web = self._api.web

    def whoami(self) -> str:
        """The bot's own user id."""
        answer = self._api.call("auth.test", self._web.auth_test, writes=False)
        with reading("slack", "auth.test"):
            return str(answer["user_id"])

    def check_access(self) -> Access:
        """Check the token and its scopes."""
        return check_access(self._api)

    def create_channel(self, name: str, private: bool = False) -> Channel:
        """A new channel. `VendorRejected` with code `name_taken` if there is one, be it archived."""
        answer = self._api.call("conversations.create", self._web.conversations_create, name=name, is_private=private)
        with reading("slack", "conversations.create", maybe_done=True):
            return _channel(answer["channel"])

    def find_channel(self, name: str) -> Channel | None:
        """The channel of exactly this name, archived and (if the token may see them) private ones included."""
        try:
            return self._channel_named(name, "public_channel,private_channel")
        except VendorUnauthorized as error:
            if error.code != "missing_scope":
                raise
            return self._channel_named(name, "public_channel")

    def set_topic(self, channel_id: str, topic: str) -> None:
        """Set the topic, cut to Slack's 250 characters."""
        text = clip(topic, TOPIC_LIMIT)
        self._api.call("conversations.setTopic", self._web.conversations_setTopic, channel=channel_id, topic=text)

    def set_purpose(self, channel_id: str, purpose: str) -> None:
        """Set the purpose, cut to Slack's 250 characters."""
        text = clip(purpose, TOPIC_LIMIT)
        self._api.call("conversations.setPurpose", self._web.conversations_setPurpose, channel=channel_id, purpose=text)

    def invite(self, channel_id: str, user_ids: Sequence[str]) -> tuple[str, ...]:
        """Invite users, and return "USER code" for each who could not be invited or is a member already.

        Slack rejects a whole invitation because of one person, so a rejected one is retried per person.
        """
        problems: list[str] = []
        unique = list(dict.fromkeys(user_ids))
        for start in range(0, len(unique), INVITES_AT_ONCE):
            some = unique[start : start + INVITES_AT_ONCE]
            if self._invite(channel_id, some):
                codes = [(user, self._invite(channel_id, [user])) for user in some]
                problems += [f"{user} {code}" for user, code in codes if code]
        return tuple(problems)

    def post(
        self,
        channel_id: str,
        text: str,
        *,
        blocks: Sequence[Mapping[str, Any]] | None = None,
        key: str,
        thread_ts: str | None = None,
    ) -> str:
        """Post a message, and return its `ts`. Repeated, it posts again: look with `find_message` first."""
        answer = self._api.call(
            "chat.postMessage",
            self._web.chat_postMessage,
            channel=channel_id,
            text=clip(text, TEXT_LIMIT),
            blocks=blocks or None,
            thread_ts=thread_ts,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
        )
        with reading("slack", "chat.postMessage", maybe_done=True):
            return str(answer["ts"])

    def find_message(
        self, channel_id: str, key: str, since: datetime, *, thread_ts: str | None = None, pages: int = 5
    ) -> str | None:
        """The `ts` of our message with this key since then, among the newest `pages` pages of 200 or in a thread.

        A thread is read to its end: it tells the oldest first.
        """
        messages = (
            self.replies(channel_id, thread_ts, since) if thread_ts else self.history(channel_id, since, pages=pages)
        )
        return next((message.ts for message in messages if message.key == key), None)

    def update(self, channel_id: str, ts: str, text: str, blocks: Sequence[Mapping[str, Any]] | None = None) -> None:
        """Replace a message: its text, and its blocks too, for Slack may keep those that are not mentioned."""
        text, blocks = clip(text, TEXT_LIMIT), blocks or []
        self._api.call("chat.update", self._web.chat_update, channel=channel_id, ts=ts, text=text, blocks=blocks)

    def pin(self, channel_id: str, ts: str) -> None:
        """Pin a message. Idempotent."""
        self._api.call("pins.add", self._web.pins_add, done="already_pinned", channel=channel_id, timestamp=ts)

    def bookmarks(self, channel_id: str) -> list[str]:
        """The addresses of a channel's bookmarks."""
        answer = self._api.call("bookmarks.list", self._web.bookmarks_list, writes=False, channel_id=channel_id)
        with reading("slack", "bookmarks.list"):
            return [str(bookmark.get("link") or "") for bookmark in answer["bookmarks"]]

    def add_bookmark(self, channel_id: str, title: str, url: str) -> None:
        """Add a link above a channel. Repeated, it adds a second one: check `bookmarks` first."""
        add = self._web.bookmarks_add
        self._api.call("bookmarks.add", add, channel_id=channel_id, title=title, type="link", link=url)

    def last_word(self, channel_id: str, since: datetime, thread_ts: str | None = None) -> datetime | None:
        """When a person last wrote after `since`: in the channel, in one of its newest 20 threads, or in that one."""
        newest = list(self.history(channel_id, pages=1))
        begun = [message.thread_ts or message.ts for message in newest if message.reply_count][:THREADS]
        threads = dict.fromkeys([*([thread_ts] if thread_ts else []), *begun])
        below = [reply for ts in threads for reply in self.replies(channel_id, ts, oldest=since)]
        spoken = [float(message.ts) for message in (*newest, *below) if message.by_person]
        last = datetime.fromtimestamp(max(spoken), UTC) if spoken else None
        return last if last is not None and last > since else None

    def archive(self, channel_id: str) -> None:
        """Archive a channel. Idempotent."""
        archive = self._web.conversations_archive
        self._api.call("conversations.archive", archive, done="already_archived", channel=channel_id)

    def unarchive(self, channel_id: str) -> None:
        """Unarchive a channel. Idempotent."""
        unarchive = self._web.conversations_unarchive
        self._api.call("conversations.unarchive", unarchive, done="not_archived", channel=channel_id)

    def open_dm(self, user_id: str) -> str:
        """The id of the direct-message channel with a person; the same one each time."""
        answer = self._api.call("conversations.open", self._web.conversations_open, users=user_id)
        with reading("slack", "conversations.open"):
            return str(answer["channel"]["id"])

    def lookup_user(self, email: str) -> str | None:
        """The id of the person with this address, if the workspace has one."""
        try:
            answer = self._api.call("users.lookupByEmail", self._web.users_lookupByEmail, writes=False, email=email)
        except VendorNotFound:
            return None
        with reading("slack", "users.lookupByEmail"):
            return str(answer["user"]["id"])

    def handle(self, user_id: str) -> str:
        """What a user is called in the workspace; "" if there is no such user."""
        try:
            answer = self._api.call("users.info", self._web.users_info, writes=False, user=user_id)
        except VendorNotFound:
            return ""
        with reading("slack", "users.info"):
            user = answer["user"]
            return str(user.get("profile", {}).get("display_name") or user.get("name") or "")

    def history(
        self, channel_id: str, oldest: datetime | None = None, latest: datetime | None = None, *, pages: int = PAGES
    ) -> Iterator[Message]:
        """The messages of a time span, newest first. Answers in threads are not among them: see `replies`."""
        read = self._web.conversations_history
        span = {"oldest": _ts(oldest), "latest": _ts(latest), "inclusive": True}
        request = {"channel": channel_id, "include_all_metadata": True, "limit": PAGE, **span}
        yield from self._api.items("conversations.history", read, "messages", _message, pages, request)

    def replies(
        self, channel_id: str, thread_ts: str, oldest: datetime | None = None, *, pages: int = PAGES
    ) -> Iterator[Message]:
        """A thread: the message that began it, then its answers since `oldest`, oldest first."""
        read = self._web.conversations_replies
        request = {"channel": channel_id, "ts": thread_ts, "include_all_metadata": True, "limit": PAGE}
        request |= {"oldest": _ts(oldest)} if oldest else {}
        yield from self._api.items("conversations.replies", read, "messages", _message, pages, request)

    def _channel_named(self, name: str, types: str) -> Channel | None:
        read = self._web.conversations_list
        request = {"types": types, "exclude_archived": False, "limit": LONGEST_PAGE}
        channels = self._api.items("conversations.list", read, "channels", _channel, PAGES, request)
        return next((channel for channel in channels if channel.name == name), None)

    def _invite(self, channel_id: str, user_ids: list[str]) -> str:
        """What is wrong with one of these people, or ""."""
        try:
            self._api.call("conversations.invite", self._web.conversations_invite, channel=channel_id, users=user_ids)
        except VendorRejected as error:
            if error.code not in ABOUT_ONE_PERSON:
                raise
            return error.code
        return ""


def _channel(data: dict[str, Any]) -> Channel:
    return Channel(
        id=str(data["id"]),
        name=str(data["name"]),
        creator=str(data.get("creator", "")),
        topic=str(data.get("topic", {}).get("value", "")),
        purpose=str(data.get("purpose", {}).get("value", "")),
        is_archived=bool(data.get("is_archived")),
        is_private=bool(data.get("is_private")),
    )


def _message(data: dict[str, Any]) -> Message:
    metadata = data.get("metadata") or {}
    ours = metadata.get("event_type") == EVENT_TYPE
    return Message(
        ts=str(data["ts"]),
        user=str(data.get("user") or data.get("bot_id") or ""),
        text=str(data.get("text", "")),
        key=str((metadata.get("event_payload") or {}).get("key", "")) if ours else "",
        thread_ts=str(data.get("thread_ts", "")),
        reply_count=int(data.get("reply_count", 0)),
        # Joins and topics have a subtype; a bot's word is none.
        by_person=bool(data.get("user")) and not data.get("bot_id") and not data.get("subtype"),
        reactions={str(row["name"]): int(row.get("count", 1)) for row in data.get("reactions") or ()},
    )


def _ts(moment: datetime | None) -> str | None:
    return f"{moment.timestamp():.6f}" if moment else None

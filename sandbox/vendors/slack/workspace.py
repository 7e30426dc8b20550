"""The sandbox's Slack workspace: people, channels, messages. No HTTP here; see sandbox.vendors.slack.web_api."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.http import bounded
from sandbox.state import now

Arguments = dict[str, Any]
Answer = dict[str, Any]
Method = Callable[[Arguments], Answer]

TEAM, BOT_USER, BOT_ID, APP_ID = "T0SANDBOX1", "U0SANDBOXBOT", "B0SANDBOX1", "A0SANDBOX1"
BOT_NAME = "featuresignals-incidents"
PEOPLE = {
    "oncall": "Ona Call",
    "oncall2": "Otto Call",
    "ops-lead": "Olive Opslead",
    "em": "Emil Manager",
    "vp": "Vera President",
    "cto": "Chris Tech",
    "ceo": "Carla Executive",
    "support": "Sam Support",
    "engineering": "Enno Engineer",
}
CHANNELS = ("general", "incidents", "engineering", "leadership")
NAME_LIMIT, TOPIC_LIMIT, TEXT_LIMIT, BLOCK_LIMIT = 80, 250, 40_000, 50


class SlackError(Exception):
    """Slack's `{"ok": false, "error": ...}`, with HTTP 200."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.error, self.details = error, details


@dataclass
class Channel:
    """A channel or a direct conversation with its messages, oldest first."""

    id: str
    name: str
    creator: str
    created: int
    is_private: bool = False
    is_archived: bool = False
    topic: str = ""
    purpose: str = ""
    members: list[str] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    ephemerals: list[dict[str, Any]] = field(default_factory=list)
    pins: list[str] = field(default_factory=list)
    bookmarks: list[dict[str, Any]] = field(default_factory=list)
    previous_names: list[str] = field(default_factory=list)

    @property
    def is_direct(self) -> bool:
        """Whether this is a conversation opened with people, which has no name."""
        return not self.id.startswith("C")

    def row(self) -> dict[str, Any]:
        """The conversation object."""
        if self.is_direct:
            row = {"id": self.id, "created": self.created, "is_im": self.id.startswith("D"), "is_archived": False}
            others = [member for member in self.members if member != BOT_USER]
            return row | ({"user": others[0]} if self.id.startswith("D") else {"is_mpim": True, "name": self.name})
        shape = {"is_channel": not self.is_private, "is_group": False, "is_im": False, "is_mpim": False}
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "created": self.created,
            "creator": self.creator,
            "is_archived": self.is_archived,
            "is_private": self.is_private,
            **shape,
            "is_member": BOT_USER in self.members,
            "num_members": len(self.members),
            "context_team_id": TEAM,
            "topic": {"value": self.topic, "creator": BOT_USER if self.topic else "", "last_set": self.created},
            "purpose": {"value": self.purpose, "creator": BOT_USER if self.purpose else "", "last_set": self.created},
            "previous_names": self.previous_names,
        }

    def message(self, ts: str) -> dict[str, Any]:
        """The message with this ts, or message_not_found."""
        for message in self.messages:
            if message["ts"] == ts:
                return message
        raise SlackError("message_not_found")

    def replies(self, ts: str) -> list[dict[str, Any]]:
        """A thread, its parent first."""
        return [message for message in self.messages if ts in (message["ts"], message.get("thread_ts"))]


class Workspace:
    """People and channels."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._last_ts = 0
        self.users: dict[str, dict[str, Any]] = {}
        for name, real_name in PEOPLE.items():
            self.join(real_name, f"{name}@featuresignals.com")
        self.users[BOT_USER] = _bot()
        self.channels: dict[str, Channel] = {}
        for name in CHANNELS:
            self.create(name, private=False)

    def join(self, real_name: str, email: str) -> None:
        """Somebody gets an account; with an address that has one, its name is changed."""
        person = _person(email.partition("@")[0], real_name, email)
        self.users[person["id"]] = person

    def ts(self) -> str:
        """A new timestamp, unique in the workspace: a string, for as a float it would lose digits."""
        self._last_ts = max(self._last_ts + 1, int(now().timestamp() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def create(self, name: str, *, private: bool) -> Channel:
        """A new channel of the bot's, or the error that its name earns; archived channels keep their names."""
        self.check_name(name)
        channel = Channel(self._id("C"), name, BOT_USER, int(now().timestamp()), private, members=[BOT_USER])
        self.channels[channel.id] = channel
        return channel

    def check_name(self, name: str) -> None:
        """Refuses what Slack refuses as a channel name."""
        if not name:
            raise SlackError("invalid_name_required")
        if len(name) > NAME_LIMIT:
            raise SlackError("invalid_name_maxlength")
        if not re.fullmatch(r"[a-z0-9_-]+", name):
            raise SlackError("invalid_name_specials")
        if not re.search(r"[a-z0-9]", name):
            raise SlackError("invalid_name_punctuation")
        if any(channel.name == name for channel in self.channels.values()):
            raise SlackError("name_taken")

    def open(self, users: list[str]) -> tuple[Channel, bool]:
        """The direct conversation with these people, and whether it existed."""
        members = sorted({BOT_USER, *users})
        for channel in self.channels.values():
            if channel.is_direct and channel.members == members:
                return channel, True
        channel = Channel(
            self._id("D" if len(users) == 1 else "G"), "", BOT_USER, int(now().timestamp()), members=members
        )
        channel.name = ", ".join(self.users[user]["name"] for user in users)
        self.channels[channel.id] = channel
        return channel, False

    def channel(self, key: str) -> Channel:
        """The conversation by id, or channel_not_found."""
        if key not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[key]

    def addressee(self, key: str) -> Channel:
        """Whom chat.postMessage means: an id, a #name, or a user, who gets a direct message."""
        if key in self.users and key != BOT_USER:
            return self.open([key])[0]
        for channel in self.channels.values():
            if not channel.is_direct and key.lstrip("#") == channel.name:
                return channel
        return self.channel(key)

    def by_email(self, email: str) -> dict[str, Any]:
        """The person with this address, or users_not_found."""
        for user in self.users.values():
            if user["profile"].get("email") == email.lower():
                return user
        raise SlackError("users_not_found")

    def _id(self, prefix: str) -> str:
        return f"{prefix}0SBX{next(self._ids):06d}"


def _person(name: str, real_name: str, email: str) -> dict[str, Any]:
    user_id = "U" + hashlib.sha256(email.encode()).hexdigest()[:10].upper()
    profile = {"real_name": real_name, "display_name": name, "email": email}
    return {
        "id": user_id,
        "team_id": TEAM,
        "name": name,
        "real_name": real_name,
        "deleted": False,
        "is_bot": False,
        "tz": "Etc/UTC",
        "profile": profile,
    }


def _bot() -> dict[str, Any]:
    profile = {"real_name": "FeatureSignals Incidents", "bot_id": BOT_ID}
    return {
        "id": BOT_USER,
        "team_id": TEAM,
        "name": BOT_NAME,
        "real_name": "FeatureSignals Incidents",
        "deleted": False,
        "is_bot": True,
        "tz": "Etc/UTC",
        "profile": profile,
    }


def truth(args: Arguments, name: str) -> bool:
    """A boolean argument, which a form sends as text."""
    return str(args.get(name, "")).lower() in ("1", "true")


def page(rows: list[dict[str, Any]], args: Arguments, key: str) -> Answer:
    """One page of rows, its cursor an offset in disguise."""
    start = bounded(str(args.get("cursor") or "").removeprefix("sbx"), 0, len(rows), 0)
    limit = bounded(str(args.get("limit") or ""), 100, 1000)
    following = f"sbx{start + limit}" if start + limit < len(rows) else ""
    more = {"has_more": bool(following)} if key == "messages" else {}
    return {key: rows[start : start + limit], **more, "response_metadata": {"next_cursor": following}}

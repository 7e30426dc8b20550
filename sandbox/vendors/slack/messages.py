"""Slack's methods for messages: chat.*, history, pins, bookmarks and reactions."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

from sandbox.vendors.slack.workspace import (
    APP_ID,
    BLOCK_LIMIT,
    BOT_ID,
    BOT_USER,
    TEAM,
    TEXT_LIMIT,
    Answer,
    Arguments,
    Channel,
    Method,
    SlackError,
    Workspace,
    page,
    truth,
)

SECTION_LIMIT, HEADER_LIMIT, BUTTON_LIMIT, CONTEXT_LIMIT, ACTIONS_LIMIT = 3000, 150, 75, 10, 25


class Messages:
    """No method here is idempotent: the same call twice is two messages, two bookmarks (docs/vendor-notes.md)."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._bookmark_ids = itertools.count(1)

    def methods(self) -> dict[str, Method]:
        """The methods by their Slack names."""
        return {
            "chat.postMessage": self.post,
            "chat.update": self.update,
            "chat.postEphemeral": self.post_ephemeral,
            "chat.getPermalink": self.permalink,
            "conversations.history": self.history,
            "conversations.replies": self.replies,
            "pins.add": self.pin,
            "pins.list": self.pins,
            "bookmarks.add": self.bookmark,
            "bookmarks.list": self.bookmarks,
            "reactions.add": self.react,
        }

    def post(self, args: Arguments) -> Answer:
        """Posts; the bot has to be a member. The answer's ts is a string."""
        channel = self._writable(args)
        message = _content(args) | {
            "type": "message",
            "user": BOT_USER,
            "bot_id": BOT_ID,
            "app_id": APP_ID,
            "team": TEAM,
        }
        message["ts"] = self.workspace.ts()
        if args.get("thread_ts"):
            parent = channel.message(str(args["thread_ts"]))
            message["thread_ts"] = parent.get("thread_ts", parent["ts"])
            parent.setdefault("thread_ts", parent["ts"])
            parent["reply_count"] = parent.get("reply_count", 0) + 1
            if truth(args, "reply_broadcast"):
                message["subtype"] = "thread_broadcast"
        channel.messages.append(message)
        return {"channel": channel.id, "ts": message["ts"], "message": message}

    def update(self, args: Arguments) -> Answer:
        """Replaces text and blocks of a message of the bot's own."""
        channel = self._writable(args)
        message = channel.message(str(args.get("ts", "")))
        if message.get("bot_id") != BOT_ID:
            raise SlackError("cant_update_message")
        message.update(_content(args))
        if _parsed(args.get("blocks"), "invalid_blocks") == []:  # not mentioned, they stay
            message.pop("blocks", None)
        message["edited"] = {"user": BOT_USER, "ts": self.workspace.ts()}
        return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": message}

    def post_ephemeral(self, args: Arguments) -> Answer:
        """A message that one member sees; it never enters the history."""
        channel = self._writable(args)
        if args.get("user") not in channel.members:
            raise SlackError("user_not_in_channel")
        message = _content(args) | {"user": args["user"], "ts": self.workspace.ts()}
        channel.ephemerals.append(message)
        return {"message_ts": message["ts"]}

    def permalink(self, args: Arguments) -> Answer:
        """A link to a message."""
        channel = self.workspace.channel(str(args.get("channel", "")))
        ts = channel.message(str(args.get("message_ts", "")))["ts"]
        return {"channel": channel.id, "permalink": f"https://sandbox.slack.invalid/archives/{channel.id}/p{ts}"}

    def history(self, args: Arguments) -> Answer:
        """A conversation newest first, without thread replies; metadata only with include_all_metadata."""
        channel = self._readable(args)
        rows = [row for row in channel.messages if not _is_reply(row) or row.get("subtype") == "thread_broadcast"]
        rows = [_shown(row, args) for row in reversed(rows) if _in_window(row, args)]
        return page(rows, args, "messages") | {"pin_count": len(channel.pins)}

    def replies(self, args: Arguments) -> Answer:
        """A thread oldest first, its parent always first."""
        channel = self._readable(args)
        ts = channel.message(str(args.get("ts", "")))["ts"]
        rows = [row for row in channel.replies(ts) if row["ts"] == ts or _in_window(row, args)]
        return page([_shown(row, args) for row in rows], args, "messages")

    def pin(self, args: Arguments) -> Answer:
        """Pins a message; a second time is already_pinned."""
        channel, ts = self._target(args)
        if ts in channel.pins:
            raise SlackError("already_pinned")
        channel.pins.append(ts)
        return {}

    def pins(self, args: Arguments) -> Answer:
        """The pinned messages."""
        channel = self._readable(args)
        items = [{"type": "message", "channel": channel.id, "message": channel.message(ts)} for ts in channel.pins]
        return {"items": items}

    def bookmark(self, args: Arguments) -> Answer:
        """Adds a bookmark: title, type link, link. Nothing is deduplicated."""
        channel = self._writable(args | {"channel": args.get("channel_id", "")})
        if not args.get("title") or args.get("type") != "link" or not args.get("link"):
            raise SlackError("invalid_arguments")
        row = {name: args[name] for name in ("title", "type", "link", "emoji") if args.get(name)}
        row |= {"id": f"Bk0SBX{next(self._bookmark_ids):05d}", "channel_id": channel.id, "app_id": APP_ID}
        row["date_created"] = int(time.time())
        channel.bookmarks.append(row)
        return {"bookmark": row}

    def bookmarks(self, args: Arguments) -> Answer:
        """The bookmarks of a channel."""
        return {"bookmarks": self.workspace.channel(str(args.get("channel_id", ""))).bookmarks}

    def react(self, args: Arguments) -> Answer:
        """Adds a reaction by its name without colons; a second time is already_reacted."""
        channel, ts = self._target(args)
        name = str(args.get("name") or "")
        if not name or ":" in name:
            raise SlackError("invalid_name")
        reactions = channel.message(ts).setdefault("reactions", [])
        if any(reaction["name"] == name and BOT_USER in reaction["users"] for reaction in reactions):
            raise SlackError("already_reacted")
        reactions.append({"name": name, "users": [BOT_USER], "count": 1})
        return {}

    def _writable(self, args: Arguments) -> Channel:
        channel = self.workspace.addressee(str(args.get("channel", "")))
        if channel.is_archived:
            raise SlackError("is_archived")
        if BOT_USER not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def _readable(self, args: Arguments) -> Channel:
        channel = self.workspace.channel(str(args.get("channel", "")))
        if BOT_USER not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def _target(self, args: Arguments) -> tuple[Channel, str]:
        channel, ts = self._writable(args), str(args.get("timestamp") or "")
        if not ts:
            raise SlackError("no_item_specified")
        channel.message(ts)
        return channel, ts


def _content(args: Arguments) -> dict[str, Any]:
    """Text, blocks and metadata of a new message; a form carries the last two as JSON text."""
    text = str(args.get("text") or "")
    blocks, attachments = _parsed(args.get("blocks"), "invalid_blocks"), _parsed(args.get("attachments"), "no_text")
    if not text and not blocks and not attachments:
        raise SlackError("no_text")
    content: dict[str, Any] = {"text": text[:TEXT_LIMIT]}
    if blocks:
        _check_blocks(blocks)
        content["blocks"] = blocks
    if attachments:
        content["attachments"] = attachments
    metadata = _parsed(args.get("metadata"), "invalid_metadata_format")
    if metadata:
        well_formed = isinstance(metadata, dict) and isinstance(metadata.get("event_payload"), dict)
        if not well_formed or not isinstance(metadata.get("event_type"), str):
            raise SlackError("invalid_metadata_format")
        content["metadata"] = metadata
    return content


def _parsed(value: Any, error: str) -> Any:
    if not isinstance(value, str) or not value:
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise SlackError(error) from None


def _check_blocks(blocks: Any) -> None:
    """Refuses what Block Kit refuses by size and shape (docs/vendor-notes.md#limits)."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) and block.get("type") for block in blocks):
        raise SlackError("invalid_blocks")
    wrong = ["no more than 50 items allowed"] if len(blocks) > BLOCK_LIMIT else []
    for block in blocks:
        wrong += complaints(block)
    if wrong:
        raise SlackError("invalid_blocks", response_metadata={"messages": [f"[ERROR] {text}" for text in wrong]})


def complaints(block: dict[str, Any]) -> list[str]:
    """What Block Kit refuses about a block."""
    kind, elements = block["type"], block.get("elements") or []
    limits = {"section": SECTION_LIMIT, "header": HEADER_LIMIT}
    text = str((block.get("text") or {}).get("text") or "")
    found = []
    if kind in limits and len(text) > limits[kind]:
        found.append(f"{kind} text must be less than {limits[kind] + 1} characters")
    if kind == "header" and (block.get("text") or {}).get("type") != "plain_text":
        found.append("header text must be plain_text")
    if kind == "section" and not text and not block.get("fields"):
        found.append("section needs text or fields")
    if len(block.get("fields") or []) > 10:
        found.append("no more than 10 fields allowed")
    if len(elements) > {"context": CONTEXT_LIMIT, "actions": ACTIONS_LIMIT}.get(kind, len(elements)):
        found.append(f"too many elements in {kind}")
    for element in elements if kind == "actions" else []:
        if len(str((element.get("text") or {}).get("text") or "")) > BUTTON_LIMIT:
            found.append("button text must be less than 76 characters")
    return found


def _is_reply(message: dict[str, Any]) -> bool:
    return message.get("thread_ts") not in (None, message["ts"])


def _in_window(message: dict[str, Any], args: Arguments) -> bool:
    # Timestamps compare as text: all have ten digits before the point and six after it.
    oldest, latest = str(args.get("oldest") or "0"), str(args.get("latest") or "9")
    if truth(args, "inclusive"):
        return oldest <= str(message["ts"]) <= latest
    return oldest < str(message["ts"]) < latest


def _shown(message: dict[str, Any], args: Arguments) -> dict[str, Any]:
    if truth(args, "include_all_metadata"):
        return message
    return {name: value for name, value in message.items() if name != "metadata"}

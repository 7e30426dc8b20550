"""ntfy: push messages to the phones that are subscribed to a topic, by ntfy.sh or a server of one's own.

Rules of the vendor (docs.ntfy.sh/publish, docs.ntfy.sh/subscribe/api): without access control, who knows a topic
may read and write it, so its name is the credential. There is no idempotency key: a message that is published twice
rings twice. A server keeps messages for a while (12 hours by default), and a poll returns them, filtered by tag. A
message over 4,096 bytes becomes an attachment, and a JSON body over twice that is rejected. Since 2.16 a message can
take the place of an earlier one (`sequence_id`); older servers show it beside it. Too many calls are a 429.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import httpx

from incidents.cutting import cut_bytes
from incidents.vendors.access.access import Access, server_time
from incidents.vendors.errors import VendorUnauthorized
from incidents.vendors.http import VendorHttp, reading

TITLE_BYTES, TEXT_BYTES, LABEL_BYTES, LINK_BYTES = 250, 2000, 40, 700
"""What is sent, so that a body stays below 8,192 bytes even if each character of its texts is escaped."""
MOST_BUTTONS = 3
URGENT, HIGH, DEFAULT, LOW = 5, 4, 3, 2
"""Priorities: the first two sound and vibrate for long, the last makes no sound."""
_NO_MESSAGE = "incident-runbook-doctor"
"""A tag that no message has."""


@dataclass(frozen=True)
class Message:
    """A message that the server still keeps. `buttons`: their labels."""

    id: str
    title: str
    text: str
    tags: tuple[str, ...]
    buttons: tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """A message to publish.

    Attributes:
        title: one line; cut at 250 bytes.
        text: cut at 2,000 bytes.
        tags: the name of an emoji is shown as that emoji.
        click: what a tap opens.
        buttons: addresses to open by their labels; the first three of at most 700 bytes are shown.
        replaces: the id of the message whose place it takes.
    """

    title: str
    text: str
    priority: int
    tags: tuple[str, ...]
    click: str = ""
    buttons: Mapping[str, str] = field(default_factory=dict)
    replaces: str = ""

    def fitted(self) -> Draft:
        """Return what the server takes of it."""
        labeled = ((cut_bytes(_one_line(label), LABEL_BYTES), url) for label, url in self.buttons.items())
        links = [(label, url) for label, url in labeled if label and _is_short(url)]
        return replace(
            self,
            title=cut_bytes(_one_line(self.title), TITLE_BYTES),
            text=cut_bytes("\n".join(map(_one_line, self.text.splitlines())).strip(), TEXT_BYTES),
            click=self.click if _is_short(self.click) else "",
            buttons=dict(links[:MOST_BUTTONS]),
        )

    def is_shown_by(self, message: Message) -> bool:
        """Tell whether a message shows the same. Addresses do not count: a signed one differs each time."""
        fitted = self.fitted()
        return (fitted.title, fitted.text, tuple(fitted.buttons)) == (message.title, message.text, message.buttons)


class NtfyClient:
    """One topic. `url`: the server's address and the topic; `topic`: another one of that server."""

    def __init__(
        self,
        url: str,
        token: str = "",
        topic: str = "",
        timeout: float = 10,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        server, _, named = url.rstrip("/").rpartition("/")
        self._topic = topic or named
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        hidden = (url, named, self._topic, token)
        self._http = VendorHttp("ntfy", server, timeout=timeout, headers=headers, secrets=hidden, transport=transport)

    def check_access(self) -> Access:
        """Poll for a message that does not exist. Whether we may publish shows only when something is published."""
        try:
            answer = self._poll(_NO_MESSAGE)
        except VendorUnauthorized as error:
            if error.status != 403:
                raise
            return Access(missing=("the right to read the topic, by which a repeated page is recognized",))
        return Access(untold="whether they may publish", at=server_time(answer.headers))

    def publish(self, draft: Draft) -> str:
        """Publish a message, and return its id. A repeat is a second message."""
        headers = {"Content-Type": "application/json"}
        body = _body(self._topic, draft.fitted())
        return self._http.fetch("publish", "POST", "/", lambda data: str(data["id"]), content=body, headers=headers)

    def find(self, tag: str) -> tuple[Message, ...]:
        """Return the messages with that tag that the server still keeps, oldest first."""
        answer = self._poll(tag)
        with reading("ntfy", "poll"):
            events = [json.loads(line) for line in answer.text.splitlines() if line.strip()]
            found = [_message(event) for event in events if event["event"] == "message"]
        return tuple(message for message in found if tag in message.tags)

    def _poll(self, tag: str) -> httpx.Response:
        params = {"poll": "1", "since": "all", "tags": tag}
        return self._http.call("poll", "GET", f"/{quote(self._topic, safe='')}/json", params=params)


def _message(event: dict[str, Any]) -> Message:
    return Message(
        id=str(event["id"]),
        title=str(event.get("title") or ""),
        text=str(event.get("message") or ""),
        tags=tuple(map(str, event.get("tags") or ())),
        buttons=tuple(str(action["label"]) for action in event.get("actions") or ()),
    )


def _body(topic: str, draft: Draft) -> bytes:
    fields: dict[str, Any] = {
        "topic": topic,
        "title": draft.title,
        "message": draft.text,
        "priority": draft.priority,
        "tags": list(draft.tags),
    }
    if draft.click:
        fields["click"] = draft.click
    if draft.buttons:
        fields["actions"] = [{"action": "view", "label": name, "url": url} for name, url in draft.buttons.items()]
    if draft.replaces:
        fields["sequence_id"] = draft.replaces
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")


def _is_short(url: str) -> bool:
    """Tell whether an address has room, as it is: none of its characters is escaped in JSON."""
    return 0 < len(url.encode("utf-8", "replace")) <= LINK_BYTES and url.isprintable() and not {'"', "\\"} & {*url}


def _one_line(text: str) -> str:
    """Return the text without control characters, each of which JSON would make six."""
    return "".join(character if character >= " " else " " for character in text).strip()

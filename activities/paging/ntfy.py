"""Pages by ntfy: the state of a page is what its topic says of it, found by a tag that stands for the page's key."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Literal, assert_never

from activities.paging.paging import INCIDENT_LINK
from incidents.domain.core.severity import PagerSeverity
from incidents.vendors.errors import VendorRejected, VendorUnauthorized
from incidents.vendors.paging.ntfy import DEFAULT, HIGH, LOW, URGENT, Draft, Message, NtfyClient

_PRIORITIES: dict[PagerSeverity, int] = {"critical": URGENT, "error": URGENT, "warning": HIGH, "info": DEFAULT}
_DIGITS = 16
"""Of a digest of the key: enough to tell apart the pages that a server keeps, and short on the screen."""


class _State(StrEnum):
    """What a message says of its page: the name of an emoji, which ntfy shows."""

    OPEN = "rotating_light"
    ACKNOWLEDGED = "eyes"
    RESOLVED = "white_check_mark"


class NtfyPager:
    """Pages the people who are subscribed to one topic.

    It looks before it publishes. The server forgets (after 12 hours by default), and a token may lack the right to
    read: then a repeated page rings again, and a page cannot be settled.
    """

    def __init__(self, client: NtfyClient) -> None:
        self._client = client

    def send_event(
        self,
        action: Literal["trigger", "acknowledge", "resolve"],
        dedup_key: str,
        *,
        summary: str = "",
        source: str = "",
        severity: PagerSeverity = "critical",
        custom_details: Mapping[str, Any] | None = None,
        links: Mapping[str, str] | None = None,
    ) -> str:
        """Publish a page, or in its place that it is acknowledged or resolved, without a sound.

        What a repeated page has to add, such as the incident's number, is a second message without a sound.
        """
        tag = f"page-{hashlib.sha256(dedup_key.encode('utf-8', 'replace')).hexdigest()[:_DIGITS]}"
        match action:
            case "trigger":
                buttons = {label: url for label, url in (links or {}).items() if label != INCIDENT_LINK}
                page = Draft(
                    title=summary,
                    text=_text(source, custom_details or {}),
                    priority=_PRIORITIES[severity],
                    tags=(_State.OPEN, tag),
                    click=(links or {}).get(INCIDENT_LINK, ""),
                    buttons=buttons,
                )
                self._trigger(tag, page)
            case "acknowledge":
                self._settle(tag, _State.ACKNOWLEDGED, "Acknowledged")
            case "resolve":
                self._settle(tag, _State.RESOLVED, "Resolved")
            case _:
                assert_never(action)
        return dedup_key

    def _trigger(self, tag: str, page: Draft) -> None:
        try:
            shown = _of_open_page(self._client.find(tag))
        except (VendorUnauthorized, VendorRejected):
            shown = ()  # it may ring twice; not at all would be worse
        if not shown:
            self._client.publish(page)
        elif _state(shown[-1]) is _State.OPEN and not any(page.is_shown_by(message) for message in shown):
            # Beside the page, and not in its place: that would end the sound of a page that still rings.
            self._client.publish(replace(page, priority=LOW))

    def _settle(self, tag: str, state: _State, words: str) -> None:
        shown = self._readable(tag)
        if shown and _state(shown[-1]) is not state:
            page = shown[0]
            self._client.publish(Draft(page.title, words, LOW, (state, tag), replaces=page.id))

    def _readable(self, tag: str) -> Sequence[Message]:
        """Return the messages of the open page; none if we may not read: then nobody can tell whether it is open."""
        try:
            return _of_open_page(self._client.find(tag))
        except VendorUnauthorized as error:
            if error.status != 403:
                raise
            return ()


def _of_open_page(messages: Sequence[Message]) -> Sequence[Message]:
    """Return what was published since the page of that key was last resolved, the page first."""
    ends = [place for place, message in enumerate(messages, 1) if _state(message) is _State.RESOLVED]
    return messages[ends[-1] if ends else 0 :]


def _state(message: Message) -> _State:
    return next((state for state in _State if state in message.tags), _State.OPEN)


def _text(source: str, details: Mapping[str, Any]) -> str:
    rows = {"source": source, **details}
    return "\n".join(f"{name}: {value}" for name, value in rows.items() if value)

"""Chat: the incident's channel. Posting has no idempotency keys, so a retry looks for its marker first."""

import re
from datetime import datetime
from typing import Any

from temporalio import activity

from activities import ports
from activities.chat_cards import blocks_of
from activities.errors import earliest_effect, may_be_repeat, translate_vendor_errors
from activities.port_values import ChatChannel
from incidents.domain.activity_results import ActivityResult, ChannelRead, MessagePosted, ResourcesChanged
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
from incidents.domain.chat.card import Card
from incidents.domain.core.text.mrkdwn import Mrkdwn, as_mrkdwn, mrkdwn
from incidents.domain.incident.state import Resources
from incidents.domain.people.directory import NOBODY, PeopleDirectory
from incidents.domain.people.references import address_in_words
from incidents.domain.recipients import EMPTY_BOOK, AddressBook
from incidents.vendors.errors import VendorError, VendorNotFound, VendorRejected

_LONGEST_NAME = 80
_VARIANTS = 9
_FALLBACK = "incident"


def channel_name(text: str, suffix: str = "") -> str:
    """Return a name that Slack accepts: lower case, [a-z0-9-_], at most 80 characters (behaviour 19).

    It begins with a letter or digit: Slack rejects names of punctuation alone.
    """
    slug = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")
    return (slug or _FALLBACK)[: _LONGEST_NAME - len(suffix)].rstrip("-_") + suffix


class Chat:
    """Manages the incident's channel. Without a client, requests are skipped with the reason.

    `interactive`: the gateway handles clicks, so messages may have buttons. `people`: who is mentioned as what. `book`:
    the addresses that requests refer to.
    """

    def __init__(
        self,
        client: ports.Chat | None,
        off: str = "",
        *,
        interactive: bool = False,
        people: PeopleDirectory = NOBODY,
        book: AddressBook = EMPTY_BOOK,
    ) -> None:
        self._client, self._off, self._interactive = client, off, interactive
        self._people, self._book = people, book

    @activity.defn
    def open_channel(self, request: OpenChannel) -> ResourcesChanged:
        """Create the channel, or adopt the one with our marker; never another team's (behaviours 18, 20).

        A channel that our bot created without a purpose is ours, too: an earlier attempt was interrupted before it set
        the marker.
        """
        if self._client is None:
            return ResourcesChanged(skipped=self._off)
        with translate_vendor_errors():
            for variant in range(1, _VARIANTS + 1):
                name = channel_name(request.name, f"-{variant}" if variant > 1 else "")
                channel = self._open(self._client, name, request)
                if channel is not None:
                    resources = Resources(channel_id=channel.id, channel_name=channel.name, channel_url=channel.url)
                    return ResourcesChanged(detail=f"#{channel.name}", resources=resources)
        return ResourcesChanged(skipped=f"all names from #{request.name} to #{request.name}-{_VARIANTS} are taken")

    def _open(self, client: ports.Chat, name: str, request: OpenChannel) -> ChatChannel | None:
        """Return the channel of that name, created or adopted; None if it is not ours."""
        found = client.find_channel(name) if may_be_repeat(request) else None
        if found is None:
            try:
                found = client.create_channel(name, private=request.private)
            except VendorRejected as refusal:
                if refusal.code != ports.NAME_TAKEN:
                    raise
                found = client.find_channel(name)
        if found is None:  # a private channel that we cannot see has the name
            return None
        if request.marker not in found.purpose:
            if found.purpose or found.creator != client.whoami():
                return None
            client.set_purpose(found.id, f"Incident response {request.marker}")
        elif found.creator != client.whoami():
            return None
        if found.is_archived:
            client.unarchive(found.id)
        return found

    @activity.defn
    def set_topic(self, request: SetTopic) -> ResourcesChanged:
        """Set the channel's topic. Idempotent."""
        if self._client is None:
            return ResourcesChanged(skipped=self._off)
        with translate_vendor_errors():
            self._client.set_topic(request.channel_id, request.topic)
        return ResourcesChanged(resources=Resources(topic=request.topic))

    @activity.defn
    def invite(self, request: Invite) -> ActivityResult:
        """Invite people by e-mail address. Unknown users are reported and do not block the others (behaviour 21)."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            known = {email: self._book.resolve(email) for email in request.emails}
            users = {email: self._client.lookup_user(known[email]) if known[email] else None for email in known}
            problems = self._client.invite(request.channel_id, [user for user in users.values() if user])
        unknown = [f"{address_in_words(email)} not found in Slack" for email, user in users.items() if user is None]
        serious = [problem for problem in problems if not problem.endswith(("already_in_channel", "cant_invite_self"))]
        return ActivityResult(detail="; ".join([*unknown, *serious]))

    @activity.defn
    def post_message(self, message: PostMessage) -> MessagePosted:
        """Post a message, once; at the top of the channel if the one below which it belongs was deleted."""
        if self._client is None:
            return MessagePosted(skipped=self._off)
        with translate_vendor_errors():
            mentions, text = self._with_mentions(self._client, message)
            blocks = self._blocks(message.card, mentions)
            since, thread = earliest_effect(message), message.thread_ts
            try:
                ts = self._post_once(
                    self._client, message.channel_id, text, message.key, since=since, thread=thread, blocks=blocks
                )
            except VendorNotFound:
                if thread is None:
                    raise
                ts = self._post_once(self._client, message.channel_id, text, message.key, since=since, blocks=blocks)
        return MessagePosted(ts=ts)

    def _with_mentions(self, client: ports.Chat, message: PostMessage) -> tuple[Mrkdwn, Mrkdwn]:
        """Return what notifies those named, and the text after it. A person whom Slack does not know is named."""
        mentions, text = mrkdwn(""), message.text
        for name in reversed(message.mentions):
            if user := self._mentioned(client, name):
                mentions, text = mrkdwn("<@{}> {}", user, mentions), mrkdwn("<@{}> {}", user, text)
            elif not _names(message.text, as_mrkdwn(name)):
                mentions, text = mrkdwn("{}: {}", name, mentions), mrkdwn("{}: {}", name, text)
        return mentions, text

    def _mentioned(self, client: ports.Chat, name: str) -> str | None:
        """Return the id to mention, None if it cannot be looked up: the message matters more than its mention."""
        try:
            return self._slack_id(client, name)
        except VendorError as error:
            activity.logger.warning("Sending without a mention: %s", error)
            return None

    def _slack_id(self, client: ports.Chat, name: str, email: str = "") -> str | None:
        entry = self._people.entry(name)
        if entry.slack:
            return entry.slack
        address = entry.email or email
        return client.lookup_user(address) if address else None

    @activity.defn
    def hear_channel(self, request: HearChannel) -> ChannelRead:
        """Return when a person last wrote in the channel, or below one of its newest messages."""
        if self._client is None:
            return ChannelRead(skipped=self._off)
        with translate_vendor_errors():
            spoken = self._client.last_word(request.channel_id, request.since, request.thread_ts)
        return ChannelRead(heard_at=spoken)

    @activity.defn
    def add_bookmark(self, request: AddBookmark) -> ActivityResult:
        """Add a bookmark to the channel, once."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            if not (may_be_repeat(request) and request.url in self._client.bookmarks(request.channel_id)):
                self._client.add_bookmark(request.channel_id, request.label, request.url)
        return ActivityResult()

    @activity.defn
    def direct_message(self, message: DirectMessage) -> ActivityResult:
        """Send a person a direct message, once."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            user = self._slack_id(self._client, message.person, self._book.resolve(message.email))
            if user is None:
                named = address_in_words(message.email) or message.person
                return ActivityResult(skipped=f"{named} not found in Slack")
            room = self._client.open_dm(user)
            self._post_once(self._client, room, message.text, message.key, since=earliest_effect(message))
        return ActivityResult()

    @activity.defn
    def keep_summary(self, summary: KeepSummary) -> ResourcesChanged:
        """Post and pin the summary, or update the existing one."""
        if self._client is None:
            return ResourcesChanged(skipped=self._off)
        blocks = self._blocks(summary.card)
        with translate_vendor_errors():
            ts = summary.ts
            if ts is not None:
                try:
                    self._client.update(summary.channel_id, ts, summary.text, blocks)
                except VendorNotFound:  # it was deleted
                    ts = None
            if ts is None:
                ts = self._post_summary(self._client, summary, blocks)
        return ResourcesChanged(resources=Resources(summary_ts=ts, summary_text=summary.text))

    def _post_summary(self, client: ports.Chat, summary: KeepSummary, blocks: list[dict[str, Any]] | None) -> str:
        since, thread = earliest_effect(summary), summary.thread_ts
        ts = self._post_once(
            client, summary.channel_id, summary.text, summary.key, since=since, thread=thread, blocks=blocks
        )
        if summary.pin:
            client.pin(summary.channel_id, ts)
        return ts

    @activity.defn
    def archive_channel(self, request: ArchiveChannel) -> ActivityResult:
        """Archive the channel. Idempotent."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            self._client.archive(request.channel_id)
        return ActivityResult()

    def _blocks(self, card: Card | None, mentions: str = "") -> list[dict[str, Any]] | None:
        """Return the message's blocks, without buttons if no gateway handles clicks; None for a plain text."""
        return blocks_of(card, mentions=mentions, interactive=self._interactive) if card else None

    @staticmethod
    def _post_once(
        client: ports.Chat,
        channel_id: str,
        text: Mrkdwn,
        key: str,
        *,
        since: datetime | None,
        thread: str | None = None,
        blocks: list[dict[str, Any]] | None = None,
    ) -> str:
        found = client.find_message(channel_id, key, since, thread_ts=thread) if since is not None else None
        return found or client.post(channel_id, text, key=key, thread_ts=thread, blocks=blocks)


def _names(text: str, name: str) -> bool:
    """Tell whether the text names a person: by the whole name, not as a part of another word."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None

"""Chat: the incident's Slack channel. Slack has no idempotency keys, so a retry looks for its marker first."""

import re
from typing import Any

from temporalio import activity

from activities.errors import may_be_repeat, translate_vendor_errors
from incidents.domain.activity_requests import (
    ActivityResult,
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
from incidents.domain.incident.parts import Resources
from incidents.vendors.errors import VendorNotFound, VendorRejected
from incidents.vendors.slack.client import Channel, SlackClient

_LONGEST_NAME = 80
_LONGEST_SECTION = 3000
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

    `interactive`: the gateway handles clicks, so messages may have buttons.
    """

    def __init__(self, client: SlackClient | None, off: str = "", *, interactive: bool = False) -> None:
        self._client, self._off, self._interactive = client, off, interactive

    @activity.defn
    def open_channel(self, request: OpenChannel) -> ActivityResult:
        """Create the channel, or adopt the one with our marker; never another team's (behaviours 18, 20).

        A channel that our bot created without a purpose is ours, too: an earlier attempt was interrupted before it set
        the marker.
        """
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            for variant in range(1, _VARIANTS + 1):
                name = channel_name(request.name, f"-{variant}" if variant > 1 else "")
                channel = self._open(self._client, name, request)
                if channel is not None:
                    resources = Resources(channel_id=channel.id, channel_name=channel.name)
                    return ActivityResult(detail=f"#{channel.name}", resources=resources)
        return ActivityResult(skipped=f"all names from #{request.name} to #{request.name}-{_VARIANTS} are taken")

    def _open(self, client: SlackClient, name: str, request: OpenChannel) -> Channel | None:
        """Return the channel of that name, created or adopted; None if it is not ours."""
        found = client.find_channel(name) if may_be_repeat(request) else None
        if found is None:
            try:
                found = client.create_channel(name, private=request.private)
            except VendorRejected as refusal:
                if refusal.code != "name_taken":
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
    def set_topic(self, request: SetTopic) -> ActivityResult:
        """Set the channel's topic. Idempotent."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            self._client.set_topic(request.channel_id, request.topic)
        return ActivityResult(resources=Resources(topic=request.topic))

    @activity.defn
    def invite(self, request: Invite) -> ActivityResult:
        """Invite people by e-mail address. Unknown users are reported and do not block the others (behaviour 21)."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            users = {email: self._client.lookup_user(email) for email in request.emails}
            problems = self._client.invite(request.channel_id, [user for user in users.values() if user])
        unknown = [f"{email} not found in Slack" for email, user in users.items() if user is None]
        serious = [problem for problem in problems if not problem.endswith(("already_in_channel", "cant_invite_self"))]
        return ActivityResult(detail="; ".join([*unknown, *serious]))

    @activity.defn
    def post_message(self, message: PostMessage) -> ActivityResult:
        """Post a message, once."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            channel, thread = message.channel_id, message.thread_ts
            self._post_once(
                self._client, channel, message.text, message.key, look=may_be_repeat(message), thread=thread
            )
        return ActivityResult()

    @activity.defn
    def hear_channel(self, request: HearChannel) -> ActivityResult:
        """Return when a person last wrote in the channel, or below one of its newest messages."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            spoken = self._client.last_word(request.channel_id, request.since)
        return ActivityResult(heard_at=spoken)

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
            user = self._client.lookup_user(message.email)
            if user is None:
                return ActivityResult(skipped=f"{message.email} not found in Slack")
            room = self._client.open_dm(user)
            self._post_once(self._client, room, message.text, message.key, look=may_be_repeat(message))
        return ActivityResult()

    @activity.defn
    def keep_summary(self, summary: KeepSummary) -> ActivityResult:
        """Post and pin the summary, or update the existing one."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            ts = summary.ts
            if ts is not None:
                try:
                    self._client.update(summary.channel_id, ts, summary.text, self._blocks(summary))
                except VendorNotFound:  # it was deleted
                    ts = None
            if ts is None:
                look = may_be_repeat(summary)
                ts = self._post_once(
                    self._client, summary.channel_id, summary.text, summary.key, look=look, blocks=self._blocks(summary)
                )
                if summary.pin:
                    self._client.pin(summary.channel_id, ts)
        return ActivityResult(resources=Resources(summary_ts=ts, summary_text=summary.text))

    @activity.defn
    def archive_channel(self, request: ArchiveChannel) -> ActivityResult:
        """Archive the channel. Idempotent."""
        if self._client is None:
            return ActivityResult(skipped=self._off)
        with translate_vendor_errors():
            self._client.archive(request.channel_id)
        return ActivityResult()

    def _blocks(self, summary: KeepSummary) -> list[dict[str, Any]] | None:
        """Return the message with its buttons; None without buttons or without a gateway for clicks."""
        if not summary.buttons or not self._interactive:
            return None
        elements = [
            {
                "type": "button",
                "action_id": button.action,
                "value": button.value,
                "text": {"type": "plain_text", "text": button.label},
                "style": "danger" if button.danger else "primary",
            }
            for button in summary.buttons
        ]
        section = {"type": "section", "text": {"type": "mrkdwn", "text": summary.text[:_LONGEST_SECTION]}}
        return [section, {"type": "actions", "elements": elements}]

    @staticmethod
    def _post_once(
        client: SlackClient,
        channel_id: str,
        text: str,
        key: str,
        *,
        look: bool,
        thread: str | None = None,
        blocks: list[dict[str, Any]] | None = None,
    ) -> str:
        found = client.find_message(channel_id, key, thread_ts=thread) if look else None
        return found or client.post(channel_id, text, key=key, thread_ts=thread, blocks=blocks)

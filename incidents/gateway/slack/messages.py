"""Messages that people point at: add one to the timeline, by a shortcut or a pushpin, or start an incident from it."""

import html
import re
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from incidents.cutting import cut
from incidents.domain.core.text.mrkdwn import as_mrkdwn, mrkdwn
from incidents.domain.incident.commands import AddNote
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.slack.calls import CommandResult
from incidents.gateway.slack.names import name_of
from incidents.gateway.slack.opening import Opening
from incidents.gateway.slack.payloads import Sender
from incidents.gateway.slack.replies import NETWORK, reaching_slack
from incidents.gateway.slack.services import Services
from incidents.gateway.slack.slash.typed import number_of_channel

TO_TIMELINE, START_INCIDENT = "add_to_timeline", "start_incident"
PUSHPIN = "pushpin"
_LONGEST_NOTE = 4000
_MARKUP = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_NOT_AN_INCIDENT = "Only messages in an incident's channel go to its timeline. Elsewhere: `/incident note 42 TEXT`."


class _Channel(BaseModel):
    id: str
    name: str = ""


class Message(BaseModel):
    """A message of the workspace. `user`: the author's id; "" for an app."""

    ts: str = Field(pattern=r"^\d{1,11}\.\d{1,6}$")
    text: str = ""
    user: str = ""


class _Shortcut(BaseModel):
    user: Sender
    channel: _Channel
    message: Message
    trigger_id: str = ""


class _Item(BaseModel):
    channel: str
    ts: str


class _Reaction(BaseModel):
    user: str
    reaction: str
    item: _Item


class Messages:
    """Takes shortcuts and reactions."""

    def __init__(self, bolt: AsyncApp, services: Services, opening: Opening) -> None:
        self._services, self._opening = services, opening
        bolt.message_shortcut(TO_TIMELINE)(self.to_timeline)
        bolt.message_shortcut(START_INCIDENT)(self.start)
        bolt.event("reaction_added")(self.pinned)

    async def to_timeline(
        self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient
    ) -> None:
        """Add a message to the timeline of the incident in whose channel it is."""
        await ack()
        try:
            said = _Shortcut.model_validate(body)
            by = said.user.resolve(self._services.people)
        except ValueError:
            return None
        number = number_of_channel(said.channel.name, self._services.runbook.chat.channel_prefix)
        if number is None:
            return await self._services.replies.send(respond, mrkdwn("{}", _NOT_AN_INCIDENT))
        outcome = await self._add(client, number, said.channel.id, said.message, by)
        return await self._services.replies.send(respond, as_mrkdwn(outcome.text))

    async def start(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        """Show the form to open an incident, with the message as its title."""
        await ack()
        try:
            said = _Shortcut.model_validate(body)
        except ValueError:
            return
        try:
            await self._opening.show(client, said.trigger_id, plain(said.message.text, self._services.people))
        except (SlackApiError, *NETWORK) as error:
            answer = mrkdwn("Slack did not show the form ({}). Try again.", type(error).__name__)
            await self._services.replies.send(respond, answer)

    async def pinned(self, event: dict[str, Any], client: AsyncWebClient) -> None:
        """Add a message to the timeline that got a pushpin in an incident's channel. Elsewhere it means nothing."""
        try:
            reaction = _Reaction.model_validate(event)
        except ValueError:  # a reaction to a file
            return
        if reaction.reaction != PUSHPIN:
            return
        with reaching_slack("a question about a message with a pushpin"):
            channel = (await client.conversations_info(channel=reaction.item.channel))["channel"]
            name = str(channel.get("name") or "")
            number = number_of_channel(name, self._services.runbook.chat.channel_prefix)
            message = await _message(client, reaction.item) if number is not None else None
            if number is None or message is None:
                return
            by = await name_of(client, reaction.user, self._services.people)
            outcome = await self._add(client, number, reaction.item.channel, message, by)
            if not outcome.done:
                await client.chat_postEphemeral(
                    channel=reaction.item.channel, user=reaction.user, text=as_mrkdwn(outcome.text)
                )

    async def _add(self, client: AsyncWebClient, number: str, channel: str, message: Message, by: str) -> CommandResult:
        """Add the message, once: its place in the channel is the command's id."""
        author = await name_of(client, message.user, self._services.people) if message.user else "an app"
        when = datetime.fromtimestamp(float(message.ts), UTC)
        text = cut(f"{author} ({when:%H:%M} UTC): {plain(message.text, self._services.people)}", _LONGEST_NOTE)
        note = AddNote(by=by, text=text, id=f"message-{channel}-{message.ts}")
        return await self._services.calls.command(number, note, channel)


async def _message(client: AsyncWebClient, item: _Item) -> Message | None:
    """Return a message of a channel, or of a thread in it; None if it is gone."""
    found = await client.conversations_replies(
        channel=item.channel, ts=item.ts, oldest=item.ts, latest=item.ts, inclusive=True, limit=10
    )
    rows = (row for row in found["messages"] if row.get("ts") == item.ts)
    row = next(rows, None)
    return Message.model_validate(row) if row else None


def plain(text: str, people: PeopleDirectory) -> str:
    """Return a message as people read it: mentions by name, links with their address, nothing escaped."""

    def shown(markup: re.Match[str]) -> str:
        target, words = markup[1], markup[2] or ""
        if target.startswith("@"):
            return "@" + people.resolve(f"<{target}|{words}>" if words else f"<{target}>")
        if target.startswith(("#", "!")):
            return target[0].replace("!", "@") + (words or target[1:])
        return f"{words} ({target})" if words and words not in target else target

    return html.unescape(_MARKUP.sub(shown, text))

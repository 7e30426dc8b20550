"""The slash command."""

from collections.abc import Mapping
from typing import Any, assert_never

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from incidents.domain.core.text.mrkdwn import Mrkdwn, as_mrkdwn, mrkdwn
from incidents.gateway.slack.opening import Opening
from incidents.gateway.slack.replies import NETWORK
from incidents.gateway.slack.services import Services
from incidents.gateway.slack.slash import typed
from incidents.gateway.slack.slash.answers import list_text
from incidents.gateway.slack.slash.verbs import Usage

COMMAND = "/incident"


class Commands:
    """Runs what is typed after `/incident`."""

    def __init__(self, bolt: AsyncApp, services: Services, opening: Opening) -> None:
        self._services, self._opening = services, opening
        bolt.command(COMMAND)(self.run)

    async def run(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        """Run a slash command. Its answer is for the sender alone."""
        await ack()
        form = _texts(body)
        try:
            request = typed.read_command(form, self._services.runbook.chat.channel_prefix, self._services.people)
            said = await self._answer(request, form, client)
        except Usage as usage:
            said = as_mrkdwn(usage)
        if said:
            await self._services.replies.send(respond, said)

    async def _answer(
        self, request: typed.General | typed.Question | typed.Order, form: Mapping[str, str], client: AsyncWebClient
    ) -> Mrkdwn:
        match request:
            case typed.Order():
                channel_id = form.get("channel_id", "")
                sent = await self._services.calls.command(request.incident, request.command, channel_id)
                return as_mrkdwn(sent.text)
            case typed.Question():
                return await self._services.calls.question(request, form.get("channel_id", ""))
            case typed.General():
                return await self._general(request, form, client)
            case _:
                assert_never(request)

    async def _general(self, request: typed.General, form: Mapping[str, str], client: AsyncWebClient) -> Mrkdwn:
        if request.verb == typed.OPEN:
            return await self._open(request.words, form.get("trigger_id", ""), client)
        if request.verb == typed.LIST:
            return list_text(await self._services.calls.overview())
        if request.verb == typed.ON_CALL:
            return await self._services.on_call.text()
        return as_mrkdwn(typed.help_text())

    async def _open(self, title: str, trigger_id: str, client: AsyncWebClient) -> Mrkdwn:
        """Show the modal; nothing is said then."""
        try:
            await self._opening.show(client, trigger_id, title)
        except SlackApiError as error:
            return mrkdwn("Slack did not show the form ({}). Try again.", str(error.response.get("error")))
        except NETWORK as error:
            return mrkdwn("Slack cannot be reached to show the form ({}). Try again.", type(error).__name__)
        return mrkdwn("")


def _texts(form: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in form.items() if isinstance(value, str)}

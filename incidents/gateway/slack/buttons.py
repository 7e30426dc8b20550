"""Buttons of messages: those that are one command, and those that show a form."""

import asyncio
from typing import Any

from pydantic import ValidationError
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from incidents.domain.chat.form import Form
from incidents.domain.chat.stale import DECISIONS
from incidents.domain.core.text.mrkdwn import as_mrkdwn, mrkdwn
from incidents.domain.incident.visibility import REFUSAL
from incidents.gateway.slack.actions import DIRECT, WITH_FORM
from incidents.gateway.slack.calls import CommandResult
from incidents.gateway.slack.clicks import metadata_of, read_click, read_form
from incidents.gateway.slack.modals import notice, render
from incidents.gateway.slack.replies import NETWORK, reaching_slack
from incidents.gateway.slack.services import Services

ANSWERS_WITHIN = 2.5
"""Seconds until a modal says that the command is still running: after three, Slack shows an error."""
_STATE_WITHIN = 1.5
"""Seconds to wait for the incident's state before a form is shown without it: a trigger is good for three."""
_LONGEST_ERROR = 500


class Buttons:
    """Runs the command of a button, or shows its form and runs the commands of that."""

    def __init__(self, bolt: AsyncApp, services: Services) -> None:
        self._services = services
        for action in DIRECT:
            bolt.block_action(action.value)(self.clicked)
        for action in WITH_FORM:
            bolt.block_action(action.value)(self.asked)
            bolt.view_submission(action.value)(self.submitted)

    async def clicked(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """Run a button's command. A refusal is for the sender alone; a decision is shown to all in its message."""
        await ack()
        try:
            click = read_click(body, self._services.people)
            command = DIRECT[click.action](click.by, click.target)
        except (ValueError, KeyError):
            return  # not a button of ours, though it has the name of one
        outcome = await self._services.calls.click(click.target, click.action, (command,), click.channel_id)
        if outcome.done and click.action in DECISIONS:
            await self._services.replies.replace(respond, body.get("message"), as_mrkdwn(outcome.text))
        else:
            await self._services.replies.send(respond, as_mrkdwn(outcome.text))

    async def asked(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
        """Show the form of a button."""
        await ack()
        try:
            click = read_click(body, self._services.people)
            found = WITH_FORM[click.action]
        except (ValueError, KeyError):
            return
        state = await self._services.calls.state(click.target.incident, _STATE_WITHIN)
        if state is not None and not self._services.calls.may_act(state, click.by, click.channel_id):
            await self._services.replies.send(respond, as_mrkdwn(REFUSAL))
            return
        form = found.form(self._services.runbook, state, click.target)
        view = render(form, click.action.value, metadata_of(click))
        try:
            await client.views_open(trigger_id=click.trigger_id, view=view)
        except (SlackApiError, *NETWORK) as error:
            said = mrkdwn("Slack did not show the form ({}). Try again.", type(error).__name__)
            await self._services.replies.send(respond, said)

    async def submitted(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """Run a form's commands. What is refused stands at a field of the form, which stays open."""
        try:
            filled = read_form(body, self._services.people)
            found = WITH_FORM[filled.action]
        except (ValueError, KeyError):
            await ack()
            return
        form = found.form(self._services.runbook, None, filled.target)
        try:
            commands = found.commands(filled.by, filled.values, filled.target)
        except ValueError as error:
            await ack(response_action="errors", errors=_errors(form, error))
            return
        running = asyncio.create_task(
            self._services.calls.click(filled.target, filled.action, commands, filled.channel_id)
        )
        await self._answer(ack, client, form, filled.view_id, running)

    async def _answer(
        self,
        ack: AsyncAck,
        client: AsyncWebClient,
        form: Form,
        view_id: str,
        running: "asyncio.Task[CommandResult]",
    ) -> None:
        """Close the form, or say in it what was refused; if that takes long, say so first."""
        done, _ = await asyncio.wait({running}, timeout=ANSWERS_WITHIN)
        if not done:
            await ack(response_action="update", view=notice(form.title, mrkdwn("Still working on it …")))
            with reaching_slack("the result of a form"):
                view = notice(form.title, as_mrkdwn((await running).text))
                await client.views_update(view_id=view_id, view=view)
        elif (outcome := running.result()).done:
            await ack()
        else:
            await ack(response_action="errors", errors={form.fields[0].name: outcome.text[:_LONGEST_ERROR]})


def _errors(form: Form, error: ValueError) -> dict[str, str]:
    """Return what is wrong with a form, by field; at the first field, if the form has no field of that name."""
    if not isinstance(error, ValidationError):
        return {form.fields[0].name: str(error)[:_LONGEST_ERROR]}
    names = {field.name for field in form.fields}
    found: dict[str, str] = {}
    for fault in error.errors(include_url=False, include_input=False):
        place = next((str(part) for part in fault["loc"] if str(part) in names), form.fields[0].name)
        found[place] = fault["msg"].removeprefix("Value error, ")[:_LONGEST_ERROR]
    return found

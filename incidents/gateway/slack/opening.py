"""Open an incident from Slack: a modal, and what is done with it."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from temporalio.service import RPCError

from incidents.app.starter import ByHand, declare
from incidents.client.delivery import submission as submissions
from incidents.client.delivery.delivery import Kept
from incidents.client.delivery.spool import SpoolFull, SpoolUnusable
from incidents.client.intake import Started
from incidents.domain.chat.forms import LONGEST_TITLE, open_form
from incidents.domain.core.text.mrkdwn import Mrkdwn, mrkdwn
from incidents.domain.core.text.untrusted import one_line
from incidents.gateway.slack.modals import notice, render
from incidents.gateway.slack.payloads import Submission
from incidents.gateway.slack.replies import NETWORK, reaching_slack
from incidents.gateway.slack.services import Services

OPEN_MODAL = "open_incident"
_TITLE = "Open an incident"
NUMBER_WITHIN = timedelta(seconds=5)
"""How long to wait for the incident's number. The incident is durable without it."""
_log = logging.getLogger("gateway")


class Opening:
    """Shows the modal, and opens the incident that it describes."""

    def __init__(self, bolt: AsyncApp, services: Services) -> None:
        self._services = services
        bolt.view_submission(OPEN_MODAL)(self.submitted)

    async def show(self, client: AsyncWebClient, trigger_id: str, title: str = "") -> None:
        """Show the modal.

        Raises:
            SlackApiError: Slack refuses, such as when the three seconds are over.
        """
        form = open_form(self._services.runbook, one_line(title, LONGEST_TITLE))
        await client.views_open(trigger_id=trigger_id, view=render(form, OPEN_MODAL))

    async def submitted(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """Open the incident. The modal says at once that it is being opened, and then how that went."""
        try:
            submission = Submission.model_validate(body)
            by = submission.user.resolve(self._services.people)
        except ValueError:
            await ack()  # not a modal of ours, though it has the name of one
            return
        said = submission.values
        if errors := self._errors(said):
            await ack(response_action="errors", errors=errors)
            return
        await ack(response_action="update", view=notice(_TITLE, mrkdwn("Opening the incident …")))
        result = await self._open(said, by)
        await self._show_result(client, submission, result)

    async def _show_result(self, client: AsyncWebClient, submission: Submission, result: Mrkdwn) -> None:
        """Show the result in the modal; if that was closed before, in a direct message."""
        try:
            await client.views_update(view_id=submission.view.id, view=notice(_TITLE, result))
        except SlackApiError:
            with reaching_slack("the result of opening an incident"):
                await client.chat_postMessage(channel=submission.user.id, text=result)
        except NETWORK as error:
            _log.warning("Slack did not get the result of opening an incident: %s", type(error).__name__)

    def _errors(self, said: Mapping[str, str]) -> dict[str, str]:
        """Return what is wrong, by field."""
        missing = (name for name in ("title", "service") if not one_line(said.get(name, ""), LONGEST_TITLE))
        errors = dict.fromkeys(missing, "Please fill this in.")
        if self._services.runbook.severity_named(said.get("severity", "")) is None:
            errors["severity"] = "Please choose a severity."
        return errors

    async def _open(self, said: Mapping[str, str], by: str) -> Mrkdwn:
        drill = bool(said.get("drill"))
        typed = ByHand(
            title=said["title"],
            service=said["service"],
            severity=said["severity"],
            environment=self._services.runbook.intake.defaults.get("environment", "production"),
            by=by,
            drill=drill,
            private=bool(said.get("private")),
        )
        declared = declare(typed, self._services.runbook)
        submission = submissions.Submission.of_declared(declared, datetime.now(UTC))
        try:
            [started] = await self._services.delivery.deliver(submission, NUMBER_WITHIN)
        except (RPCError, SpoolFull, SpoolUnusable) as error:
            _log.error("An incident declared in Slack was not opened: %s", error)
            return mrkdwn("The incident was *not* opened ({}). Page on-call by hand.", type(error).__name__)
        return _result(started)


def _result(started: Started) -> Mrkdwn:
    if isinstance(started, Kept):
        return mrkdwn("The incident is {}. It opens once Temporal is back.", started.detail)
    if started.number is None:
        return mrkdwn("The incident is recorded, and opens once a worker is running.")
    return mrkdwn("*INC-{}* is open. You find its channel in a moment: `/incident show {}`", *[started.number] * 2)

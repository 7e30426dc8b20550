"""The gateway's endpoints; `incidents/gateway/main.py` lists them and serves them."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.settings import Settings
from incidents.client.commands import CommandFailed, send
from incidents.client.intake import LARGEST, intake
from incidents.client.lookup import (
    NoAnswer,
    NotFound,
    describe,
    find,
    incident,
)
from incidents.contracts import ISSUE_CHANGED
from incidents.domain.alerting.alert import MOST_ALERTS, MalformedAlert, parse_alerts
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.payload import NotJson, read_json
from incidents.domain.incident.summary import digest_text, headline, people_line
from incidents.gateway import read_github as github
from incidents.gateway import read_pagerduty as pagerduty
from incidents.gateway import read_slack as slack
from incidents.gateway import signatures
from incidents.vendors.errors import VendorError
from incidents.vendors.pagerduty import PagerDutyClient

_QUICK = timedelta(seconds=2)
"""Slack expects an answer within three seconds. A command that no worker accepts by then is queued."""
_SLACK_WAITS = 2.5
"""Seconds after which the gateway answers that the result follows: after three, Slack shows an error."""
_SLACK_HOSTS = ("hooks.slack.com",)
_log = logging.getLogger("gateway")


class Gateway:
    """The request handlers. Stateless: accepted requests are stored by Temporal."""

    def __init__(self, client: Client, settings: Settings, runbook: RunbookConfig) -> None:
        self._client, self._settings, self._runbook = client, settings, runbook
        self._answers: set[asyncio.Task[None]] = set()
        key = settings.pagerduty_api_key.get_secret_value()
        url, patience = settings.pagerduty_api_url, settings.http_timeout_seconds
        self._pagerduty = PagerDutyClient(key, url, patience) if key else None

    def app(self) -> Starlette:
        """Return the application to serve."""
        routes = [
            Route("/alerts", self.alerts, methods=["POST"]),
            Route("/slack/commands", self.slack_command, methods=["POST"]),
            Route("/slack/interactions", self.slack_click, methods=["POST"]),
            Route("/pagerduty", self.page_acknowledged, methods=["POST"]),
            Route("/github", self.issue_changed, methods=["POST"]),
            Route("/healthz", self.health),
        ]
        return Starlette(routes=routes, exception_handlers={RPCError: _unavailable, _TooLarge: _too_large})

    async def alerts(self, request: Request) -> Response:
        """Open incidents for alerts, or update the open ones."""
        if not signatures.with_token(self._settings.gateway_token.get_secret_value(), request.headers):
            return _unauthorized(request)
        try:
            payload = read_json(await _body(request))
            alerts = parse_alerts(payload, datetime.now(UTC))
        except (MalformedAlert, NotJson) as error:
            return JSONResponse({"error": f"not an alert: {error}"}, 400)
        if len(alerts) == MOST_ALERTS:
            _log.warning(
                "Webhook has too many alerts; accepted the first %d. Set max_alerts in Alertmanager", MOST_ALERTS
            )
        queue = self._settings.temporal_task_queue
        started = await intake(self._client, alerts, self._runbook, queue, patience=timedelta())
        return JSONResponse([found.model_dump() for found in started], 202)

    async def slack_command(self, request: Request) -> Response:
        """Run a slash command and answer with its result."""
        body = await _body(request)
        if not self._by_slack(request, body):
            return _unauthorized(request)
        try:
            command = slack.read_command(body, self._runbook.chat.channel_prefix)
            said = await self._in_time(command)
        except slack.Usage as usage:
            said = str(usage)
        return JSONResponse({"response_type": "ephemeral", "text": said})

    async def slack_click(self, request: Request) -> Response:
        """Run a button's command. Answers Slack immediately; the user gets the result as a second message."""
        body = await _body(request)
        if not self._by_slack(request, body):
            return _unauthorized(request)
        try:
            click = slack.read_click(body)
        except ValueError:
            return JSONResponse({"error": "unknown interaction payload"}, 400)
        if click is not None:
            self._run_in_background(self._click(click))
        return Response(status_code=200)

    async def page_acknowledged(self, request: Request) -> Response:
        """Apply an acknowledgement made in PagerDuty. Other events are accepted and ignored.

        Sent as a signal, so it is durable without a worker. The event id deduplicates repeated deliveries.
        """
        body = await _body(request)
        if not signatures.from_pagerduty(
            self._settings.pagerduty_webhook_secret.get_secret_value(), request.headers, body
        ):
            return _unauthorized(request)
        try:
            event = pagerduty.read(body, datetime.now(UTC))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        try:
            key = await self._dedup_key(event) if event is not None else ""
        except VendorError as error:
            _log.warning("Cannot look up the page of a PagerDuty acknowledgement: %s", error)
            return JSONResponse({"error": "cannot look up the page at PagerDuty now; send it again"}, 503)
        workflow_id = pagerduty.workflow_of(key)
        if event is None or not workflow_id:
            return JSONResponse({"action": "ignored"}, 202)
        return await self._signal(workflow_id, event.command.name, event.command, "acknowledged")

    async def issue_changed(self, request: Request) -> Response:
        """Forward a change to an action item's issue to its post-mortem. Other events are accepted and ignored.

        GitHub does not redeliver: a missed webhook is found when the post-mortem next polls its issues.
        """
        body = await _body(request)
        secret = self._settings.github_webhook_secret.get_secret_value()
        if not signatures.from_github(secret, request.headers, body):
            return _unauthorized(request)
        try:
            changed = github.read(request.headers.get("x-github-event", ""), body)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        if changed is None:
            return JSONResponse({"action": "ignored"}, 202)
        return await self._signal(changed.workflow_id, ISSUE_CHANGED, changed.fact, "forwarded")

    async def _signal(self, workflow_id: str, signal_name: str, argument: Frozen, done: str) -> Response:
        """Send a signal, which is durable without a worker. A closed workflow is ignored."""
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            await handle.signal(signal_name, argument, rpc_timeout=_QUICK)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return JSONResponse({"action": "ignored"}, 202)
        return JSONResponse({"action": done}, 202)

    async def health(self, request: Request) -> Response:
        """Check that Temporal answers."""
        await self._client.service_client.check_health(timeout=_QUICK)
        return PlainTextResponse("ok\n")

    def _by_slack(self, request: Request, body: bytes) -> bool:
        secret = self._settings.slack_signing_secret.get_secret_value()
        return signatures.from_slack(secret, request.headers, body, time.time())

    async def _dedup_key(self, event: pagerduty.Acknowledged) -> str:
        """Return the page's dedup key, from the webhook or from PagerDuty's API; "" if neither has it.

        Raises:
            VendorError: PagerDuty is not answering; retry later.
        """
        if event.key or self._pagerduty is None:
            return event.key
        try:
            return await asyncio.to_thread(self._pagerduty.incident_key, event.page)
        except VendorError as error:
            if error.retryable:
                raise
            _log.warning("Ignored a PagerDuty acknowledgement: %s", error)
            return ""

    def _run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work that this request does not wait for."""
        task = asyncio.create_task(work)
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _in_time(self, slash: slack.SlashCommand) -> str:
        """Return the answer, or a placeholder if it takes longer than Slack waits; the answer then follows."""
        answer = asyncio.create_task(self._answer(slash))
        done, _ = await asyncio.wait({answer}, timeout=_SLACK_WAITS)
        if done:
            return answer.result()

        async def later() -> None:
            await self._post(slash.answer_to, await answer)

        self._run_in_background(later())
        return "Still working on it; the answer follows in a moment."

    async def _answer(self, slash: slack.SlashCommand) -> str:
        """Return the result of a command as one message, also for errors."""
        try:
            if slash.command is not None:
                run = await find(self._client, slash.incident)
                return (await send(self._client, run, slash.command, _QUICK)).message
            state = await incident(self._client, slash.incident)
            if state.private and slash.channel_id != state.resources.channel_id:
                return digest_text(state)  # a private incident shows its details only in its own channel
            return f"*{headline(state)}*\n{people_line(state)}"
        except (NotFound, NoAnswer, CommandFailed) as refusal:
            return str(refusal)
        except RPCError as error:
            _log.warning("Temporal answered %s: %s", error.status.name, error.message)
            return (
                "Temporal is unavailable: your command was not received. Running incidents are not affected. Try again."
            )

    async def _click(self, click: slack.Click) -> None:
        try:
            run = await describe(self._client, click.incident)
            said = (await send(self._client, run, click.command, _QUICK)).message
        except (NotFound, CommandFailed) as refusal:
            said = str(refusal)
        except RPCError:
            said = "Temporal is unavailable: nothing was changed. Running incidents are not affected. Try again."
        await self._post(click.answer_to, said)

    async def _post(self, address: str, said: str) -> None:
        """Post an answer to the response URL that Slack gave."""
        if self._is_slack_url(address):
            answer = {"response_type": "ephemeral", "replace_original": False, "text": said}
            async with httpx.AsyncClient(timeout=self._settings.http_timeout_seconds) as http:
                with suppress(httpx.HTTPError):  # the incident channel shows the result, too
                    await http.post(address, json=answer)

    def _is_slack_url(self, url: str) -> bool:
        """Tell whether the URL is Slack's. Never post to another host that a payload names."""
        own = urlsplit(self._settings.slack_api_url)
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return (parts.scheme == "https" and parts.hostname in _SLACK_HOSTS) or (
            (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
        )


class _TooLarge(Exception):
    """The request body is larger than `LARGEST`."""


async def _body(request: Request) -> bytes:
    """Return the raw body, as signed. Stops reading at the size limit.

    Raises:
        _TooLarge: the body exceeds `LARGEST`.
    """
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            raise _TooLarge
    return body


def _unauthorized(request: Request) -> Response:
    who = request.client.host if request.client else "unknown"
    _log.warning("Rejected a request from %s to %s: bad signature or token", who, request.url.path)
    return JSONResponse({"error": "unauthorized: bad signature or token"}, 401)


def _too_large(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": f"payload larger than {LARGEST // 1024} KiB; send the alert without dumps"}, 413)


def _unavailable(request: Request, error: Exception) -> Response:
    """Answer a Temporal error. Alertmanager and PagerDuty retry after a 5xx, never after a 4xx.

    A request that Temporal rejects as invalid (too long, too large) would be rejected again.
    """
    if isinstance(error, RPCError) and error.status is RPCStatusCode.INVALID_ARGUMENT:
        _log.warning("Temporal rejected a request to %s: %s", request.url.path, error)
        return JSONResponse({"error": "Temporal rejected the request; nothing was changed"}, 400)
    _log.warning("Temporal is unavailable: %s", error)
    return JSONResponse({"error": "Temporal is unavailable; the request was not stored. Send it again"}, 503)

"""HTTP in: alert webhooks, Slack's commands and buttons, PagerDuty's and GitHub's webhooks.

    incident-gateway --port 8090

    POST /alerts               an Alertmanager webhook (SigNoz sends the same) or our simple JSON; Bearer GATEWAY_TOKEN
    POST /slack/commands       `/incident ack 42`; signed by Slack
    POST /slack/interactions   buttons; signed by Slack
    POST /pagerduty            acknowledged there; signed by PagerDuty
    POST /github               issues of action items, changed there; signed by GitHub
    GET  /healthz              Temporal answers

Whoever cannot prove who they are is refused. While Temporal is away the answer is 503, so that the sender tries again.
"""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import typer
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.connection import connect, run_and_exit
from incidents.app.runbook_file import load_runbook, runbook_source
from incidents.app.settings import Settings, load_settings
from incidents.app.starter import LARGEST, intake
from incidents.client.commands import Refusal, send
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
"""Slack wants its answer within three seconds. A command that no worker takes by then is recorded for later."""
_SLACK_WAITS = 2.5
"""Seconds after which Slack is told that the answer follows: after three it says that the program does not work."""
_SLACK_HOSTS = ("hooks.slack.com",)
_log = logging.getLogger("gateway")


class Gateway:
    """The gateway's answers. It keeps nothing: what it accepted is with Temporal."""

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
        return Starlette(routes=routes, exception_handlers={RPCError: _away, _TooLarge: _too_large})

    async def alerts(self, request: Request) -> Response:
        """Bring alerts to their incidents."""
        if not signatures.with_token(self._settings.gateway_token.get_secret_value(), request.headers):
            return _stranger(request)
        try:
            payload = read_json(await _body(request))
            alerts = parse_alerts(payload, datetime.now(UTC))
        except (MalformedAlert, NotJson) as error:
            return JSONResponse({"error": f"not an alert: {error}"}, 400)
        if len(alerts) == MOST_ALERTS:
            _log.warning("Took the first %d alerts of a webhook; limit them by max_alerts", MOST_ALERTS)
        queue = self._settings.temporal_task_queue
        started = await intake(self._client, alerts, self._runbook, queue, patience=timedelta())
        return JSONResponse([found.model_dump() for found in started], 202)

    async def slack_command(self, request: Request) -> Response:
        """Do what somebody typed, and tell them what came of it."""
        body = await _body(request)
        if not self._by_slack(request, body):
            return _stranger(request)
        try:
            asked = slack.read_command(body, self._runbook.chat.channel_prefix)
            said = await self._in_time(asked)
        except slack.Usage as usage:
            said = str(usage)
        return JSONResponse({"response_type": "ephemeral", "text": said})

    async def slack_click(self, request: Request) -> Response:
        """Do what a button stands for. Slack is answered at once; whoever clicked reads the outcome a moment later."""
        body = await _body(request)
        if not self._by_slack(request, body):
            return _stranger(request)
        try:
            click = slack.read_click(body)
        except ValueError:
            return JSONResponse({"error": "not an interaction of ours"}, 400)
        if click is not None:
            self._keep(self._click(click))
        return Response(status_code=200)

    async def page_acknowledged(self, request: Request) -> Response:
        """Take an acknowledgement at PagerDuty as one here. What does not concern us is accepted and dropped.

        It goes as a signal: durable also while no worker runs. A repeated delivery is known by the event's id.
        """
        body = await _body(request)
        if not signatures.from_pagerduty(
            self._settings.pagerduty_webhook_secret.get_secret_value(), request.headers, body
        ):
            return _stranger(request)
        try:
            event = pagerduty.read(body, datetime.now(UTC))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        try:
            key = await self._dedup_key(event) if event is not None else ""
        except VendorError as error:
            _log.warning("Who was acknowledged at PagerDuty is not known: %s", error)
            return JSONResponse({"error": "PagerDuty does not say which page it was; send it again"}, 503)
        workflow_id = pagerduty.workflow_of(key)
        if event is None or not workflow_id:
            return JSONResponse({"action": "ignored"}, 202)
        return await self._tell(workflow_id, event.command.name, event.command, "acknowledged")

    async def issue_changed(self, request: Request) -> Response:
        """Tell a post-mortem what became of an issue of its action items. What does not concern us is dropped.

        GitHub does not deliver again by itself: what is missed here is seen when the issues are next looked at.
        """
        body = await _body(request)
        secret = self._settings.github_webhook_secret.get_secret_value()
        if not signatures.from_github(secret, request.headers, body):
            return _stranger(request)
        try:
            changed = github.read(request.headers.get("x-github-event", ""), body)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        if changed is None:
            return JSONResponse({"action": "ignored"}, 202)
        return await self._tell(changed.workflow_id, ISSUE_CHANGED, changed.fact, "told")

    async def _tell(self, workflow_id: str, signal_name: str, word: Frozen, done: str) -> Response:
        """Send a signal, which is durable also while no worker runs; a process that has ended needs none."""
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            await handle.signal(signal_name, word, rpc_timeout=_QUICK)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return JSONResponse({"action": "ignored"}, 202)
        return JSONResponse({"action": done}, 202)

    async def health(self, request: Request) -> Response:
        """Tell whether Temporal answers."""
        await self._client.service_client.check_health(timeout=_QUICK)
        return PlainTextResponse("ok\n")

    def _by_slack(self, request: Request, body: bytes) -> bool:
        secret = self._settings.slack_signing_secret.get_secret_value()
        return signatures.from_slack(secret, request.headers, body, time.time())

    async def _dedup_key(self, event: pagerduty.Acknowledged) -> str:
        """Return the key of the page: as the webhook says, or as PagerDuty answers; "" if neither tells.

        Raises:
            VendorError: PagerDuty does not answer now.
        """
        if event.key or self._pagerduty is None:
            return event.key
        try:
            return await asyncio.to_thread(self._pagerduty.incident_key, event.page)
        except VendorError as error:
            if error.retryable:
                raise
            _log.warning("An acknowledgement at PagerDuty was not understood: %s", error)
            return ""

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done whose outcome this request does not wait for."""
        task = asyncio.create_task(work)
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _in_time(self, asked: slack.Asked) -> str:
        """Return the answer, or, if it takes longer than Slack waits, that it follows; the work goes on."""
        answer = asyncio.create_task(self._answer(asked))
        done, _ = await asyncio.wait({answer}, timeout=_SLACK_WAITS)
        if done:
            return answer.result()

        async def later() -> None:
            await self._post(asked.answer_to, await answer)

        self._keep(later())
        return "Still at it: the answer follows in a moment."

    async def _answer(self, asked: slack.Asked) -> str:
        """Return what came of a command, in one message, whatever it was."""
        try:
            if asked.command is not None:
                run = await find(self._client, asked.incident)
                return (await send(self._client, run, asked.command, _QUICK)).message
            state = await incident(self._client, asked.incident)
            if state.private and asked.channel_id != state.resources.channel_id:
                return digest_text(state)  # of a private incident nobody outside of its channel learns more
            return f"*{headline(state)}*\n{people_line(state)}"
        except (NotFound, NoAnswer, Refusal) as refusal:
            return str(refusal)
        except RPCError as error:
            _log.warning("Temporal answered %s: %s", error.status.name, error.message)
            return "Temporal cannot be reached: the command did not arrive. Running incidents go on. Say it again soon."

    async def _click(self, click: slack.Click) -> None:
        try:
            run = await describe(self._client, click.incident)
            said = (await send(self._client, run, click.command, _QUICK)).message
        except (NotFound, Refusal) as refusal:
            said = str(refusal)
        except RPCError:
            said = "Temporal cannot be reached: nothing was done. Click again soon."
        await self._post(click.answer_to, said)

    async def _post(self, address: str, said: str) -> None:
        """Tell whoever asked, at the address that Slack gave for it."""
        if self._is_slacks(address):
            answer = {"response_type": "ephemeral", "replace_original": False, "text": said}
            async with httpx.AsyncClient(timeout=self._settings.http_timeout_seconds) as http:
                with suppress(httpx.HTTPError):  # the channel tells it, too
                    await http.post(address, json=answer)

    def _is_slacks(self, url: str) -> bool:
        """Tell whether an answer may go there: to Slack, and nowhere else that a payload names."""
        own = urlsplit(self._settings.slack_api_url)
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return (parts.scheme == "https" and parts.hostname in _SLACK_HOSTS) or (
            (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
        )


class _TooLarge(Exception):
    """A body that no alert needs."""


async def _body(request: Request) -> bytes:
    """Return the raw body, which signatures are about; one that is too large is not read to its end."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            raise _TooLarge
    return body


def _stranger(request: Request) -> Response:
    who = request.client.host if request.client else "unknown"
    _log.warning("Refused: %s to %s does not prove who it is", who, request.url.path)
    return JSONResponse({"error": "the signature or token does not fit; nothing was done"}, 401)


def _too_large(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": f"larger than {LARGEST // 1024} KiB: send the alert without its dumps"}, 413)


def _away(request: Request, error: Exception) -> Response:
    """Say that Temporal is away. Alertmanager and PagerDuty repeat after a 5xx, and never after a 4xx.

    What Temporal refuses for what it is (too long, too large) would be refused again.
    """
    if isinstance(error, RPCError) and error.status is RPCStatusCode.INVALID_ARGUMENT:
        _log.warning("Temporal refuses a request to %s: %s", request.url.path, error)
        return JSONResponse({"error": "Temporal refuses it; nothing was done"}, 400)
    _log.warning("Temporal does not answer: %s", error)
    return JSONResponse({"error": "Temporal does not answer; nothing was lost here: send it again"}, 503)


cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@cli.command(help=__doc__)
def main(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on")] = 8090,
) -> None:
    """Serve until SIGTERM or SIGINT."""

    async def serve() -> int:
        settings = load_settings()
        runbook = load_runbook(settings)
        client = await connect(settings)
        print(f"Runbook: {runbook_source(settings)}", file=sys.stderr)
        _say_what_is_open(settings)
        config = uvicorn.Config(Gateway(client, settings, runbook).app(), host=host, port=port, log_level="warning")
        server = _Server(config)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, server.stop)
        print(f"Gateway listens on http://{host}:{port}", file=sys.stderr, flush=True)
        await server.serve()
        return 0 if server.started else 1

    run_and_exit(serve())


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to us: it would raise them again at its end, which would then look like a crash."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    def stop(self) -> None:
        """End when the requests under way are answered."""
        self.should_exit = True


def _say_what_is_open(settings: Settings) -> None:
    doors = {
        "/alerts": ("GATEWAY_TOKEN", settings.gateway_token),
        "/slack": ("SLACK_SIGNING_SECRET", settings.slack_signing_secret),
        "/pagerduty": ("PAGERDUTY_WEBHOOK_SECRET", settings.pagerduty_webhook_secret),
        "/github": ("GITHUB_WEBHOOK_SECRET", settings.github_webhook_secret),
    }
    for door, (variable, secret) in doors.items():
        print(f"{door}: {'open' if secret else f'closed: {variable} is not set'}", file=sys.stderr)


if __name__ == "__main__":
    cli()

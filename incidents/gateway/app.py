"""The gateway's endpoints; `incidents/gateway/main.py` lists them and serves them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.api_tokens import ApiTokens
from incidents.app.composition.pagers import build_paging
from incidents.app.connection import check_connection
from incidents.app.outage.watch import watching_outages
from incidents.app.pager_check import missing_pager_warning
from incidents.app.settings import Settings
from incidents.app.telemetry.exposition import Exposition
from incidents.app.telemetry.fleet import Fleet
from incidents.app.telemetry.tracing import OFF, Tracing
from incidents.client.delivery.delivery import Delivery
from incidents.client.delivery.gathering import OneAtATime
from incidents.client.delivery.spool import Spool, SpoolUnusable
from incidents.client.paging.own_pages import workflow_of
from incidents.client.problems import Undecryptable
from incidents.contracts import COMMAND_REFUSED, ISSUE_CHANGED, Unauthorized
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.paging.page_life import takes_acknowledgement
from incidents.domain.people.directory import PeopleDirectory
from incidents.domain.people.permissions import name_of
from incidents.gateway import read_github as github
from incidents.gateway import read_pagerduty as pagerduty
from incidents.gateway import signatures
from incidents.gateway.alert_endpoints import AlertEndpoint
from incidents.gateway.alert_senders import AlertSenders
from incidents.gateway.api.app import api_routes
from incidents.gateway.codec.endpoint import CodecEndpoint
from incidents.gateway.heartbeat_endpoint import HeartbeatEndpoint
from incidents.gateway.mail_events import MailEvents
from incidents.gateway.metrics import SpoolSource, Webhooks
from incidents.gateway.readiness import Readiness
from incidents.gateway.responses import (
    TooLarge,
    TooSlow,
    read_body,
    spool_unusable,
    too_large,
    too_slow,
    unauthorized,
    unavailable,
    undecryptable,
)
from incidents.gateway.slack import http as slack
from incidents.gateway.slack.app import SlackApp
from incidents.gateway.slack.socket_mode import SocketMode
from incidents.gateway.web.site import WebSite
from incidents.vendors.errors import VendorError
from incidents.vendors.paging.pagerduty import PagerDutyClient
from incidents.vendors.sns import SnsClient

_QUICK = timedelta(seconds=2)
"""How long to wait for Temporal. A sender that gets 503 sends again."""
_log = logging.getLogger("gateway")


class Gateway:
    """The request handlers. Stateless: accepted requests are stored by Temporal."""

    def __init__(
        self,
        client: Client,
        settings: Settings,
        runbook: RunbookConfig,
        sdk_metrics: str = "",
        tracing: Tracing = OFF,
    ) -> None:
        """Serve by that client. `sdk_metrics`: where Temporal's SDK serves its metrics; "" if it does not."""
        self._tracing = tracing
        self._client, self._settings, self._runbook = client, settings, runbook
        self._was_connected = False
        self._check = OneAtATime(lambda: check_connection(client, _QUICK))
        self._people = PeopleDirectory(runbook.people.directory)
        self._spool = Spool(settings.alert_spool)
        send_page = build_paging(settings).send_page
        self.delivery = Delivery(self._spool, self._connected, runbook, settings.temporal_task_queue, send_page)
        token, queue = settings.gateway_token.get_secret_value(), settings.temporal_task_queue
        tokens = ApiTokens(settings.api_tokens)
        self._api = api_routes(self._connected, settings, runbook, tokens)
        senders = AlertSenders(settings, SnsClient(settings.http_timeout_seconds), tokens)
        fleet = Fleet(self._connected, tuple(runbook.severities), queue)
        self._metrics = Exposition(settings, runbook, fleet, SpoolSource(self._spool), sdk_url=sdk_metrics)
        self._alerts = AlertEndpoint(self.delivery, senders, Webhooks(self._metrics.registry))
        self._heartbeats = HeartbeatEndpoint(self._connected, runbook, queue, token)
        self._web = WebSite(self._connected, settings, runbook)
        self._codec = CodecEndpoint(self._connected, settings, runbook, tokens, self._web.access)
        self._slack_app = SlackApp(self._connected, self.delivery, settings, runbook)
        app_token = settings.slack_app_token.get_secret_value()
        self._socket_mode = SocketMode(self._slack_app.bolt, app_token) if app_token else None
        self._readiness = Readiness(client, self._spool, missing_pager_warning(settings, runbook), self._socket_mode)
        self._slack = slack.SlackEndpoint(self._slack_app.bolt, settings.slack_signing_secret.get_secret_value())
        self._mail_events = MailEvents(settings.sendgrid_webhook_public_key, self._signal)
        key = settings.pagerduty_api_key.get_secret_value()
        url, timeout = settings.pagerduty_api_url, settings.http_timeout_seconds
        self._pagerduty = PagerDutyClient(key, url, timeout) if key else None

    def app(self) -> Starlette:
        """Return the application to serve."""
        alerts = self._tracing.traced("alert webhook", self._alerts.alerts)
        routes = [
            Route("/alerts", alerts, methods=["POST"]),
            Route("/alerts/{source}", alerts, methods=["POST"]),
            Route("/heartbeat/{name}", self._heartbeats.heartbeat, methods=["POST"]),
            *(Route(f"/slack/{kind}", self._slack.receive, methods=["POST"]) for kind in slack.KINDS),
            Route("/pagerduty", self.page_acknowledged, methods=["POST"]),
            Route("/github", self.issue_changed, methods=["POST"]),
            Route("/sendgrid", self._mail_events.receive, methods=["POST"]),
            Route("/livez", self._readiness.live),
            Route("/healthz", self._readiness.health),
            Route("/readyz", self._readiness.ready),
            Route("/metrics", self._metrics.respond),
            *self._codec.routes(self._web.sessions),
            *self._api,
            *self._web.routes(),
        ]
        return Starlette(
            routes=routes,
            exception_handlers={
                RPCError: unavailable,
                TooLarge: too_large,
                TooSlow: too_slow,
                SpoolUnusable: spool_unusable,
                Undecryptable: undecryptable,
            },
            lifespan=self._lifespan,
        )

    def describe_codec(self) -> str:
        """Return in one line whether the codec server is on."""
        return self._codec.describe()

    def describe_pages(self) -> str:
        """Return in one line who may read the web pages."""
        return self._web.describe()

    def stop(self) -> None:
        """End the streams of the web pages: otherwise the server waits for them."""
        self._web.stop()

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """While the gateway runs, send kept alerts to Temporal, watch heartbeats, and listen to Slack."""
        works = [self.delivery.run(), self._heartbeats.start_watches()]
        if self._socket_mode is not None:
            works.append(self._socket_mode.listen())
        tasks = [asyncio.create_task(work) for work in works]
        try:
            async with watching_outages(self._client, self._settings, self._runbook, in_gateway=True):
                yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self) -> Client:
        """Return the client, connected: the gateway starts without Temporal, too.

        Raises:
            RPCError: Temporal is unreachable.
        """
        if not self._was_connected:
            await self._check()
            self._was_connected = True
        return self._client

    async def page_acknowledged(self, request: Request) -> Response:
        """Apply an acknowledgement made in PagerDuty. Other events are accepted and ignored.

        Sent as a signal, so it is durable without a worker. The event id deduplicates repeated deliveries.
        """
        body = await read_body(request)
        if not signatures.from_pagerduty(
            self._settings.pagerduty_webhook_secret.get_secret_value(), request.headers, body
        ):
            return unauthorized(request)
        try:
            event = pagerduty.read(body, datetime.now(UTC), self._people)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        try:
            key = await self._dedup_key(event) if event is not None else ""
        except VendorError as error:
            _log.warning("Cannot look up the page of a PagerDuty acknowledgement: %s", error)
            return JSONResponse({"error": "cannot look up the page at PagerDuty now; send it again"}, 503)
        workflow_id = workflow_of(key)
        if event is None or not workflow_id or not takes_acknowledgement(key):
            return JSONResponse({"action": "ignored"}, 202)
        command = event.command
        if reason := self._runbook.people.authorized.refusal(command.name, command.by):
            refused = Unauthorized(command=name_of(command.name), by=command.by, reason=reason)
            return await self._signal(workflow_id, COMMAND_REFUSED, refused, "refused")
        return await self._signal(workflow_id, command.name, command, "acknowledged")

    async def issue_changed(self, request: Request) -> Response:
        """Forward a change to an action item's issue to its post-mortem. Other events are accepted and ignored.

        GitHub does not redeliver: a missed webhook is found when the post-mortem next polls its issues.
        """
        body = await read_body(request)
        secret = self._settings.github_webhook_secret.get_secret_value()
        if not signatures.from_github(secret, request.headers, body):
            return unauthorized(request)
        try:
            changed = github.read(request.headers.get("x-github-event", ""), body)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        if changed is None:
            return JSONResponse({"action": "ignored"}, 202)
        return await self._signal(changed.workflow_id, ISSUE_CHANGED, changed.fact, "forwarded")

    async def _signal(self, workflow_id: str, signal_name: str, argument: Frozen, done: str) -> Response:
        """Send a signal, which is durable without a worker. A closed workflow is ignored."""
        client = await self._connected()
        try:
            await client.get_workflow_handle(workflow_id).signal(signal_name, argument, rpc_timeout=_QUICK)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            if await asyncio.to_thread(self._spool.holds, workflow_id):  # its incident is about to be opened
                raise RPCError("its alert is still kept on disk", RPCStatusCode.UNAVAILABLE, b"") from None
            return JSONResponse({"action": "ignored"}, 202)
        return JSONResponse({"action": done}, 202)

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

"""HTTP gateway: web pages, alert webhooks, Slack commands and buttons, and PagerDuty and GitHub webhooks.

    incident-gateway --port 8090

    GET  /                     web pages of incidents, post-mortems and the report, with buttons for the commands
    POST /alerts               an Alertmanager or SigNoz webhook, or simple JSON; Bearer GATEWAY_TOKEN
    POST /alerts/<source>      as the source sends it: alertmanager, signoz, grafana, datadog, sentry, pagerduty,
                               cloudwatch, cloudevents, or simple JSON of any other name; Bearer GATEWAY_TOKEN, or
                               signed by Sentry, PagerDuty or SNS
    /api/v1/incidents...       incidents and their commands; Bearer tokens of `incident token`
    GET  /docs, /openapi.json  the description of the API
    POST /heartbeat/<name>     a sign of life that runbook.yaml expects; Bearer GATEWAY_TOKEN
    POST /slack/...            commands, interactions, events; signed by Slack. Not needed with SLACK_APP_TOKEN, with
                               which the gateway connects to Slack by Socket Mode
    POST /pagerduty            acknowledgements; signed by PagerDuty
    POST /github               changes to action item issues; signed by GitHub
    POST /sendgrid             mails that bounced; signed by SendGrid
    POST /codec/decode         payloads in clear text for the Temporal UI and `temporal`, for those who may read them
    GET  /livez                200 whenever the gateway serves requests: what an orchestrator probes
    GET  /healthz              200 while Temporal answers; says so if nobody can be paged
    GET  /readyz               200 while Temporal answers and the spool can be written; each part with its reason
    GET  /metrics              for Prometheus; Bearer METRICS_TOKEN, if that is set

Needs TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, and for each endpoint its secret, without which every request to it gets
401: GATEWAY_TOKEN, SLACK_SIGNING_SECRET, PAGERDUTY_WEBHOOK_SECRET, GITHUB_WEBHOOK_SECRET, SENDGRID_WEBHOOK_PUBLIC_KEY;
for signed alerts SENTRY_CLIENT_SECRET, PAGERDUTY_ALERTS_SECRET, SNS_TOPIC_ARNS. GATEWAY_SECRET signs sessions and the
links of pages; API_TOKENS is the file with the digests of the API's tokens.
RUNBOOK_FILE must be the workers' runbook. The web pages are for this machine only, unless OIDC_ISSUER, OIDC_CLIENT_ID,
OIDC_CLIENT_SECRET and GATEWAY_URL, or TRUSTED_PROXIES, say who may read them. PAGERDUTY_ROUTING_KEY or NTFY_URL lets it
page directly; PAGERDUTY_API_KEY finds the incident of an acknowledgement that does not name it.

A request with a bad signature or token gets 401. While Temporal is unreachable, alerts are kept on disk (ALERT_SPOOL),
on-call is paged directly, and the answer is 202; every other request gets 503, so senders retry.
"""

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
import uvicorn

from incidents.app.api_tokens import ApiTokens
from incidents.app.command_line.usage import OneLineCommand
from incidents.app.connection import connect, run_and_exit
from incidents.app.pager_check import missing_pager_warning
from incidents.app.runbook_file import load_runbook, runbook_source
from incidents.app.settings import Settings, load_settings
from incidents.app.telemetry.logs import configure_logs
from incidents.app.telemetry.notices import Notices
from incidents.app.telemetry.sdk_metrics import measured_runtime
from incidents.app.telemetry.tracing import build_tracing
from incidents.gateway.api.senders import describe_tokens
from incidents.gateway.app import Gateway

_STOP_WITHIN = 10
"""Seconds."""
cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@cli.command(cls=OneLineCommand, help=__doc__)
def main(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on")] = 8090,
) -> None:
    """Serve until SIGTERM or SIGINT."""

    async def serve() -> int:
        settings = load_settings()
        configure_logs(settings.log_format)
        notices = Notices("gateway", settings.log_format)
        runbook = load_runbook(settings)
        measured = measured_runtime()
        # Lazy: alerts are kept on disk while Temporal is unreachable.
        tracing = build_tracing(settings, "incident-gateway")
        client = await connect(settings, lazy=True, measured=measured.runtime, interceptors=tracing.interceptors)
        notices.say(f"Runbook: {runbook_source(settings)}")
        gateway = Gateway(client, settings, runbook, measured.url, tracing)
        _say_endpoints(settings, gateway, notices)
        notices.say(missing_pager_warning(settings, runbook), logging.ERROR)
        server = _Server(server_config(gateway, host, port), gateway)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, server.stop)
        notices.say(f"Gateway listening on http://{host}:{port}")
        await server.serve()
        tracing.flush()
        return 0 if server.started else 1

    run_and_exit(serve())


def server_config(gateway: Gateway, host: str, port: int) -> uvicorn.Config:
    """Return how the gateway is served: a stop waits so many seconds for open requests, then cancels them."""
    return uvicorn.Config(
        gateway.app(),
        host=host,
        port=port,
        log_level="warning",
        log_config=None,  # its lines go where ours go
        proxy_headers=False,  # who a proxy in front speaks for is decided by the pages themselves (TRUSTED_PROXIES)
        timeout_graceful_shutdown=_STOP_WITHIN,
    )


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: it re-raises signals at exit, which looks like a crash."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway = gateway

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    def stop(self) -> None:
        """Shut down after the running requests are answered."""
        self._gateway.stop()
        self.should_exit = True


def _say_endpoints(settings: Settings, gateway: Gateway, notices: Notices) -> None:
    endpoints = {
        "/alerts": ("GATEWAY_TOKEN", settings.gateway_token),
        "/heartbeat": ("GATEWAY_TOKEN", settings.gateway_token),
        "/slack": ("SLACK_SIGNING_SECRET", settings.slack_signing_secret),
        "Slack's Socket Mode": ("SLACK_APP_TOKEN", settings.slack_app_token),
        "/pagerduty": ("PAGERDUTY_WEBHOOK_SECRET", settings.pagerduty_webhook_secret),
        "/github": ("GITHUB_WEBHOOK_SECRET", settings.github_webhook_secret),
        "/sendgrid": ("SENDGRID_WEBHOOK_PUBLIC_KEY", settings.sendgrid_webhook_public_key),
    }
    for endpoint, (variable, secret) in endpoints.items():
        notices.say(f"{endpoint}: {'on' if secret else f'off ({variable} is not set)'}")
    notices.say(gateway.describe_pages())
    notices.say(gateway.describe_codec())
    notices.say(f"Payload encryption: {settings.key_ring.describe()}")
    notices.say(f"/api: {describe_tokens(ApiTokens(settings.api_tokens))}")


if __name__ == "__main__":
    cli()

"""HTTP gateway for alert webhooks, Slack commands and buttons, and PagerDuty and GitHub webhooks.

    incident-gateway --port 8090

    POST /alerts               an Alertmanager or SigNoz webhook, or simple JSON; Bearer GATEWAY_TOKEN
    POST /slack/commands       `/incident ack 42`; signed by Slack
    POST /slack/interactions   buttons; signed by Slack
    POST /pagerduty            acknowledgements; signed by PagerDuty
    POST /github               changes to action item issues; signed by GitHub
    GET  /healthz              200 while Temporal answers

A request with a bad signature or token gets 401. While Temporal is unavailable the answer is 503, so senders retry.
"""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
import uvicorn

from incidents.app.connection import connect, run_and_exit
from incidents.app.runbook_file import load_runbook, runbook_source
from incidents.app.settings import Settings, load_settings
from incidents.gateway.app import Gateway

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
        _print_endpoints(settings)
        config = uvicorn.Config(Gateway(client, settings, runbook).app(), host=host, port=port, log_level="warning")
        server = _Server(config)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, server.stop)
        print(f"Gateway listening on http://{host}:{port}", file=sys.stderr, flush=True)
        await server.serve()
        return 0 if server.started else 1

    run_and_exit(serve())


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: it re-raises signals at exit, which looks like a crash."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    def stop(self) -> None:
        """Shut down after the running requests are answered."""
        self.should_exit = True


def _print_endpoints(settings: Settings) -> None:
    endpoints = {
        "/alerts": ("GATEWAY_TOKEN", settings.gateway_token),
        "/slack": ("SLACK_SIGNING_SECRET", settings.slack_signing_secret),
        "/pagerduty": ("PAGERDUTY_WEBHOOK_SECRET", settings.pagerduty_webhook_secret),
        "/github": ("GITHUB_WEBHOOK_SECRET", settings.github_webhook_secret),
    }
    for endpoint, (variable, secret) in endpoints.items():
        print(f"{endpoint}: {'on' if secret else f'off ({variable} is not set)'}", file=sys.stderr)


if __name__ == "__main__":
    cli()

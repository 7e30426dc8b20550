"""The sandbox as one Starlette application: vendors, product, its own control and the page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Router
from starlette.types import Receive, Scope, Send

from sandbox.control import Control
from sandbox.faults import Faults, Gate
from sandbox.http import RefusalError, route
from sandbox.page import Page
from sandbox.state import Credentials, Ledger, Options
from sandbox.vendors.alertmanager import Alertmanager
from sandbox.vendors.github.actions import GitHubActions
from sandbox.vendors.github.files import GitHubFiles
from sandbox.vendors.github.repository import GitHub
from sandbox.vendors.grafana import Grafana
from sandbox.vendors.ntfy import Ntfy
from sandbox.vendors.ops_portal.portal import OpsPortal
from sandbox.vendors.pagerduty import PagerDuty
from sandbox.vendors.product import Fleet, Product
from sandbox.vendors.prometheus import Prometheus
from sandbox.vendors.sendgrid import SendGrid
from sandbox.vendors.signoz import SigNoz
from sandbox.vendors.slack.web_api import Slack
from sandbox.vendors.statuspage import Statuspage
from sandbox.vendors.webhook import Webhook
from sandbox.vendors.zoom import Zoom


class Vendor(Protocol):
    """What each vendor module gives."""

    def routes(self) -> list[BaseRoute]:
        """Its endpoints."""

    def snapshot(self) -> Any:
        """Its state as JSON."""


class World:
    """All vendors with their state. An ASGI application that can begin anew while it is served."""

    def __init__(self, credentials: Credentials, options: Options) -> None:
        self.credentials, self.options = credentials, options
        self._first_options = asdict(options)
        self.faults = Faults()
        self.reset()

    def reset(self) -> None:
        """Forgets all effects, faults and options, and seeds all vendors again."""
        self.faults.clear()
        for name, value in self._first_options.items():
            setattr(self.options, name, value)
        credentials, options = self.credentials, self.options
        self.ledger = ledger = Ledger()
        self.fleet = fleet = Fleet()
        self.slack = Slack(credentials, ledger, options)
        self.ops_portal = OpsPortal(credentials, options, ledger, fleet)
        github = GitHub(credentials, ledger, options)
        # Actions and files come before issues: the last route of `github` answers 404 for the rest of /github.
        self.vendors: dict[str, Vendor] = {
            "slack": self.slack,
            "sendgrid": SendGrid(credentials, ledger, options),
            "statuspage": Statuspage(credentials, ledger),
            "github_actions": GitHubActions(credentials, options, ledger, fleet),
            "github_files": GitHubFiles(github),
            "github": github,
            "pagerduty": PagerDuty(credentials, ledger, options),
            "ntfy": Ntfy(credentials, ledger, options),
            "webhook": Webhook(ledger),
            "zoom": Zoom(credentials, ledger),
            "signoz": SigNoz(credentials, fleet),
            "prometheus": Prometheus(options, fleet),
            "alertmanager": Alertmanager(ledger),
            "grafana": Grafana(credentials, ledger),
            "ops_portal": self.ops_portal,
            "product": Product(credentials, options, fleet),
        }
        routes = [one for vendor in self.vendors.values() for one in vendor.routes()]
        guarded = ExceptionMiddleware(Router(routes, redirect_slashes=False), handlers={RefusalError: _refused})
        self._gate = Gate(guarded, ledger, self.faults)

    def snapshot(self) -> dict[str, Any]:
        """All state as JSON, vendor by vendor."""
        return {name: vendor.snapshot() for name, vendor in self.vendors.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a vendor's request. The portal takes a trailing slash, Statuspage a .json at the end [run, spec]."""
        path = scope["path"]
        if path.startswith("/ops/"):
            path = path.rstrip("/")
        if path.startswith("/statuspage/"):
            path = path.removesuffix(".json")
        await self._gate({**scope, "path": path}, receive, send)


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, RefusalError)
    return refusal.response()


def create_app(credentials: Credentials | None = None, options: Options | None = None) -> Starlette:
    """The sandbox: vendors at their mounts, `/_control` for tests, `/` for people. See the module docstrings."""
    world = World(credentials or Credentials(), options or Options())
    app = Starlette(
        routes=[route("/", Page(world).show), Mount("/_control", routes=Control(world).routes()), Mount("/", world)]
    )
    app.state.world = world
    return app

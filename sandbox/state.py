"""What all vendors of the sandbox share: the credentials that they accept, the knobs, and the ledger of effects."""

from __future__ import annotations

from collections import deque
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

CALLS_KEPT = 20_000
SLACK_SCOPES = (
    *("bookmarks:read", "bookmarks:write", "channels:history", "channels:manage", "channels:read", "chat:write"),
    *("commands", "groups:history", "groups:read", "groups:write", "im:history", "im:write", "pins:write"),
    *("reactions:read", "users:read", "users:read.email"),
)


@dataclass(frozen=True)
class Credentials:
    """The only credentials that the sandbox accepts, in the vendors' shapes. They open nothing but the sandbox."""

    slack_bot_token: str = "xoxb-sandbox-not-a-secret"
    slack_app_token: str = "xapp-sandbox-not-a-secret"
    slack_signing_secret: str = "sandbox-slack-signing-secret"
    sendgrid_api_key: str = "SG.sandbox.not-a-secret"
    statuspage_api_key: str = "sandbox-statuspage-key"
    statuspage_page_id: str = "sandboxpage1"
    github_token: str = "ghp_sandbox_not_a_secret"
    github_repository: str = "dinesh-g1/featuresignals"
    pagerduty_routing_key: str = "sandboxroutingkey000000000000001"
    pagerduty_api_key: str = "sandbox-pagerduty-key"
    pagerduty_from: str = "oncall@featuresignals.com"
    pagerduty_webhook_secret: str = "sandbox-pagerduty-webhook-secret"
    ntfy_token: str = "tk_sandbox_not_a_secret"
    zoom_account_id: str = "sandbox-zoom-account"
    zoom_client_id: str = "sandbox-zoom-client"
    zoom_client_secret: str = "sandbox-zoom-secret"
    signoz_api_key: str = "sandbox-signoz-key"
    grafana_token: str = "glsa_sandbox_not_a_secret"
    ops_portal_email: str = "incident-bot@featuresignals.com"
    ops_portal_password: str = "sandbox-portal-password"
    ops_portal_edge_token: str = "sandbox-edge-token"
    probe_api_key: str = "fs_srv_sandbox_probe"
    product_api_token: str = "sandbox-product-admin-jwt"


@dataclass
class Options:
    """The sandbox's own knobs, changed by `PATCH /_control/options`.

    `workflow_seconds`: how long a dispatched GitHub workflow runs; `workflow_conclusion`: how it ends.
    `deploy_seconds`: from an Ops Portal deployment to the product running that version.
    `run_name`: what the workflow writes into the title of its runs (`{version}`), as `run-name:` does; "" for nothing.
    `bad_latency_ms`: how slow a bad version is; `slow_latency_ms`: one that is only slow.
    `nobody_on_call`: PagerDuty's schedule is empty.
    `portal_token_seconds`: life of a portal JWT (the portal's TOKEN_TTL).
    `slack_request_url`: where the app takes what people do in Slack, by signed HTTP; "" for Socket Mode.
    `slack_scopes`, `sendgrid_scopes`: what the credentials are granted, with commas.
    `github_push`: whether the token may push.
    `ntfy_reads`: whether the token may read topics, too.
    `secure_cookies`: as the portal with ENV=production, whose cookies plain HTTP clients do not send back.
    """

    workflow_seconds: float = 1.0
    workflow_conclusion: str = "success"
    run_name: str = ""
    deploy_seconds: float = 0.0
    bad_latency_ms: float = 300.0
    slow_latency_ms: float = 600.0
    nobody_on_call: bool = False
    portal_token_seconds: float = 3600.0
    secure_cookies: bool = False
    slack_request_url: str = ""
    slack_scopes: str = ",".join(SLACK_SCOPES)
    sendgrid_scopes: str = "mail.send,sender_verification_eligible"
    github_push: bool = True
    ntfy_reads: bool = True


@dataclass
class Call:
    """One HTTP request that reached a vendor, a read or a refused one too."""

    at: str
    vendor: str
    method: str
    path: str
    status: int = 0
    fault: str | None = None


@dataclass
class ActivityRequest:
    """One thing that a vendor did for its caller. `status` is what the caller saw, 0 when the connection broke."""

    seq: int
    at: str
    vendor: str
    operation: str
    payload: dict[str, Any]
    status: int = 0
    fault: str | None = None


@dataclass
class Exchange:
    """The request being served now, so that its effects learn how it ended."""

    call: Call
    effects: list[ActivityRequest] = field(default_factory=list)


current_exchange: ContextVar[Exchange | None] = ContextVar("current_exchange", default=None)


class Ledger:
    """Every effect in order, and the last calls: what a test or a person holds the program to."""

    def __init__(self) -> None:
        self.effects: list[ActivityRequest] = []
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)

    def record(self, vendor: str, operation: str, payload: dict[str, Any]) -> None:
        """Writes down an effect that has just happened; its status follows when the reply leaves."""
        effect = ActivityRequest(len(self.effects) + 1, timestamp(), vendor, operation, payload)
        self.effects.append(effect)
        if exchange := current_exchange.get():
            exchange.effects.append(effect)

    def opened(self, vendor: str, method: str, path: str) -> Exchange:
        """Begins one request."""
        call = Call(timestamp(), vendor, method, path)
        self.calls.append(call)
        return Exchange(call)

    @staticmethod
    def closed(exchange: Exchange, status: int, fault: str | None = None) -> None:
        """Ends one request with what the caller saw."""
        exchange.call.status, exchange.call.fault = status, fault
        for effect in exchange.effects:
            effect.status, effect.fault = status, fault

    def effect_rows(self, vendor: str | None = None) -> list[dict[str, Any]]:
        """The effects as JSON, all or one vendor's."""
        return [asdict(effect) for effect in self.effects if vendor in (None, effect.vendor)]

    def call_rows(self, vendor: str | None = None) -> list[dict[str, Any]]:
        """The calls as JSON, all or one vendor's."""
        return [asdict(call) for call in self.calls if vendor in (None, call.vendor)]


@dataclass
class Clock:
    """The clock of every sandbox in this process: real time, unless a test in virtual time sets it."""

    at: datetime | None = None

    def set(self, moment: datetime | None) -> None:
        """Shows that moment from now on, and never an earlier one than before; None: real time again."""
        self.at = max(self.at or moment, moment) if moment is not None else None


CLOCK = Clock()


def now() -> datetime:
    """The sandbox's time, in UTC."""
    return CLOCK.at or datetime.now(UTC)


def timestamp(moment: datetime | None = None) -> str:
    """RFC 3339 with milliseconds and Z, as most of the vendors write it."""
    return (moment or now()).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def pick(body: dict[str, Any], *names: str) -> dict[str, Any]:
    """The essence of a request for the ledger: those fields that were given."""
    return {name: body[name] for name in names if body.get(name) not in (None, "", [], {})}

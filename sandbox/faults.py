"""Faults on order: errors, time-outs, broken connections, lost replies and rate limits, as each vendor shows them."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.state import Exchange, Ledger, current_exchange

Kind = Literal["status", "timeout", "reset", "lost_reply", "late", "rate_limit"]
KINDS: tuple[str, ...] = get_args(Kind)
VENDOR_OF_MOUNT = {
    "slack": "slack",
    "sendgrid": "sendgrid",
    "statuspage": "statuspage",
    "github": "github",
    "pagerduty": "pagerduty",
    "pagerduty-events": "pagerduty",
    "ntfy": "ntfy",
    "webhook": "webhook",
    "zoom": "zoom",
    "zoom-oauth": "zoom",
    "signoz": "signoz",
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    "grafana": "grafana",
    "ops": "ops_portal",
    "product": "product",
}
VENDORS = tuple(dict.fromkeys(VENDOR_OF_MOUNT.values()))
# Slack, GitHub and the portal's edge tell how long to wait in Retry-After, SendGrid and PagerDuty in headers of their
# own, Statuspage, Zoom and ntfy do not tell.
RATE_LIMITS: dict[str, tuple[int, dict[str, str], dict[str, Any]]] = {
    "slack": (429, {"Retry-After": "{seconds}"}, {"ok": False, "error": "ratelimited"}),
    "sendgrid": (
        429,
        {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "{epoch}"},
        {"errors": [{"message": "too many requests", "field": None, "help": None}]},
    ),
    "statuspage": (429, {}, {"error": "Too many requests. Limit is 60 requests per minute."}),
    "github": (
        403,
        {"Retry-After": "{seconds}"},
        {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."},
    ),
    "pagerduty": (
        429,
        {"ratelimit-limit": "960", "ratelimit-remaining": "0", "ratelimit-reset": "{seconds}"},
        {"error": {"message": "Rate Limit Exceeded", "code": 2020}},
    ),
    "zoom": (429, {}, {"code": 429, "message": "You have reached the maximum per-second rate limit for this API."}),
    "ntfy": (429, {}, {"code": 42901, "http": 429, "error": "limit reached: too many requests"}),
    "ops_portal": (429, {"Retry-After": "{seconds}", "X-RateLimit-Remaining": "0"}, {"error": "rate limit exceeded"}),
}
TRANSPORT = "sandbox.transport"
TIMEOUT_SECONDS = 60.0
LATE_SECONDS = 8.0
_ids = itertools.count(1)


@dataclass
class Fault:
    """One ordered fault.

    `match` is a part of "METHOD /path"; empty matches all of the vendor. It strikes `times` times, null for ever,
    after it has let `skip` matching requests pass.
    `lost_reply` lets the effect happen, then answers `status` or, without one, breaks the connection.
    `late` answers nothing and lets the effect happen `retry_after` seconds (8 without) after the request, whether the
    caller still waits or not.
    `timeout` answers nothing for `retry_after` seconds (60 without), then breaks the connection.
    """

    vendor: str
    kind: Kind
    match: str = ""
    status: int | None = None
    retry_after: float | None = None
    times: int | None = 1
    body: Any = None
    skip: int = 0
    id: int = field(default_factory=lambda: next(_ids))


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self.active: list[Fault] = []
        self._released = asyncio.Event()

    def add(self, order: dict[str, Any]) -> Fault:
        """Takes an order, or raises ValueError with what is wrong with it."""
        if order.get("vendor") not in VENDORS:
            raise ValueError(f"vendor must be one of {', '.join(VENDORS)}")
        if order.get("kind") not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        unknown = set(order) - set(Fault.__dataclass_fields__) | ({"id"} & set(order))
        if unknown:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
        if order["kind"] == "status" and not isinstance(order.get("status"), int):
            raise ValueError("a status fault needs a status")
        fault = Fault(**order)
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        """Ends all faults; requests that hang in one are let go."""
        self.active.clear()
        self._released.set()
        self._released = asyncio.Event()

    def strike(self, vendor: str, request_line: str) -> Fault | None:
        """The oldest fault that matches, one strike used up."""
        for fault in self.active:
            if fault.vendor == vendor and fault.match in request_line:
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.active.remove(fault)
                return fault
        return None

    async def hang(self, seconds: float, receive: Receive | None = None) -> None:
        """Waits until the faults are cleared or the time is over; with `receive`, until the caller hangs up."""
        waits: list[asyncio.Task[Any]] = [asyncio.create_task(self._released.wait())]
        if receive is not None:
            waits.append(asyncio.create_task(_hung_up(receive)))
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def rows(self) -> list[dict[str, Any]]:
        """The faults in force as JSON."""
        return [asdict(fault) for fault in self.active]


class Gate:
    """Stands in front of all vendors: writes each call down and lets the ordered faults strike."""

    def __init__(self, app: ASGIApp, ledger: Ledger, faults: Faults) -> None:
        self.app, self.ledger, self.faults = app, ledger, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        vendor = VENDOR_OF_MOUNT.get(scope["path"].split("/")[1])
        if scope["type"] != "http" or vendor is None:
            await self.app(scope, receive, send)
            return
        exchange = self.ledger.opened(vendor, scope["method"], scope["path"])
        token = current_exchange.set(exchange)
        try:
            fault = self.faults.strike(vendor, f"{scope['method']} {scope['path']}")
            await self._serve(exchange, fault, scope, receive, send)
        finally:
            current_exchange.reset(token)

    async def _serve(self, exchange: Exchange, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> None:
        if fault is None:
            watch = _Watch(send)
            await self.app(scope, receive, watch)
            self.ledger.closed(exchange, watch.status)
            return
        if fault.kind == "timeout":
            await self.faults.hang(fault.retry_after or TIMEOUT_SECONDS, receive)
        if fault.kind == "late":
            receive = await _received(receive)
            await self.faults.hang(fault.retry_after or LATE_SECONDS)
        if fault.kind in ("lost_reply", "late"):
            await self.app(scope, receive, _swallow)
        reply = fault_reply(fault)
        self.ledger.closed(exchange, reply.status_code if reply else 0, fault.kind)
        if reply:
            await reply(scope, receive, send)
        else:
            await _break_connection(scope, receive)


class _Watch:
    """Passes a reply on and remembers its status."""

    def __init__(self, send: Send) -> None:
        self.send, self.status = send, 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self.send(message)


async def _swallow(message: Message) -> None:
    """Takes a reply and keeps it."""


async def _received(receive: Receive) -> Receive:
    """Reads the whole request, and returns what gives it again."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())

    async def again() -> Message:
        return messages.pop(0) if messages else await receive()

    return again


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _break_connection(scope: Scope, receive: Receive) -> None:
    """Cuts the TCP connection. ASGI has no word for that, so sandbox.server puts its transport into the scope."""
    transport = scope.get("extensions", {}).get(TRANSPORT)
    if transport is None:
        raise ConnectionResetError("the sandbox broke the connection, as ordered")
    transport.abort()
    await _hung_up(receive)


def fault_reply(fault: Fault) -> Response | None:
    """What the caller sees, or None for a broken connection."""
    if fault.kind == "rate_limit":
        return _rate_limited(fault)
    if fault.kind in ("timeout", "reset", "late") or fault.status is None:
        return None
    headers = {"Retry-After": _seconds(fault)} if fault.retry_after is not None else {}
    if isinstance(fault.body, dict | list):
        return JSONResponse(fault.body, fault.status, headers)
    return Response(str(fault.body or f"sandbox fault: {fault.status}"), fault.status, headers, media_type="text/plain")


def _seconds(fault: Fault) -> str:
    return str(max(0, round(fault.retry_after if fault.retry_after is not None else 1)))


def _rate_limited(fault: Fault) -> Response:
    """Each vendor says "slow down" in its own way (docs/vendor-notes.md#limits)."""
    status, headers, body = RATE_LIMITS.get(fault.vendor, (429, {"Retry-After": "{seconds}"}, {"error": "slow down"}))
    seconds = _seconds(fault)
    # SendGrid names the epoch second, all others how many seconds to wait.
    words = {"seconds": seconds, "epoch": str(int(time.time()) + int(seconds))}
    filled = {name: value.format(**words) for name, value in headers.items()}
    return JSONResponse(body if fault.body is None else fault.body, fault.status or status, filled)

"""The product to break: two regions that evaluate flags as well as the version deployed on them allows
(docs/vendor-notes.md#product).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import RefusalError, missing, route
from sandbox.state import Credentials, Options, now, timestamp

REGIONS = ("eu", "us")
FIRST_VERSION = "v2.14.0"
GOOD_LATENCY_MS = 4.0
FLAGS: dict[str, tuple[Any, str]] = {
    "new-checkout": (True, "ROLLOUT"),
    "dark-mode": (False, "FALLTHROUGH"),
    "search-backend": ("v2", "TARGETED"),
    "probe": (True, "DEFAULT"),
}
NO_STORE = {"Cache-Control": "no-store"}
AUDIT = [
    {"id": f"audit-{number}", "actor_type": "user", "action": "flag.updated", "resource_id": flag}
    for number, flag in enumerate(FLAGS)
]
PROBES_KEPT = 60


def is_bad(version: str) -> bool:
    """A version is broken when its name says so."""
    return "bad" in version


def is_slow(version: str) -> bool:
    """A version answers well but slowly when its name says so."""
    return "slow" in version


@dataclass
class Region:
    """What really runs in a region, and how the last evaluations went."""

    rollouts: list[tuple[datetime, str]]
    evaluations: int = 0
    probes: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=PROBES_KEPT))

    def version(self, moment: datetime) -> str:
        """The version that ran at that moment; the first one before all history."""
        running = [version for since, version in self.rollouts if since <= moment]
        return running[-1] if running else self.rollouts[0][1]


class Fleet:
    """The running product, region by region. The Ops Portal and GitHub's cd.yml roll versions out to it."""

    def __init__(self) -> None:
        start = now() - timedelta(days=1)
        self.regions = {name: Region([(start, FIRST_VERSION)]) for name in REGIONS}
        self.broken: set[tuple[str, str]] = set()

    def roll_out(self, region: str, version: str, after_seconds: float = 0.0) -> None:
        """From then on the region runs this version. A region the product does not have is ignored."""
        if region in self.regions:
            rollouts = self.regions[region].rollouts
            rollouts.append((now() + timedelta(seconds=after_seconds), version))
            rollouts.sort(key=lambda rollout: rollout[0])

    def version(self, region: str, moment: datetime | None = None) -> str:
        """What runs there now, or ran there then."""
        return self.regions[region].version(moment or now())

    def bad_at(self, region: str, moment: datetime) -> bool:
        """Whether a bad version ran there then."""
        version = self.version(region, moment)
        return is_bad(version) or (region, version) in self.broken

    def bad_now(self, region: str) -> bool:
        """Whether what runs there now is broken: by its name, or because a later one changed the data under it."""
        return self.bad_at(region, now())


class Product:
    """`/product/{region}`: GET /health and POST /v1/evaluate of the FeatureSignals server
    (docs/vendor-notes.md#product).
    """

    def __init__(self, credentials: Credentials, options: Options, fleet: Fleet) -> None:
        self.credentials, self.options, self.fleet = credentials, options, fleet

    def routes(self) -> list[BaseRoute]:
        """The product's routes; the real server has neither /ready nor /metrics."""
        return [
            route("/product/{region}/health", self.health),
            route("/product/{region}/v1/evaluate", self.evaluate, "POST"),
            route("/product/{region}/v1/audit/export", self.audit),
            missing("/product", RefusalError(404, {"error": "not_found", "message": "route not found"})),
        ]

    async def health(self, request: Request) -> Response:
        """A constant 200; a bad version answers 500."""
        if self.fleet.bad_now(self._region(request)):
            raise RefusalError(500, {"error": "internal_error", "message": "internal server error"})
        return JSONResponse({"status": "ok", "service": "featuresignals"})

    async def evaluate(self, request: Request) -> Response:
        """Evaluates a flag. The body is checked before the key; an unknown flag is 200 with NOT_FOUND."""
        started = time.perf_counter()
        region = self._region(request)
        status = 500
        try:
            reply = await self._evaluate(request, region)
            status = reply.status_code
            return reply
        except RefusalError as refusal:
            status = refusal.status
            raise
        finally:
            elapsed = round((time.perf_counter() - started) * 1000, 1)
            self.fleet.regions[region].probes.append({"at": timestamp(), "status": status, "ms": elapsed})

    async def _evaluate(self, request: Request, region: str) -> Response:
        flag_key = await self._checked_flag(request)
        if request.headers.get("x-api-key") != self.credentials.probe_api_key:
            raise RefusalError(401, {"error": "unauthorized", "message": "unauthorized"}, NO_STORE)
        if self.fleet.bad_now(region):
            await self._break(region)
        if is_slow(self.fleet.version(region)):
            await asyncio.sleep(self.options.slow_latency_ms / 1000)
        value, reason = FLAGS.get(flag_key, (None, "NOT_FOUND"))
        return JSONResponse({"flag_key": flag_key, "value": value, "reason": reason}, headers=NO_STORE)

    async def _break(self, region: str) -> None:
        """Most evaluations of a bad version fail slowly: four of five, counted, not drawn."""
        self.fleet.regions[region].evaluations += 1
        if self.fleet.regions[region].evaluations % 5:
            await asyncio.sleep(self.options.bad_latency_ms / 1000)
            raise RefusalError(500, {"error": "internal_error", "message": "ruleset could not be evaluated"}, NO_STORE)

    async def audit(self, request: Request) -> Response:
        """GET /v1/audit/export?format=json: who changed which flag (docs/vendor-notes.md#product)."""
        self._region(request)
        if request.headers.get("authorization") != f"Bearer {self.credentials.product_api_token}":
            raise RefusalError(401, {"error": "unauthorized", "message": "unauthorized"})
        if request.query_params.get("format") != "json":
            raise RefusalError(400, {"error": "bad_request", "message": "the sandbox exports JSON only"})
        limit, offset = (int(request.query_params.get(name, "0")) for name in ("limit", "offset"))
        page = AUDIT[offset : offset + min(limit or 1000, 10_000)]
        return JSONResponse({"entries": page, "total": len(AUDIT), "exported": len(page), "exported_at": timestamp()})

    async def _checked_flag(self, request: Request) -> str:
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise RefusalError(
                415, {"error": "unsupported_media_type", "message": "Content-Type must be application/json"}
            )
        try:
            body = json.loads(await request.body())
        except ValueError:
            raise _bad_request("invalid request body") from None
        if not isinstance(body, dict) or set(body) - {"flag_key", "context"}:
            raise _bad_request("invalid request body")
        context = body.get("context")
        if not body.get("flag_key") or not isinstance(context, dict) or not context.get("key"):
            raise _bad_request("flag_key and context.key are required")
        if set(context) - {"key", "attributes"}:
            raise _bad_request("invalid request body")
        return str(body["flag_key"])

    def _region(self, request: Request) -> str:
        region = str(request.path_params["region"])
        if region not in self.fleet.regions:
            raise RefusalError(404, {"error": "not_found", "message": "no such region in the sandbox"})
        return region

    def snapshot(self) -> dict[str, Any]:
        """The regions as they are now."""
        return {
            name: {
                "version": region.version(now()),
                "bad": self.fleet.bad_now(name),
                "probes": list(region.probes),
            }
            for name, region in self.fleet.regions.items()
        }


def _bad_request(message: str) -> RefusalError:
    return RefusalError(400, {"error": "bad_request", "message": message})

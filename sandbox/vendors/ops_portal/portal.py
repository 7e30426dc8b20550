"""`/ops`: the FeatureSignals Ops Portal behind the global router, with every trap that docs/vendor-notes.md#ops-portal
lists.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import Handler, RefusalError, bounded, json_object, missing, route
from sandbox.state import Credentials, Ledger, Options
from sandbox.vendors.ops_portal.edge import Edge, Sessions
from sandbox.vendors.ops_portal.history import DEFAULT_SERVICES, History
from sandbox.vendors.product import Fleet

ROUTER_VERSION = "v1.5.0"
UPTIME_SECONDS = 864_000
BAD_BODY = RefusalError(400, {"error": "invalid request body"})
Guarded = Callable[[Request, dict[str, Any]], Awaitable[Response]]


class OpsPortal:
    """The portal's JSON API. It records deployments; nothing of it leaves in_progress but canaries."""

    def __init__(self, credentials: Credentials, options: Options, ledger: Ledger, fleet: Fleet) -> None:
        self.ledger, self.fleet = ledger, fleet
        self.edge, self.sessions = Edge(credentials), Sessions(credentials, options)
        self.history = History(fleet, options)

    def routes(self) -> list[BaseRoute]:
        """The portal's routes; the edge itself answers /ops/health and /ops/metrics on every host."""
        api = "/ops/api/v1"
        return [
            route("/ops/ops/health", self.router_health),
            route(api + "/auth/login", self._at_edge(self.login), "POST"),
            route(api + "/auth/refresh", self._at_edge(self.refresh), "POST"),
            route(api + "/auth/logout", self._at_edge(self.logout), "POST"),
            route(api + "/auth/me", self._for("viewer", self.me)),
            route(api + "/clusters", self._for("viewer", self.clusters)),
            route(api + "/clusters/{id}", self._for("viewer", self.cluster)),
            route(api + "/clusters/{id}/health", self._for("viewer", self.cluster_health)),
            route(api + "/clusters/{id}/metrics", self._for("viewer", self.cluster_metrics)),
            route(api + "/clusters/{id}/deployments", self._for("viewer", self.deployments)),
            route(api + "/deployments", self._for("viewer", self.deployments)),
            route(api + "/deployments", self._for("engineer", self.deploy), "POST"),
            route(api + "/deployments/canary", self._for("engineer", self.canary), "POST"),
            route(api + "/deployments/{id}", self._for("viewer", self.deployment)),
            route(api + "/deployments/{id}/rollback", self._for("engineer", self.rollback), "POST"),
            route(api + "/deployments/{id}/approve-canary", self._for("admin", self.approve_canary), "POST"),
            route(api + "/deployments/{id}/reject-canary", self._for("admin", self.reject_canary), "POST"),
            missing("/ops/api", RefusalError(404, {"error": "route not found"})),
            route("/ops/{path:path}", self.not_found_page),
        ]

    def _at_edge(self, handler: Handler) -> Handler:
        async def admitted(request: Request) -> Response:
            await self.edge.admit(request)
            return await handler(request)

        return admitted

    def _for(self, role: str, handler: Guarded) -> Handler:
        async def allowed(request: Request) -> Response:
            await self.edge.admit(request)
            return await handler(request, self.sessions.require(request, role))

        return allowed

    async def router_health(self, request: Request) -> Response:
        """The router's own health, without auth: 503 when degraded, its version a constant."""
        bad = [name for name in self.fleet.regions if self.fleet.bad_now(name)]
        services = {f"api.{name}.featuresignals.com": "down" if name in bad else "ok" for name in self.fleet.regions}
        circuits = {domain: "open" if status == "down" else "closed" for domain, status in services.items()}
        status = {"status": "degraded" if bad else "ok", "cluster": "eu-001", "version": ROUTER_VERSION}
        reply = {**status, "uptime": UPTIME_SECONDS, "services": services, "circuits": circuits}
        return JSONResponse(reply, 503 if bad else 200)

    async def not_found_page(self, request: Request) -> Response:
        """An unknown non-API path: the 404 page, rendered with HTTP 200 [run]."""
        await self.edge.admit(request)
        return HTMLResponse("<!doctype html><title>Ops Portal</title><h1>404 - page not found</h1>")

    async def login(self, request: Request) -> Response:
        """POST /auth/login: tokens come only as cookies."""
        return self.sessions.login(await json_object(request, BAD_BODY))

    async def refresh(self, request: Request) -> Response:
        """POST /auth/refresh: rotates the refresh cookie."""
        return self.sessions.refresh(request)

    async def logout(self, request: Request) -> Response:
        """POST /auth/logout: says so, and revokes nothing."""
        return JSONResponse({"message": "logged out"})

    async def me(self, request: Request, claims: dict[str, Any]) -> Response:
        """GET /auth/me."""
        return JSONResponse(
            {"id": claims["user_id"], "email": claims["email"], "name": claims["name"], "role": claims["role"]}
        )

    async def clusters(self, request: Request, claims: dict[str, Any]) -> Response:
        """GET /clusters: a bare array."""
        return JSONResponse([cluster.row() for cluster in self.history.clusters.values()])

    async def cluster(self, request: Request, claims: dict[str, Any]) -> Response:
        """GET /clusters/{id}: leaks api_token to any role."""
        cluster = self.history.cluster(request.path_params["id"])
        return JSONResponse(cluster.row() | {"api_token": "sandbox-cluster-api-token"})

    async def cluster_health(self, request: Request, claims: dict[str, Any]) -> Response:
        """GET /clusters/{id}/health: always 200; a cluster that is down shows in the body only."""
        cluster = self.history.cluster(request.path_params["id"])
        if not self.fleet.bad_now(cluster.region):
            services = dict.fromkeys(DEFAULT_SERVICES, "ok")
            good = {"status": "ok", "cluster": cluster.name, "version": ROUTER_VERSION, "uptime": UPTIME_SECONDS}
            return JSONResponse(good | {"services": services})
        quoted = json.dumps({"status": "degraded", "cluster": cluster.name, "version": ROUTER_VERSION})
        error = f"cluster returned status 503: {quoted}"
        bad = {"status": "error", "cluster": cluster.name, "version": cluster.version, "error": error}
        return JSONResponse(bad | {"services": {}})

    async def cluster_metrics(self, request: Request, claims: dict[str, Any]) -> Response:
        """GET /clusters/{id}/metrics: always 503, as against the real router, whose metrics are no JSON [run]."""
        self.history.cluster(request.path_params["id"])
        raise RefusalError(503, {"error": "cluster unreachable"})

    async def deployments(self, request: Request, claims: dict[str, Any]) -> Response:
        """GET /deployments and /clusters/{id}/deployments: newest first, limit capped at 100, bad values ignored,
        an unknown cluster an empty list.
        """
        limit = bounded(request.query_params.get("limit"), 50, 100)
        offset = bounded(request.query_params.get("offset"), 0, 1_000_000, 0)
        rows = self.history.newest_first(request.path_params.get("id"))
        data = [row.row() for row in rows[offset : offset + limit]]
        return JSONResponse({"data": data, "total": len(rows), "limit": limit, "offset": offset})

    async def deployment(self, request: Request, claims: dict[str, Any]) -> Response:
        """GET /deployments/{id}."""
        return JSONResponse(self.history.deployment(request.path_params["id"]).row())

    async def deploy(self, request: Request, claims: dict[str, Any]) -> Response:
        """POST /deployments: 201, in_progress, for ever."""
        body = await self._body(request, "cluster_id", "version", "services")
        cluster_id, version = self._needed(body, "cluster_id"), self._needed(body, "version")
        cluster = self.history.cluster(cluster_id)
        services = body.get("services") or DEFAULT_SERVICES
        row = self.history.add(cluster, version, "in_progress", services, claims["user_id"])
        self.ledger.record("ops_portal", "deployment.create", {"cluster": cluster.name, **row.row()})
        return JSONResponse(row.row(fresh=True), 201)

    async def rollback(self, request: Request, claims: dict[str, Any]) -> Response:
        """POST /deployments/{id}/rollback: see History.roll_back. An empty body is refused."""
        if not await request.body():
            raise BAD_BODY
        body = await self._body(request, "cluster_id")
        cluster_id = self._needed(body, "cluster_id")
        row = self.history.roll_back(request.path_params["id"], cluster_id, claims["user_id"])
        cluster = self.history.cluster(cluster_id)
        self.ledger.record("ops_portal", "deployment.rollback", {"cluster": cluster.name, **row.row()})
        return JSONResponse(row.row(fresh=True), 201)

    async def canary(self, request: Request, claims: dict[str, Any]) -> Response:
        """POST /deployments/canary: a row in status canary."""
        body = await self._body(request, "version", "services", "canary_cluster_id", "target_cluster_ids")
        version, cluster = self._needed(body, "version"), self.history.cluster(self._needed(body, "canary_cluster_id"))
        row = self.history.add(cluster, version, "canary", body.get("services") or DEFAULT_SERVICES, claims["user_id"])
        self.ledger.record("ops_portal", "deployment.canary", {"cluster": cluster.name, **row.row()})
        url = f"/api/v1/deployments/{row.id}/approve-canary"
        targets = body.get("target_cluster_ids")
        return JSONResponse({"deployment": row.row(fresh=True), "approval_url": url, "target_clusters": targets}, 201)

    async def approve_canary(self, request: Request, claims: dict[str, Any]) -> Response:
        """POST /deployments/{id}/approve-canary: success; the target clusters get nothing."""
        return self._judge_canary(request, "success", "approved")

    async def reject_canary(self, request: Request, claims: dict[str, Any]) -> Response:
        """POST /deployments/{id}/reject-canary: failed."""
        return self._judge_canary(request, "failed", "rejected")

    def _judge_canary(self, request: Request, status: str, verdict: str) -> Response:
        row = self.history.deployment(request.path_params["id"])
        if row.status != "canary":
            raise RefusalError(422, {"error": "deployment is not in canary status"})
        row.status = status
        self.ledger.record("ops_portal", f"deployment.canary_{verdict}", {"id": row.id, "version": row.version})
        return JSONResponse({"status": verdict, "deployment_id": row.id})

    async def _body(self, request: Request, *known: str) -> dict[str, Any]:
        """The JSON body; Go's decoder refuses unknown fields."""
        body = await json_object(request, BAD_BODY)
        if set(body) - set(known):
            raise BAD_BODY
        return body

    @staticmethod
    def _needed(body: dict[str, Any], name: str) -> str:
        if not body.get(name):
            raise RefusalError(422, {"error": f"{name} is required"})
        return str(body[name])

    def snapshot(self) -> dict[str, Any]:
        """Clusters and all deployment rows, newest first."""
        names = {cluster.id: cluster.name for cluster in self.history.clusters.values()}
        rows = [row.row() | {"cluster": names[row.cluster_id]} for row in self.history.newest_first()]
        return {"clusters": [cluster.row() for cluster in self.history.clusters.values()], "deployments": rows}

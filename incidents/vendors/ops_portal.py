"""The FeatureSignals Ops Portal: clusters, their health, deployments and rollbacks.

Rules of the portal, read from its source: tokens come only as cookies and last an hour; the edge in front of it wants
its own `Authorization: Bearer`, so the portal's token travels in the `jwt` cookie, and in a header that we set, because
a `Secure` cookie would not come back over http. There is no idempotency: after a lost reply look into `deployments` for
a row with that `rollback_from` (or version) before repeating.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from incidents.vendors.access.access import Access
from incidents.vendors.errors import VendorUnauthorized
from incidents.vendors.http import VendorHttp, one_line

T = TypeVar("T")
PAGE = 100
DEPLOYERS = ("engineer", "admin", "owner")
"""Roles that may deploy and roll back."""


@dataclass(frozen=True)
class Cluster:
    """A cluster, without the token that the portal includes for every reader."""

    id: str
    name: str
    region: str
    status: str
    version: str
    public_ip: str

    @property
    def is_online(self) -> bool:
        """Whether the portal last saw it well; its dashboard writes "ok" where its prober writes "online"."""
        return self.status in ("online", "ok")


@dataclass(frozen=True)
class ClusterHealth:
    """What the cluster answered to the portal.

    `version` is None when it did not answer well, since the portal then returns a guess. The real router reports a
    constant version, so do not hold it against a deployed one.
    """

    ok: bool
    status: str
    version: str | None
    services: Mapping[str, str]
    error: str


@dataclass(frozen=True)
class Deployment:
    """A row of the history. `rollback_from` is the version, not the id, that a rollback replaced; "" for others.

    `labels` are read if the portal returns any; today it does not.
    """

    id: str
    cluster_id: str
    version: str
    status: str
    services: tuple[str, ...]
    triggered_by: str
    started_at: datetime
    completed_at: datetime | None
    rollback_from: str
    labels: tuple[str, ...] = ()


class OpsPortalClient:
    """The portal as one of its users (role engineer), logged in when needed."""

    def __init__(
        self,
        base_url: str,
        email: str,
        password: str,
        edge_token: str = "",
        timeout: float = 15,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = VendorHttp(
            "ops_portal",
            base_url.rstrip("/").removesuffix("/api/v1") + "/api/v1",
            timeout=timeout,
            headers={"Authorization": f"Bearer {edge_token}"} if edge_token else None,
            secrets=[password, edge_token],
            transport=transport,
        )
        self._account = {"email": email, "password": password}
        self._lock = threading.Lock()
        self._jwt = ""

    def check_access(self) -> Access:
        """Log in, and read which role the account has: an engineer may deploy."""
        email, role = self._fetch("me", "GET", "/auth/me", lambda body: (str(body["email"]), str(body["role"])))
        return Access(f"{email} ({role})", () if role in DEPLOYERS else ("role engineer",))

    def login(self) -> None:
        """Log in again. The other methods do so when needed."""
        with self._lock:
            self._login()

    def clusters(self) -> tuple[Cluster, ...]:
        """All clusters, newest first."""
        return self._fetch("clusters", "GET", "/clusters", lambda rows: tuple(_cluster(row) for row in rows))

    def cluster(self, name_or_id: str) -> Cluster | None:
        """The cluster of this name or id. Read from the list, which unlike the single cluster contains no token."""
        return next((found for found in self.clusters() if name_or_id in (found.id, found.name)), None)

    def cluster_health(self, cluster_id: str) -> ClusterHealth:
        """The cluster's health by the body's word: the portal answers 200 for a dead cluster too."""
        return self._fetch("cluster_health", "GET", f"/clusters/{quote(cluster_id, safe='')}/health", _health)

    def deployments(self, cluster_id: str) -> Iterator[Deployment]:
        """The cluster's history, newest first, page by page as far as it is read."""
        path, offset, seen = f"/clusters/{quote(cluster_id, safe='')}/deployments", 0, set[str]()
        while True:
            params = {"limit": PAGE, "offset": offset}
            rows, total = self._fetch("deployments", "GET", path, _history, params=params)
            # A deployment made meanwhile shifts the pages, so that a row comes twice.
            yield from (row for row in rows if row.id not in seen)
            seen.update(row.id for row in rows)
            offset += len(rows)
            if not rows or offset >= total:
                return

    def deployment(self, deployment_id: str) -> Deployment:
        """One row. The portal itself never moves one from `in_progress` to `success`: do not wait for it alone."""
        return self._fetch("deployment", "GET", f"/deployments/{quote(deployment_id, safe='')}", _deployment)

    def deploy(self, cluster_id: str, version: str, services: Sequence[str] = ()) -> Deployment:
        """Deploy this very version; no services means the portal's default. Repeated, it deploys again."""
        body: dict[str, Any] = {"cluster_id": cluster_id, "version": version}
        if services:
            body["services"] = list(services)
        return self._fetch("deploy", "POST", "/deployments", _deployment, json=body)

    def rollback(self, deployment_id: str, cluster_id: str) -> Deployment:
        """Roll back to what the portal considers the previous version, and return the new row.

        It looks at the cluster's two newest rows only, and for a row that is itself a rollback it rolls forward: when
        the good version is known, `deploy` it instead. `VendorRejected` if it finds nothing to roll back to, also when
        repeated while the first rollback is in progress.
        """
        path = f"/deployments/{quote(deployment_id, safe='')}/rollback"
        return self._fetch("rollback", "POST", path, _deployment, json={"cluster_id": cluster_id})

    def _fetch(self, operation: str, method: str, path: str, parse: Callable[[Any], T], **request: Any) -> T:
        """The call with the session's cookie; after a 401 once more with a new session. Nothing was done at a 401."""
        jwt = self._session()
        try:
            return self._http.fetch(operation, method, path, parse, headers=_cookie(jwt), **request)
        except VendorUnauthorized as error:
            if error.status != 401:
                raise
        jwt = self._session(refused=jwt)
        return self._http.fetch(operation, method, path, parse, headers=_cookie(jwt), **request)

    def _session(self, refused: str = "") -> str:
        with self._lock:
            if not self._jwt or self._jwt == refused:
                self._login()
            return self._jwt

    def _login(self) -> None:
        answer = self._http.call("login", "POST", "/auth/login", writes=False, json=self._account)
        self._jwt = _jwt(answer.headers.get_list("set-cookie"))
        if not self._jwt:
            # A gate's own log-in page may well answer 200.
            raise VendorUnauthorized("ops_portal", "login", "no session in the answer", status=answer.status_code)
        self._http.hide(self._jwt)


def _cookie(jwt: str) -> dict[str, str]:
    return {"Cookie": f"jwt={jwt}"}


def _jwt(set_cookies: Sequence[str]) -> str:
    for line in set_cookies:
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(line)
        except CookieError:
            continue
        if "jwt" in cookies:
            return cookies["jwt"].value
    return ""


def _cluster(row: dict[str, Any]) -> Cluster:
    return Cluster(
        id=str(row["id"]),
        name=str(row["name"]),
        region=str(row.get("region", "")),
        status=str(row.get("status", "")),
        version=str(row.get("version", "")),
        public_ip=str(row.get("public_ip", "")),
    )


def _health(body: dict[str, Any]) -> ClusterHealth:
    ok = body["status"] == "ok"
    return ClusterHealth(
        ok=ok,
        status=str(body["status"]),
        version=str(body.get("version", "")) if ok else None,
        services={str(name): str(word) for name, word in (body.get("services") or {}).items()},
        error=one_line(str(body.get("error") or "")),
    )


def _history(page: dict[str, Any]) -> tuple[list[Deployment], int]:
    return [_deployment(row) for row in page["data"] or ()], int(page["total"])


def _deployment(row: dict[str, Any]) -> Deployment:
    completed = row.get("completed_at")
    return Deployment(
        id=str(row["id"]),
        cluster_id=str(row["cluster_id"]),
        version=str(row["version"]),
        status=str(row["status"]),
        services=tuple(str(service) for service in row.get("services") or ()),
        triggered_by=str(row.get("triggered_by", "")),
        started_at=datetime.fromisoformat(row["started_at"]),
        completed_at=datetime.fromisoformat(completed) if completed else None,
        rollback_from=str(row.get("rollback_from") or ""),
        labels=tuple(str(label) for label in row.get("labels") or ()),
    )

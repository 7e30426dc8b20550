"""The Ops Portal: its session, and what its answers really mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from incidents.vendors.errors import (
    VendorNotFound,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from incidents.vendors.ops_portal import Cluster, OpsPortalClient

PASSWORD, EDGE = "portal-secret", "edge-secret"
COOKIES = [
    ("Set-Cookie", "refresh_token=refresh-1; Path=/; Max-Age=604800; HttpOnly; Secure; SameSite=Lax"),
    ("Set-Cookie", "jwt=jwt-1.a.b; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"),
]
USER = {"user": {"id": "u1", "email": "bot@x.example", "name": "Bot", "role": "engineer"}}
CLUSTER = {
    "id": "c1",
    "name": "eu-001",
    "region": "eu",
    "status": "ok",
    "version": "v2",
    "public_ip": "203.0.113.1",
    "api_token": "cluster-secret",
}


@pytest.fixture
def portal(script: Any) -> OpsPortalClient:
    return OpsPortalClient("https://ops.example", "bot@x.example", PASSWORD, EDGE, transport=script.transport)


def login(script: Any, jwt: str = "jwt-1.a.b") -> Any:
    return script.answer(200, USER, [(name, value.replace("jwt-1.a.b", jwt)) for name, value in COOKIES])


def deployment(deployment_id: str = "d1", **more: Any) -> dict[str, Any]:
    return {
        "id": deployment_id,
        "cluster_id": "c1",
        "version": "v1",
        "status": "success",
        "services": ["server"],
        "triggered_by": "u1",
        "started_at": "2026-05-01T12:00:00.123456789Z",
        **more,
    }


def test_the_session_travels_in_the_cookie_beside_the_edges_token(portal: OpsPortalClient, script: Any) -> None:
    login(script).answer(200, [CLUSTER])
    portal.clusters()
    portal.clusters()
    asked, first, second = script.asked
    assert (asked.method, asked.path) == ("POST", "/api/v1/auth/login")
    assert asked.json == {"email": "bot@x.example", "password": PASSWORD}
    assert (first.method, first.path) == ("GET", "/api/v1/clusters")
    assert first.headers["cookie"] == second.headers["cookie"] == "jwt=jwt-1.a.b"
    assert {each.headers["authorization"] for each in script.asked} == {f"Bearer {EDGE}"}


def test_without_an_edge(script: Any) -> None:
    login(script).answer(200, [])
    OpsPortalClient("http://x.example/api/v1/", "a", "b", transport=script.transport).clusters()
    assert "authorization" not in script.last.headers
    assert script.last.path == "/api/v1/clusters"


def test_an_expired_session_is_renewed_once(portal: OpsPortalClient, script: Any) -> None:
    login(script).answer(401, '{"error":"token_expired"}')
    login(script, "jwt-2").answer(200, [CLUSTER])
    assert len(portal.clusters()) == 1
    assert script.last.headers["cookie"] == "jwt=jwt-2"


def test_a_session_refused_again_is_an_error(portal: OpsPortalClient, script: Any) -> None:
    login(script).answer(401, {"error": "token_expired"})
    login(script, "jwt-2").answer(401, {"error": "invalid token jwt-2"})
    with pytest.raises(VendorUnauthorized) as caught:
        portal.clusters()
    assert len(script.asked) == 4
    assert "jwt-2" not in str(caught.value)


@pytest.mark.parametrize("error", ["invalid email or password", "ops authentication not configured"])
def test_bad_credentials(portal: OpsPortalClient, script: Any, error: str) -> None:
    script.answer(401, {"error": f"{error} {PASSWORD} {EDGE}"})
    with pytest.raises(VendorUnauthorized) as caught:
        portal.clusters()
    assert len(script.asked) == 1
    assert str(caught.value) == f"ops_portal login: 401 {error} *** ***"


def test_a_log_in_page_is_no_success(portal: OpsPortalClient, script: Any) -> None:
    script.answer(200, "<html>Sign in</html>")
    with pytest.raises(VendorUnauthorized, match="no session"):
        portal.clusters()


def test_a_page_or_a_redirect_in_place_of_an_answer(portal: OpsPortalClient, script: Any) -> None:
    login(script).answer(200, "<html>Page not found</html>").answer(302, "", {"Location": "/login"})
    with pytest.raises(VendorUnavailable):
        portal.clusters()
    with pytest.raises(VendorUnauthorized):
        portal.clusters()


def test_clusters_never_hold_the_token(portal: OpsPortalClient, script: Any) -> None:
    login(script).answer(200, [CLUSTER, {**CLUSTER, "id": "c2", "name": "us-001", "status": "offline"}])
    found = portal.cluster("eu-001")
    assert found == Cluster("c1", "eu-001", "eu", "ok", "v2", "203.0.113.1")
    assert found.is_online
    assert "cluster-secret" not in repr(found)
    other = portal.cluster("c2")
    assert other is not None
    assert not other.is_online
    assert portal.cluster("nowhere") is None


def test_health_goes_by_the_body(portal: OpsPortalClient, script: Any) -> None:
    good = {"status": "ok", "cluster": "eu", "version": "v1.5.0", "uptime": 5, "services": {"server": "ok"}}
    bad = {"status": "error", "cluster": "eu", "version": "guess", "error": "connection refused", "services": {}}
    login(script).answer(200, good).answer(200, bad)
    health = portal.cluster_health("c1")
    assert (health.ok, health.version, health.services) == (True, "v1.5.0", {"server": "ok"})
    assert script.last.path == "/api/v1/clusters/c1/health"
    health = portal.cluster_health("c1")
    assert (health.ok, health.version, health.error) == (False, None, "connection refused")


def test_history_is_read_page_by_page(portal: OpsPortalClient, script: Any) -> None:
    first = [deployment(f"d{n}") for n in range(100)]
    login(script).answer(200, {"data": first, "total": 102, "limit": 100, "offset": 0})
    # A deployment made meanwhile pushes d99 onto the second page.
    second = [deployment("d99"), deployment("d100")]
    script.answer(200, {"data": second, "total": 102, "limit": 100, "offset": 100})
    rows = portal.deployments("c1")
    newest = next(rows)
    assert len(script.asked) == 2, "the second page is not read before it is needed"
    assert newest.started_at == datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert (newest.completed_at, newest.rollback_from, newest.services) == (None, "", ("server",))
    assert [row.id for row in rows] == [f"d{n}" for n in range(1, 101)]
    assert [asked.query.get("offset") for asked in script.asked[1:]] == [["0"], ["100"]]
    assert script.last.path == "/api/v1/clusters/c1/deployments"


def test_history_of_nothing(portal: OpsPortalClient, script: Any) -> None:
    login(script).answer(200, {"data": None, "total": 0, "limit": 100, "offset": 0})
    assert list(portal.deployments("c1")) == []


def test_deploy_and_rollback(portal: OpsPortalClient, script: Any) -> None:
    login(script).answer(201, deployment("d2", status="in_progress"))
    script.answer(201, deployment("d3", rollback_from="v2", completed_at="2026-05-01T12:05:00Z"))
    assert portal.deploy("c1", "v1", ["server"]).id == "d2"
    assert (script.last.method, script.last.path) == ("POST", "/api/v1/deployments")
    assert script.last.json == {"cluster_id": "c1", "version": "v1", "services": ["server"]}
    made = portal.rollback("d1", "c1")
    assert (made.rollback_from, made.completed_at) == ("v2", datetime(2026, 5, 1, 12, 5, tzinfo=UTC))
    assert (script.last.path, script.last.json) == ("/api/v1/deployments/d1/rollback", {"cluster_id": "c1"})


def test_refusals(portal: OpsPortalClient, script: Any) -> None:
    login(script).answer(422, {"error": "no previous successful deployment found to roll back to"})
    script.answer(404, {"error": "deployment not found"}).answer(403, {"error": "insufficient permissions"})
    script.answer(403, "request blocked")
    with pytest.raises(VendorRejected, match="no previous successful"):
        portal.rollback("d1", "c1")
    with pytest.raises(VendorNotFound):
        portal.deployment("d1")
    with pytest.raises(VendorUnauthorized):
        portal.deploy("c1", "v1")
    with pytest.raises(VendorRejected) as filtered:
        portal.deploy("c1", "v1")
    assert type(filtered.value) is VendorRejected


def test_a_lost_reply_may_be_done(portal: OpsPortalClient, script: Any) -> None:
    login(script).fail(httpx.ReadError("reset")).answer(500, {"error": "internal error"})
    for _ in range(2):
        with pytest.raises(VendorUnavailable) as caught:
            portal.deploy("c1", "v1")
        assert caught.value.maybe_done


def test_a_failed_log_in_has_done_nothing(portal: OpsPortalClient, script: Any) -> None:
    script.answer(503, {"error": "x"})
    with pytest.raises(VendorUnavailable) as caught:
        portal.deploy("c1", "v1")
    assert not caught.value.maybe_done

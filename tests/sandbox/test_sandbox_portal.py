from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from sandbox.server import RunningSandbox

API = "/ops/api/v1"
GOOD, BAD = "v2.14.0", "v2.15.0-bad"


@pytest.fixture
def portal(sandbox: RunningSandbox, http: httpx.Client) -> Portal:
    return Portal(sandbox, http)


class Portal:
    """A caller who has logged in through the edge."""

    def __init__(self, sandbox: RunningSandbox, http: httpx.Client) -> None:
        self.env, self.http = sandbox.environment(), http
        self.edge = {"Authorization": f"Bearer {self.env['OPS_PORTAL_EDGE_TOKEN']}"}
        self.login(self.env["OPS_PORTAL_EMAIL"])

    def login(self, email: str) -> httpx.Response:
        self.http.cookies.clear()
        body = {"email": email, "password": self.env["OPS_PORTAL_PASSWORD"]}
        return self.http.post(f"{API}/auth/login", headers=self.edge, json=body)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(API + path, headers=self.edge, params=query)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return self.http.post(API + path, headers=self.edge, json=body)

    def cluster(self, name: str = "eu-001") -> dict[str, Any]:
        rows: list[dict[str, Any]] = self.get("/clusters").json()
        return next(row for row in rows if row["name"] == name)

    def deploy(self, version: str) -> dict[str, Any]:
        row: dict[str, Any] = self.post("/deployments", {"cluster_id": self.cluster()["id"], "version": version}).json()
        return row

    def rollback(self, deployment: str) -> httpx.Response:
        return self.post(f"/deployments/{deployment}/rollback", {"cluster_id": self.cluster()["id"]})

    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.get(f"/clusters/{self.cluster()['id']}/deployments").json()["data"]
        return rows


def test_tokens_come_only_as_cookies(portal: Portal) -> None:
    reply = portal.login(portal.env["OPS_PORTAL_EMAIL"])
    assert set(reply.json()) == {"user"}
    assert reply.json()["user"]["role"] == "engineer"
    cookies = reply.headers.get_list("set-cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == ["jwt", "refresh_token"]
    assert "HttpOnly" in cookies[0]
    assert "Max-Age=3600" in cookies[0]
    assert portal.get("/auth/me").json()["email"] == portal.env["OPS_PORTAL_EMAIL"]


def test_secure_cookies_do_not_come_back_over_plain_http(sandbox: RunningSandbox, portal: Portal) -> None:
    sandbox.options(secure_cookies=True)
    assert portal.login(portal.env["OPS_PORTAL_EMAIL"]).status_code == 200
    assert portal.get("/auth/me").status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"email": "x@y.z", "password": "wrong"}, 401, "invalid email or password"),
        ({"email": "x@y.z"}, 400, "email and password are required"),
        ({"email": "x@y.z", "password": "p", "remember": True}, 400, "invalid request body"),
    ],
)
def test_a_wrong_login_is_refused(portal: Portal, body: dict[str, Any], status: int, error: str) -> None:
    reply = portal.post("/auth/login", body)
    assert (reply.status_code, reply.json()) == (status, {"error": error})


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (None, "missing Authorization header"),
        ("Basic x", "invalid Authorization header format, expected Bearer token"),
        ("Bearer", "empty bearer token"),
        ("Bearer wrong", "unauthorized"),
    ],
)
def test_the_edge_wants_its_own_bearer(portal: Portal, header: str | None, error: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    reply = portal.http.get(f"{API}/clusters", headers=headers)
    assert (reply.status_code, reply.json()) == (401, {"error": error})


def test_behind_the_edge_the_jwt_must_travel_in_the_cookie(portal: Portal) -> None:
    portal.http.cookies.clear()
    refused = portal.get("/clusters")
    # JSON text, but sent as text/plain [run].
    assert refused.status_code == 401
    assert refused.headers["content-type"].startswith("text/plain")
    assert json.loads(refused.text) == {"error": "invalid or expired token"}


def test_an_expired_token_is_refused(sandbox: RunningSandbox, portal: Portal) -> None:
    sandbox.options(portal_token_seconds=-1)
    token = portal.login(portal.env["OPS_PORTAL_EMAIL"]).headers.get_list("set-cookie")[0].split(";")[0][4:]
    reply = portal.http.get(f"{API}/clusters", headers=portal.edge | {"Cookie": f"jwt={token}"})
    assert (reply.status_code, json.loads(reply.text)) == (401, {"error": "token_expired"})


def test_logout_revokes_nothing_and_a_refresh_token_opens_doors(portal: Portal) -> None:
    access, refresh = portal.http.cookies["jwt"], portal.http.cookies["refresh_token"]
    assert portal.post("/auth/logout").json() == {"message": "logged out"}
    portal.http.cookies.clear()
    for token in (access, refresh):
        reply = portal.http.get(f"{API}/clusters", headers=portal.edge | {"Cookie": f"jwt={token}"})
        assert reply.status_code == 200


def test_a_refresh_token_is_used_once(portal: Portal) -> None:
    used = portal.http.cookies["refresh_token"]
    assert portal.post("/auth/refresh").status_code == 200
    assert portal.http.cookies["refresh_token"] != used
    portal.http.cookies.clear()
    again = portal.http.post(f"{API}/auth/refresh", headers=portal.edge | {"Cookie": f"refresh_token={used}"})
    assert (again.status_code, again.json()) == (401, {"error": "refresh token has been revoked"})
    assert portal.post("/auth/refresh").json() == {"error": "refresh token required"}


def test_a_viewer_may_read_and_not_roll_back(portal: Portal) -> None:
    row = portal.deploy(BAD)
    portal.login("viewer@featuresignals.com")
    assert portal.get("/deployments").status_code == 200
    refused = portal.rollback(row["id"])
    assert (refused.status_code, refused.json()) == (403, {"error": "insufficient permissions"})


@pytest.mark.parametrize(
    ("version", "blocked"),
    [("please update rolled back from v2", True), ("<script>", True), ("../../etc", True), ("v2.15.0", False)],
)
def test_the_waf_reads_prose_as_sql(sandbox: RunningSandbox, portal: Portal, version: str, blocked: bool) -> None:
    cluster = portal.cluster()["id"]
    reply = portal.post("/deployments", {"cluster_id": cluster, "version": version})
    assert reply.status_code == (403 if blocked else 201)
    assert bool(sandbox.ledger("ops_portal")) is not blocked


def test_a_deployment_stays_in_progress_and_changes_the_cluster(sandbox: RunningSandbox, portal: Portal) -> None:
    row = portal.deploy(BAD)
    assert row["status"] == "in_progress"
    assert row["services"] == ["server", "dashboard", "router"]
    read = portal.get(f"/deployments/{row['id']}").json()
    assert (read["status"], "completed_at" in read) == ("in_progress", False)
    # A creation answers nanoseconds, a read microseconds.
    assert len(row["started_at"]) == len(read["started_at"]) + 3
    assert portal.cluster()["version"] == BAD
    assert [entry["operation"] for entry in sandbox.ledger("ops_portal")] == ["deployment.create"]


def test_a_rollback_redeploys_the_newest_earlier_success(sandbox: RunningSandbox, portal: Portal) -> None:
    bad = portal.deploy(BAD)
    reply = portal.rollback(bad["id"])
    assert reply.status_code == 201
    row = reply.json()
    assert (row["version"], row["status"], row["rollback_from"]) == (GOOD, "in_progress", BAD)
    assert row["id"] != bad["id"]
    assert portal.get(f"/deployments/{bad['id']}").json()["status"] == "in_progress"
    assert sandbox.state()["product"]["eu"]["version"] == GOOD
    assert sandbox.ledger("ops_portal")[-1]["operation"] == "deployment.rollback"


def test_a_repeated_rollback_is_refused_while_the_first_fills_the_window(portal: Portal) -> None:
    bad = portal.deploy(BAD)
    portal.rollback(bad["id"])
    again = portal.rollback(bad["id"])
    assert again.status_code == 422
    assert again.json() == {"error": "no previous successful deployment found to roll back to"}
    assert [row.get("rollback_from") for row in portal.rows()][:2] == [BAD, None]


def test_a_row_below_the_bad_one_that_is_no_success_hides_older_good_ones(
    sandbox: RunningSandbox, portal: Portal
) -> None:
    sandbox.history(
        "eu",
        {"version": "v1", "status": "success"},
        {"version": "v2", "status": "failed"},
        {"version": "v3", "status": "success"},
    )
    newest = portal.rows()[0]
    assert portal.rollback(newest["id"]).status_code == 422


def test_rolling_back_a_rollback_rolls_forward_to_the_bad_version(sandbox: RunningSandbox, portal: Portal) -> None:
    sandbox.history(
        "eu",
        {"version": BAD, "status": "success"},
        {"version": GOOD, "status": "success", "rollback_from": BAD},
    )
    forward = portal.rollback(portal.rows()[0]["id"])
    assert (forward.status_code, forward.json()["version"]) == (201, BAD)


def test_rolling_back_an_older_row_picks_a_newer_version(sandbox: RunningSandbox, portal: Portal) -> None:
    sandbox.history(
        "eu",
        {"version": GOOD, "status": "success"},
        {"version": "v3", "status": "failed"},
        {"version": BAD, "status": "success"},
    )
    assert portal.rollback(portal.rows()[-1]["id"]).json()["version"] == BAD


def test_a_rollback_uses_the_history_of_the_bodys_cluster(portal: Portal) -> None:
    bad, other = portal.deploy(BAD), portal.cluster("us-001")
    row = portal.post(f"/deployments/{bad['id']}/rollback", {"cluster_id": other["id"]}).json()
    assert (row["cluster_id"], row["version"], row["rollback_from"]) == (other["id"], GOOD, BAD)


def test_wrong_rollbacks_are_refused(portal: Portal) -> None:
    row, cluster = portal.deploy(BAD), portal.cluster()["id"]
    path = f"/deployments/{row['id']}/rollback"
    assert portal.post(path).status_code == 400
    assert portal.post(path, {"cluster_id": cluster, "reason": "x"}).status_code == 400
    assert portal.post(path, {"cluster_id": ""}).json() == {"error": "cluster_id is required"}
    unknown = portal.post("/deployments/nosuch/rollback", {"cluster_id": cluster})
    assert (unknown.status_code, unknown.json()) == (404, {"error": "deployment not found"})


def test_wrong_deployments_are_refused(portal: Portal) -> None:
    cluster = portal.cluster()["id"]
    assert portal.post("/deployments", {"version": "v1"}).json() == {"error": "cluster_id is required"}
    assert portal.post("/deployments", {"cluster_id": cluster}).json() == {"error": "version is required"}
    assert portal.post("/deployments", {"cluster_id": "nosuch", "version": "v1"}).status_code == 404
    assert portal.get("/deployments/nosuch").status_code == 404
    assert portal.get("/nosuch").json() == {"error": "route not found"}


def test_lists_are_capped_and_forgiving(portal: Portal) -> None:
    page = portal.get("/deployments", limit=500, offset="many").json()
    assert (page["limit"], page["offset"], page["total"]) == (100, 0, 8)
    assert [row["version"] for row in portal.get("/deployments", limit=1).json()["data"]] == [GOOD]
    assert portal.get("/clusters/nosuch/deployments").json()["data"] == []
    assert portal.get("/deployments/").json()["total"] == 8


def test_a_cluster_that_is_down_answers_200(portal: Portal) -> None:
    cluster = portal.cluster()["id"]
    good = portal.get(f"/clusters/{cluster}/health")
    assert (good.status_code, good.json()["status"]) == (200, "ok")
    portal.deploy(BAD)
    bad = portal.get(f"/clusters/{cluster}/health")
    assert (bad.status_code, bad.json()["status"], bad.json()["services"]) == (200, "error", {})
    assert bad.json()["version"] == BAD
    assert "503" in bad.json()["error"]
    # The version of a healthy cluster is the router's constant, never the deployed one.
    assert good.json()["version"] == "v1.5.0"
    metrics = portal.get(f"/clusters/{cluster}/metrics")
    assert (metrics.status_code, metrics.json()) == (503, {"error": "cluster unreachable"})


def test_the_router_answers_its_own_health_without_auth(portal: Portal) -> None:
    assert portal.http.get("/ops/ops/health").json()["status"] == "ok"
    portal.deploy(BAD)
    degraded = portal.http.get("/ops/ops/health")
    assert (degraded.status_code, degraded.json()["version"]) == (503, "v1.5.0")


def test_a_single_cluster_leaks_its_token_and_the_list_does_not(portal: Portal) -> None:
    assert "api_token" not in portal.cluster()
    assert portal.get(f"/clusters/{portal.cluster()['id']}").json()["api_token"]


def test_only_canaries_reach_success(portal: Portal) -> None:
    body = {"version": "v3", "canary_cluster_id": portal.cluster()["id"]}
    created = portal.post("/deployments/canary", body).json()
    assert (created["deployment"]["status"], created["target_clusters"]) == ("canary", None)
    canary = created["deployment"]["id"]
    assert portal.post(f"/deployments/{canary}/approve-canary").status_code == 403
    portal.login("admin@featuresignals.com")
    assert portal.post(f"/deployments/{canary}/approve-canary").json()["status"] == "approved"
    assert portal.get(f"/deployments/{canary}").json()["status"] == "success"
    again = portal.post(f"/deployments/{canary}/reject-canary")
    assert (again.status_code, again.json()) == (422, {"error": "deployment is not in canary status"})


def test_there_is_no_rollback_page_and_it_says_so_with_200(portal: Portal) -> None:
    page = portal.http.get("/ops/deployments/some-id", headers=portal.edge)
    assert (page.status_code, "404" in page.text) == (200, True)

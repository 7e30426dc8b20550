from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from sandbox.server import RunningSandbox

BAD = "v2.15.0-bad"
PROBE = {"flag_key": "probe", "context": {"key": "prober", "attributes": {}}}


def evaluate(sandbox: RunningSandbox, http: httpx.Client, region: str = "eu", **request: Any) -> httpx.Response:
    defaults: dict[str, Any] = {"headers": {"X-API-Key": sandbox.environment()["PROBE_API_KEY"]}, "json": PROBE}
    return http.post(f"/product/{region}/v1/evaluate", **(defaults | request))


def test_the_environment_names_the_probe_targets(sandbox: RunningSandbox, http: httpx.Client) -> None:
    targets = json.loads(sandbox.environment()["PROBE_URLS"])
    assert set(targets) == {"eu", "us"}
    for target in targets.values():
        assert http.get(f"{target}/health").json() == {"status": "ok", "service": "featuresignals"}


def test_a_good_version_evaluates_quickly(sandbox: RunningSandbox, http: httpx.Client) -> None:
    reply = evaluate(sandbox, http)
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "no-store")
    assert reply.json() == {"flag_key": "probe", "value": True, "reason": "DEFAULT"}
    assert sandbox.state()["product"]["eu"]["probes"][0]["ms"] < 100


def test_an_unknown_flag_is_no_error(sandbox: RunningSandbox, http: httpx.Client) -> None:
    reply = evaluate(sandbox, http, json={**PROBE, "flag_key": "nosuch"})
    assert (reply.status_code, reply.json()["reason"], reply.json()["value"]) == (200, "NOT_FOUND", None)


def test_a_bad_version_fails_slowly_in_its_region_only(sandbox: RunningSandbox, http: httpx.Client) -> None:
    sandbox.options(bad_latency_ms=60)
    sandbox.deploy("eu", BAD)
    assert http.get("/product/eu/health").status_code == 500
    assert http.get("/product/us/health").status_code == 200
    started = time.perf_counter()
    statuses = [evaluate(sandbox, http).status_code for _ in range(5)]
    assert statuses == [500, 500, 500, 500, 200]
    assert time.perf_counter() - started >= 4 * 0.06
    assert evaluate(sandbox, http, "us").status_code == 200
    probes = sandbox.state()["product"]["eu"]["probes"]
    assert [probe["status"] for probe in probes] == statuses
    assert probes[0]["ms"] >= 60


def test_a_good_version_heals_the_region(sandbox: RunningSandbox, http: httpx.Client) -> None:
    sandbox.deploy("eu", BAD)
    sandbox.deploy("eu", "v2.14.0")
    assert http.get("/product/eu/health").status_code == 200
    assert evaluate(sandbox, http).status_code == 200


def test_a_rollout_may_take_its_time(sandbox: RunningSandbox, http: httpx.Client) -> None:
    sandbox.options(deploy_seconds=600)
    sandbox.deploy("eu", BAD)
    assert http.get("/product/eu/health").status_code == 200
    sandbox.options(deploy_seconds=0)
    sandbox.deploy("eu", BAD)
    assert http.get("/product/eu/health").status_code == 500


@pytest.mark.parametrize(
    "body",
    [
        {"context": {"key": "x"}},
        {"flag_key": "probe"},
        {"flag_key": "probe", "context": {"attributes": {}}},
        PROBE | {"extra": 1},
        {"flag_key": "probe", "context": {"key": "x", "extra": 1}},
        [],
    ],
)
def test_a_wrong_body_is_refused_before_the_key(sandbox: RunningSandbox, http: httpx.Client, body: Any) -> None:
    assert evaluate(sandbox, http, json=body, headers={"X-API-Key": "wrong"}).status_code == 400


def test_key_and_content_type_are_checked(sandbox: RunningSandbox, http: httpx.Client) -> None:
    for headers in ({"X-API-Key": "fs_srv_wrong"}, {}):
        reply = evaluate(sandbox, http, headers=headers)
        assert (reply.status_code, reply.json()["message"]) == (401, "unauthorized")
    assert evaluate(sandbox, http, json=None, content="flag_key=probe").status_code == 415


def test_what_the_real_server_lacks_is_lacking(http: httpx.Client) -> None:
    for path in ("/product/eu/ready", "/product/eu/metrics", "/product/mars/health"):
        assert http.get(path).status_code == 404

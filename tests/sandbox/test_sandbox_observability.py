"""SigNoz, Prometheus and Alertmanager."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.server import RunningSandbox

BAD = "v2.15.0-bad"
ERROR_RATIO = "router_requests_total"


def prometheus(http: httpx.Client, path: str = "query", **query: Any) -> httpx.Response:
    return http.get(f"/prometheus/api/v1/{path}", params=query)


def by_region(reply: httpx.Response) -> dict[str, str]:
    return {row["metric"]["region"]: row["value"][1] for row in reply.json()["data"]["result"]}


def test_prometheus_sees_the_bad_region_down(sandbox: RunningSandbox, http: httpx.Client) -> None:
    assert by_region(prometheus(http, query="up")) == {"eu": "1", "us": "1"}
    sandbox.deploy("eu", BAD)
    assert by_region(prometheus(http, query="up")) == {"eu": "0", "us": "1"}
    assert by_region(prometheus(http, query='up{region="us"} == 1')) == {"us": "1"}
    quantile = (
        'histogram_quantile(0.99, sum(rate(router_request_duration_seconds_bucket{region=~"eu|us"}[5m])) by (le))'
    )
    assert by_region(prometheus(http, query=quantile)) == {"eu": "0.3", "us": "0.004"}


def test_a_range_shows_when_it_began(sandbox: RunningSandbox, http: httpx.Client) -> None:
    start = time.time() - 59
    sandbox.deploy("eu", BAD)
    window = {"query": ERROR_RATIO + '{region="eu"}', "start": start, "end": start + 60, "step": "15s"}
    matrix = prometheus(http, "query_range", **window).json()["data"]
    assert matrix["resultType"] == "matrix"
    assert [value for _, value in matrix["result"][0]["values"]] == ["0", "0", "0", "0", "0.8"]
    by_form = http.post("/prometheus/api/v1/query_range", data={name: str(value) for name, value in window.items()})
    assert by_form.json()["data"] == matrix


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("query", {"query": ""}, "no expression"),
        ("query", {"query": "rate(up[5m]"}, "parse error"),
        ("query", {"query": "up", "time": "soon"}, '"time"'),
        ("query_range", {"query": "up", "start": 0, "end": 10}, '"step"'),
        ("query_range", {"query": "up", "start": 0, "end": 10, "step": 0}, "zero or negative"),
        ("query_range", {"query": "up", "start": 10, "end": 0, "step": 1}, '"end"'),
        ("query_range", {"query": "up", "start": 0, "end": 11_000, "step": 1}, "11,000 points"),
    ],
)
def test_wrong_queries_are_refused(http: httpx.Client, path: str, query: dict[str, Any], words: str) -> None:
    reply = prometheus(http, path, **query)
    assert (reply.status_code, reply.json()["errorType"]) == (400, "bad_data")
    assert words in reply.json()["error"]


def test_an_unknown_metric_is_empty(http: httpx.Client) -> None:
    assert prometheus(http, query="fs_http_requests_total").json()["data"]["result"] == []


def signoz(sandbox: RunningSandbox, http: httpx.Client, key: str | None = None, **changes: Any) -> httpx.Response:
    milliseconds = int(time.time() * 1000)
    spec = {"name": "errors", "signal": "logs", "limit": 50}
    body = {"schemaVersion": "v1", "start": milliseconds - 60_000, "end": milliseconds, "requestType": "raw"}
    body |= {"compositeQuery": {"queries": [{"type": "builder_query", "spec": spec}]}}
    headers = {"SIGNOZ-API-KEY": key or sandbox.environment()["SIGNOZ_API_KEY"]}
    return http.post("/signoz/api/v5/query_range", headers=headers, json=body | changes)


def test_signoz_has_error_rows_while_a_bad_version_runs(sandbox: RunningSandbox, http: httpx.Client) -> None:
    assert signoz(sandbox, http).json()["data"]["data"]["results"][0]["rows"] == []
    sandbox.deploy("eu", BAD)
    time.sleep(0.01)  # the query's end has whole milliseconds, and may otherwise lie before the deployment
    result = signoz(sandbox, http).json()["data"]["data"]["results"][0]
    assert result["queryName"] == "errors"
    data = result["rows"][0]["data"]
    assert data["severity_text"] == "ERROR"
    assert data["resources_string"]["deployment.environment"] == "eu"
    assert data["attributes_string"]["version"] == BAD


def test_a_filter_may_name_a_region(sandbox: RunningSandbox, http: httpx.Client) -> None:
    sandbox.deploy("eu", BAD)
    for region, found in (("us", False), ("eu", True)):
        spec = {"name": "A", "filter": {"expression": f"deployment.environment = '{region}'"}}
        query = {"queries": [{"type": "builder_query", "spec": spec}]}
        rows = signoz(sandbox, http, compositeQuery=query).json()["data"]["data"]["results"][0]["rows"]
        assert bool(rows) is found


def test_signoz_counts_and_draws(sandbox: RunningSandbox, http: httpx.Client) -> None:
    sandbox.deploy("us", BAD)
    time.sleep(0.01)  # as above
    scalar = signoz(sandbox, http, requestType="scalar").json()["data"]
    assert (scalar["type"], scalar["data"]["results"][0]["data"]) == ("scalar", [[1]])
    series = signoz(sandbox, http, requestType="time_series").json()["data"]["data"]["results"][0]["aggregations"][0]
    latest = {line["labels"][0]["value"]: line["values"][-1]["value"] for line in series["series"]}
    assert latest == {"eu": 4.0, "us": 300.0}


@pytest.mark.parametrize(
    "changes",
    [{"requestType": "pie"}, {"start": None}, {"start": 2, "end": 1}, {"compositeQuery": {"queries": []}}],
)
def test_wrong_signoz_queries_are_refused(sandbox: RunningSandbox, http: httpx.Client, changes: dict[str, Any]) -> None:
    reply = signoz(sandbox, http, **changes)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid_input")


def test_signoz_wants_its_key(sandbox: RunningSandbox, http: httpx.Client) -> None:
    assert signoz(sandbox, http, key="wrong").status_code == 401


def silence(**changes: Any) -> dict[str, Any]:
    moment = datetime.now(UTC)
    matchers = [{"name": "service", "value": "api", "isRegex": False}]
    times = {"startsAt": moment.isoformat(), "endsAt": (moment + timedelta(hours=1)).isoformat()}
    return {"matchers": matchers, **times, "createdBy": "runbook", "comment": "INC-1"} | changes


SILENCES = "/alertmanager/api/v2/silences"


def test_a_silence_is_made_changed_and_expired(sandbox: RunningSandbox, http: httpx.Client) -> None:
    silence_id = http.post(SILENCES, json=silence()).json()["silenceID"]
    assert http.post(SILENCES, json=silence(id=silence_id, comment="again")).json()["silenceID"] == silence_id
    one = http.get(f"/alertmanager/api/v2/silence/{silence_id}").json()
    assert (one["comment"], one["status"]["state"], one["matchers"][0]["isEqual"]) == ("again", "active", True)
    assert http.delete(f"/alertmanager/api/v2/silence/{silence_id}").status_code == 200
    assert [row["status"]["state"] for row in http.get(SILENCES).json()] == ["expired"]
    assert http.delete(f"/alertmanager/api/v2/silence/{silence_id}").status_code == 500
    operations = [row["operation"] for row in sandbox.ledger("alertmanager")]
    assert operations == ["silence.create", "silence.update", "silence.expire"]


def test_without_an_id_each_silence_is_new(http: httpx.Client) -> None:
    for _ in range(2):
        http.post(SILENCES, json=silence())
    assert len(http.get(SILENCES, params={"filter": 'service="api"'}).json()) == 2
    assert http.get(SILENCES, params={"filter": 'service="web"'}).json() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"matchers": []},
        {"matchers": [{"name": "service"}]},
        {"matchers": [{"name": "service", "value": "", "isRegex": False}]},
        {"endsAt": "2020-01-01T00:00:00Z"},
        {"endsAt": "later"},
        {"createdBy": ""},
    ],
)
def test_a_wrong_silence_is_refused_with_a_json_string(http: httpx.Client, changes: dict[str, Any]) -> None:
    reply = http.post(SILENCES, json=silence(**changes))
    assert reply.status_code == 400
    assert isinstance(reply.json(), str)


def test_an_unknown_silence_is_not_found(http: httpx.Client) -> None:
    assert http.get("/alertmanager/api/v2/silence/nosuch").status_code == 404
    assert http.post(SILENCES, json=silence(id="nosuch")).status_code == 404


def test_alerts_are_idempotent_by_labels_and_suppressed_by_silences(http: httpx.Client) -> None:
    alerts = [{"labels": {"alertname": "Down", "service": "api"}}, {"labels": {"alertname": "Slow", "service": "web"}}]
    for _ in range(2):
        assert http.post("/alertmanager/api/v2/alerts", json=alerts).status_code == 200
    http.post(SILENCES, json=silence())
    rows = http.get("/alertmanager/api/v2/alerts").json()
    states = {row["labels"]["alertname"]: row["status"]["state"] for row in rows}
    assert states == {"Down": "suppressed", "Slow": "active"}
    filtered = http.get("/alertmanager/api/v2/alerts", params={"filter": 'alertname=~"Sl.*"'}).json()
    assert [row["labels"]["service"] for row in filtered] == ["web"]
    assert http.post("/alertmanager/api/v2/alerts", json={"labels": {}}).status_code == 400

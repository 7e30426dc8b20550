"""SigNoz."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents.vendors.errors import VendorRejected, VendorUnauthorized, VendorUnavailable
from incidents.vendors.monitoring.signoz import SigNozClient, quoted

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
END = START + timedelta(hours=1)
EPOCH = 1777636800


@pytest.fixture
def signoz(script: Any) -> SigNozClient:
    return SigNozClient("https://signoz.example", "sz-secret", "edge-secret", transport=script.transport)


def results(kind: str, *rows: dict[str, Any]) -> dict[str, Any]:
    return {"status": "success", "data": {"type": kind, "data": {"results": list(rows)}, "meta": {}}}


def test_error_logs(signoz: SigNozClient, script: Any) -> None:
    fields = {"body": "boom", "severity_text": "ERROR", "trace_id": "t"}
    row = {"timestamp": "2026-05-01T12:00:00.123456789Z", "data": fields}
    script.answer(200, results("raw", {"queryName": "A", "rows": [row]}, {"queryName": "B", "rows": None}))
    (log,) = signoz.error_logs("api's", START, END, limit=5)
    assert (log.body, log.severity, log.at.microsecond, log.fields["trace_id"]) == ("boom", "ERROR", 123456, "t")
    asked = script.last
    assert (asked.method, asked.path) == ("POST", "/api/v5/query_range")
    assert asked.headers["signoz-api-key"] == "sz-secret"
    assert asked.headers["authorization"] == "Bearer edge-secret"
    assert (asked.json["start"], asked.json["end"]) == (EPOCH * 1000, (EPOCH + 3600) * 1000)
    assert (asked.json["schemaVersion"], asked.json["requestType"]) == ("v1", "raw")
    (query,) = asked.json["compositeQuery"]["queries"]
    assert query["type"] == "builder_query"
    assert (query["spec"]["signal"], query["spec"]["limit"]) == ("logs", 5)
    assert query["spec"]["filter"]["expression"].startswith("service.name = 'api\\'s' AND severity_text IN ")


def test_latency(signoz: SigNozClient, script: Any) -> None:
    values = [{"timestamp": (EPOCH + 60) * 1000, "value": 3e6}, {"timestamp": EPOCH * 1000, "value": 2.5e6}]
    bucket = {"index": 0, "alias": "p99", "series": [{"labels": [], "values": values}]}
    script.answer(200, results("time_series", {"queryName": "A", "aggregations": [bucket]}))
    points = signoz.latency("api", START, END, span="eval.Evaluate")
    assert [(point.at, point.milliseconds) for point in points] == [(START, 2.5), (START + timedelta(minutes=1), 3.0)]
    (query,) = script.last.json["compositeQuery"]["queries"]
    assert query["spec"]["aggregations"] == [{"expression": "p99(duration_nano)", "alias": "p99"}]
    assert query["spec"]["filter"]["expression"] == "service.name = 'api' AND name = 'eval.Evaluate'"
    assert query["spec"]["stepInterval"] == 60


def test_latency_of_nothing(signoz: SigNozClient, script: Any) -> None:
    script.answer(200, results("time_series", {"queryName": "A", "aggregations": [{"index": 0, "series": None}]}))
    assert signoz.latency("api", START, END) == ()


def test_any_query(signoz: SigNozClient, script: Any) -> None:
    answer = results("scalar", {"queryName": "A", "data": [[7]]})
    answer["data"]["warning"] = {"message": "partial"}
    script.answer(200, answer)
    told = signoz.query({"name": "A", "query": "up"}, START, END, request_type="scalar", query_type="promql")
    assert (told.type, told.results[0]["data"], told.warning) == ("scalar", [[7]], "partial")
    assert script.last.json["compositeQuery"]["queries"] == [{"type": "promql", "spec": {"name": "A", "query": "up"}}]


def test_signoz_errors(signoz: SigNozClient, script: Any) -> None:
    script.answer(401, {"status": "error", "error": {"code": "unauthenticated", "message": "sz-secret edge-secret"}})
    script.answer(400, {"status": "error", "error": {"code": "invalid_input", "message": "bad filter"}})
    script.answer(200, "<html>Sign in</html>")
    with pytest.raises(VendorUnauthorized) as unauthorized:
        signoz.error_logs("api", START, END)
    assert str(unauthorized.value) == "signoz query_range: 401 unauthenticated *** ***"
    with pytest.raises(VendorRejected, match="bad filter") as refused:
        signoz.error_logs("api", START, END)
    assert refused.value.code == "invalid_input"
    with pytest.raises(VendorUnavailable) as page:
        signoz.error_logs("api", START, END)
    assert not page.value.maybe_done


def test_quoting() -> None:
    assert quoted("a'b\\c") == r"'a\'b\\c'"


def test_rows_page_by_page_and_no_more_than_asked_for(signoz: SigNozClient, script: Any) -> None:
    def page(count: int) -> dict[str, Any]:
        return results("raw", {"queryName": "A", "rows": [{"timestamp": "t", "data": {"n": n}} for n in range(count)]})

    script.answer(200, page(1000))
    script.answer(200, page(500))
    rows = list(signoz.rows("traces", "api", START, END, 1500))
    assert len(rows) == 1500
    specs = [asked.json["compositeQuery"]["queries"][0]["spec"] for asked in script.asked]
    assert [(spec["signal"], spec["offset"], spec["limit"]) for spec in specs] == [
        ("traces", 0, 1000),
        ("traces", 1000, 500),
    ]


def test_latency_of_one_environment(signoz: SigNozClient, script: Any) -> None:
    script.answer(200, results("time_series"))
    assert signoz.latency("api", START, END, percentile="p50", environment="eu") == ()
    spec = script.last.json["compositeQuery"]["queries"][0]["spec"]
    assert spec["filter"]["expression"] == "service.name = 'api' AND deployment.environment = 'eu'"
    assert spec["aggregations"][0]["expression"] == "p50(duration_nano)"

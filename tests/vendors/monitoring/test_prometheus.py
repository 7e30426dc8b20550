"""Prometheus."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents.vendors.errors import VendorRejected, VendorUnavailable
from incidents.vendors.monitoring.prometheus import PrometheusClient, Sample

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
END = START + timedelta(hours=1)
EPOCH = 1777636800


@pytest.fixture
def prometheus(script: Any) -> PrometheusClient:
    return PrometheusClient("http://prom.example/prefix", transport=script.transport)


def prom(kind: str, result: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": kind, "result": result}}


def test_query(prometheus: PrometheusClient, script: Any) -> None:
    rows = [{"metric": {"region": "eu"}, "value": [EPOCH, "0.25"]}, {"metric": {}, "value": [EPOCH, "NaN"]}]
    script.answer(200, prom("vector", rows)).answer(200, prom("scalar", [EPOCH + 0.5, "+Inf"]))
    first, second = prometheus.query("up == 1", START)
    assert first == Sample({"region": "eu"}, START, 0.25)
    assert math.isnan(second.value)
    assert (script.last.method, script.last.path) == ("POST", "/prefix/api/v1/query")
    assert script.last.form == {"query": "up == 1", "time": "1777636800.000"}
    (scalar,) = prometheus.query("1/0")
    assert scalar.value == math.inf
    assert script.last.form == {"query": "1/0"}


def test_query_range(prometheus: PrometheusClient, script: Any) -> None:
    row = {"metric": {"region": "eu"}, "values": [[EPOCH, "1"], [EPOCH + 60, "2"]]}
    script.answer(200, prom("matrix", [row]))
    (series,) = prometheus.query_range("x", START, END, timedelta(minutes=1))
    assert [(point.at, point.value) for point in series.points] == [(START, 1.0), (START + timedelta(minutes=1), 2.0)]
    assert script.last.form == {"query": "x", "start": "1777636800.000", "end": "1777640400.000", "step": "60.000"}


def test_a_range_never_asks_for_too_many_points(prometheus: PrometheusClient, script: Any) -> None:
    script.answer(200, prom("matrix", []))
    prometheus.query_range("x", START, START + timedelta(days=30), timedelta(seconds=1))
    step = float(script.last.form["step"])
    assert 30 * 86400 / step + 1 <= 11_000


def test_prometheus_errors(prometheus: PrometheusClient, script: Any) -> None:
    script.answer(400, {"status": "error", "errorType": "bad_data", "error": "parse error"})
    script.answer(503, {"status": "error", "errorType": "timeout", "error": "query timed out"})
    with pytest.raises(VendorRejected, match="parse error") as refused:
        prometheus.query("x(")
    assert refused.value.code == "bad_data"
    with pytest.raises(VendorUnavailable) as down:
        prometheus.query("x")
    assert (down.value.code, down.value.maybe_done) == ("timeout", False)

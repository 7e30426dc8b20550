"""The probe: trouble is the measurement."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from incidents.vendors.probe import EvaluationSample, HealthSample, ProductProbe

URL = "https://api.eu.example"
GOOD = {"flag_key": "f", "value": True, "reason": "FALLTHROUGH"}


@pytest.fixture
def probe(script: Any) -> ProductProbe:
    return ProductProbe(timeout=1, api_key="fs_srv_secret", transport=script.transport)


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (200, {"status": "ok", "service": "featuresignals"}, ""),
        (200, {}, ""),
        (200, {"status": "degraded"}, "status_degraded"),
        (200, "<html>Please log in</html>", "not_json"),
        (200, "[]", "not_json"),
        (200, "", "not_json"),
        (204, None, "http_204"),
        (302, "", "redirected"),
        (404, "", "http_404"),
        (429, {"error": "x"}, "rate_limited"),
        (503, {"status": "ok"}, "http_503"),
    ],
)
def test_health(probe: ProductProbe, script: Any, status: int, body: Any, problem: str) -> None:
    script.answer(status, body, {"Location": "/login"} if status == 302 else None)
    sample = probe.health(URL + "/")
    assert (sample.ok, sample.status, sample.problem) == (not problem, status, problem)
    assert sample.elapsed_ms >= 0
    assert (script.last.method, script.last.path) == ("GET", "/health")
    assert "x-api-key" not in script.last.headers
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (httpx.ConnectError("refused"), "connect"),
        (httpx.ConnectTimeout("slow"), "timeout"),
        (httpx.ReadTimeout("slow"), "timeout"),
        (httpx.ReadError("reset"), "connection_lost"),
        (httpx.RemoteProtocolError("garbage"), "connection_lost"),
    ],
)
def test_connection_trouble_is_a_sample(probe: ProductProbe, script: Any, error: Exception, problem: str) -> None:
    script.fail(error)
    health, evaluation = probe.health(URL), probe.evaluate(URL)
    assert (health.ok, health.status, health.problem) == (False, None, problem)
    assert (evaluation.ok, evaluation.status, evaluation.problem) == (False, None, problem)


def test_evaluation(probe: ProductProbe, script: Any) -> None:
    script.answer(200, GOOD)
    sample = probe.evaluate(URL, "f")
    assert (sample.ok, sample.status, sample.problem) == (True, 200, "")
    assert (script.last.method, script.last.path) == ("POST", "/v1/evaluate")
    assert script.last.headers["x-api-key"] == "fs_srv_secret"
    assert script.last.headers["content-type"] == "application/json"
    assert script.last.json == {"flag_key": "f", "context": {"key": "incident-probe", "attributes": {}}}


@pytest.mark.parametrize(
    ("flag", "status", "body", "problem"),
    [
        ("", 200, {**GOOD, "value": None, "reason": "NOT_FOUND"}, ""),
        ("f", 200, {**GOOD, "value": None, "reason": "NOT_FOUND"}, "flag_not_found"),
        ("f", 200, {**GOOD, "reason": "ERROR"}, "evaluation_error"),
        ("f", 200, {**GOOD, "reason": "DISABLED"}, ""),
        ("f", 200, {"status": "ok"}, "not_an_evaluation"),
        ("f", 200, "<html></html>", "not_json"),
        ("f", 401, {"error": "unauthorized"}, "credentials_refused"),
        ("f", 403, {"error": "forbidden"}, "http_403"),
        ("f", 500, "", "http_500"),
    ],
)
def test_evaluation_trouble(probe: ProductProbe, script: Any, flag: str, status: int, body: Any, problem: str) -> None:
    script.answer(status, body)
    sample = probe.evaluate(URL, flag)
    assert (sample.ok, sample.status, sample.problem) == (not problem, status, problem)


def test_without_a_key_nothing_is_asked(script: Any) -> None:
    sample = ProductProbe(transport=script.transport).evaluate(URL)
    assert sample == EvaluationSample(False, None, 0.0, "no_api_key")
    assert script.asked == []


def test_over_a_real_socket(loopback: Any) -> None:
    loopback.answer(200, {"status": "ok"})
    sample = ProductProbe(timeout=1).health(loopback.url)
    assert isinstance(sample, HealthSample)
    assert sample.ok
    assert 0 < sample.elapsed_ms < 1000


def test_real_trouble(loopback: Any, elapsed: Any) -> None:
    loopback.fail(loopback.Hang()).fail(loopback.Reset())
    probe = ProductProbe(timeout=0.2, api_key="k")
    assert probe.health(loopback.url).problem == "timeout"
    assert probe.health(loopback.url).problem == "connection_lost"
    assert probe.health("http://127.0.0.1:1").problem == "connect"
    assert probe.health("http://no-such-host.invalid").problem in ("dns", "timeout")
    assert probe.health("nonsense").problem == "bad_url"
    assert probe.health("http://[::1").problem == "bad_url"
    assert probe.health(loopback.url.replace("http:", "https:")).problem in ("tls", "connection_lost", "connect")
    assert elapsed() < 4


def test_a_drip_of_an_answer_is_a_time_out(script: Any) -> None:
    moments = iter([0.0])
    probe = ProductProbe(timeout=1, transport=script.transport, clock=lambda: next(moments, 5.0))
    script.answer(200, {"status": "ok"})
    sample = probe.health(URL)
    assert (sample.ok, sample.problem, sample.elapsed_ms) == (False, "timeout", 5000.0)


def test_a_huge_page_is_not_read_to_its_end(probe: ProductProbe, script: Any) -> None:
    script.answer(200, "x" * 1_000_000)
    assert probe.health(URL).problem == "not_json"

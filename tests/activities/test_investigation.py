"""The investigation brief: what each source says, and what is left when one of them fails."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from activities.registry import ActivitySet
from incidents.domain.activity_requests import QueryLogs, QueryMetrics
from incidents.domain.config.model import Region
from sandbox.server import RunningSandbox
from tests.activities.conftest import perform
from tests.support.incidents import RUNBOOK


def metrics(sandbox: RunningSandbox) -> QueryMetrics:
    now = datetime.now(UTC)
    regions = [Region(name=n, url=f"{sandbox.url}/product/{n}", cluster=f"{n}-001") for n in ("eu", "us")]
    return QueryMetrics(
        key="k",
        service="flag-evaluation",
        regions=tuple(regions),
        since=now - timedelta(minutes=30),
        until=now,
        queries=RUNBOOK.investigation.metrics,
    )


def logs() -> QueryLogs:
    now = datetime.now(UTC)
    since, until = now - timedelta(minutes=5), now + timedelta(seconds=30)
    return QueryLogs(key="k", service="x", regions=(), since=since, until=until, log_service="featuresignals-api")


def test_the_metrics_say_what_is_broken(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-bad")
    detail = perform(hands.investigation.query_metrics, metrics(sandbox)).detail
    assert "eu: health http_500" in detail
    assert "us: healthy, evaluates in " in detail
    assert "error ratio eu 0.8, us 0" in detail
    assert "latency p95 (s) eu " in detail


@pytest.mark.parametrize("kind", ["status", "reset"])
def test_6_without_prometheus_the_regions_are_still_told(
    hands: ActivitySet, sandbox: RunningSandbox, kind: str
) -> None:
    sandbox.fault("prometheus", kind, status=503 if kind == "status" else None, times=None)
    detail = perform(hands.investigation.query_metrics, metrics(sandbox)).detail
    assert "eu: healthy" in detail
    assert "us: healthy" in detail
    assert detail.count(" unavailable (prometheus ") == len(RUNBOOK.investigation.metrics)


def test_one_query_that_fails_leaves_the_others(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("prometheus", "status", status=503)
    detail = perform(hands.investigation.query_metrics, metrics(sandbox)).detail
    assert "error ratio unavailable" in detail
    assert "latency p95 (s) eu " in detail


def test_without_the_product_the_metrics_are_still_told(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("product", "reset", times=None)
    detail = perform(hands.investigation.query_metrics, metrics(sandbox)).detail
    assert "eu: health connection_lost, evaluation connection_lost" in detail
    assert "error ratio eu 0, us 0" in detail


def test_a_query_without_an_answer_says_so(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    asked = metrics(sandbox).replace(queries={"nothing": 'up{job="nobody"}'}, regions=())
    assert perform(hands.investigation.query_metrics, asked).detail == "nothing has no data"


def test_the_logs_tell_the_most_frequent_errors(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    assert perform(hands.investigation.query_logs, logs()).detail == "no errors logged"
    sandbox.deploy("eu", "v9-bad")
    errors = sandbox.state()["signoz"]["errors"]
    detail = perform(hands.investigation.query_logs, logs()).detail
    assert errors
    assert errors[0]["data"]["body"] in detail
    assert detail.split("x ")[0].isdigit()


def test_logs_that_cannot_be_read_are_told_and_stop_nothing(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("signoz", "status", status=503)
    detail = perform(hands.investigation.query_logs, logs()).detail
    assert detail.startswith("error logs unavailable (signoz ")


def test_a_refused_key_is_told_without_the_key(sandbox: RunningSandbox, wired: Callable[..., ActivitySet]) -> None:
    hands = wired(**sandbox.environment() | {"SIGNOZ_API_KEY": "secret-of-nobody"})
    detail = perform(hands.investigation.query_logs, logs()).detail
    assert "401" in detail
    assert "secret-of-nobody" not in detail


def test_what_is_off_says_so(idle: ActivitySet, sandbox: RunningSandbox) -> None:
    off = "SigNoz not configured (SIGNOZ_URL and SIGNOZ_API_KEY are not set)"
    assert perform(idle.investigation.query_logs, logs()).skipped == off
    outcome = perform(idle.investigation.query_metrics, metrics(sandbox))
    assert outcome.skipped is None
    assert "Prometheus not configured (PROMETHEUS_URL is not set)" in outcome.detail
    assert "eu: healthy, evaluation no_api_key" in outcome.detail

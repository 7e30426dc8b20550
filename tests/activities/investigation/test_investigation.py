"""The investigation brief: what each source says, and what is left when one of them fails."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.registry import ActivitySet
from incidents.domain.config.model import Region
from incidents.domain.investigation.activity_requests import QueryLogs, QueryMetrics
from incidents.domain.investigation.blast_radius import BlastRadius, RegionProbed
from incidents.domain.investigation.config import BlastRadiusQueries
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
        probes=RUNBOOK.probes,
    )


def logs() -> QueryLogs:
    now = datetime.now(UTC)
    since, until = now - timedelta(minutes=5), now + timedelta(seconds=30)
    return QueryLogs(key="k", service="x", regions=(), since=since, until=until, log_service="featuresignals-api")


def test_the_metrics_say_what_is_broken(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-bad")
    detail = perform(activities.investigation.query_metrics, metrics(sandbox)).detail
    assert "eu: health and evaluation answered 500" in detail
    assert "us: healthy, evaluation in " in detail
    assert "error ratio eu 0.8, us 0" in detail
    assert "latency p95 (s) eu " in detail


@pytest.mark.parametrize("kind", ["status", "reset"])
def test_6_without_prometheus_the_regions_are_still_told(
    activities: ActivitySet, sandbox: RunningSandbox, kind: str
) -> None:
    sandbox.fault("prometheus", kind, status=503 if kind == "status" else None, times=None)
    detail = perform(activities.investigation.query_metrics, metrics(sandbox)).detail
    assert "eu: healthy" in detail
    assert "us: healthy" in detail
    assert detail.count(" unavailable (prometheus ") == len(RUNBOOK.investigation.metrics)


def test_dashboards_are_named_with_the_findings(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    asked = metrics(sandbox).replace(links={"SigNoz": "https://signoz.example/d/1"}, regions=(), queries={})
    assert perform(activities.investigation.query_metrics, asked).detail == "SigNoz: https://signoz.example/d/1"


def test_a_panel_is_a_small_chart_in_the_evidence_store(
    activities: ActivitySet, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    sandbox.deploy("eu", "v9-bad")
    panels = {"Error ratio": "sum by (region) (router_requests_total)", "Nothing": 'up{job="nobody"}', "Bad": "sum("}
    asked = metrics(sandbox).replace(regions=(), queries={}, panels=panels, folder="run-7/investigation-0")
    drawn, nothing, bad = perform(activities.investigation.query_metrics, asked).detail.split("; ")
    path = tmp_path / "run-7" / "investigation-0" / "panel-error-ratio.svg"
    assert drawn == f"Error ratio: {path.as_uri()}"
    svg = path.read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "Error ratio (UTC)" in svg
    assert ">eu<" in svg
    assert "<script" not in svg
    assert nothing == "Nothing has no data"
    assert bad.startswith("Bad unavailable (prometheus query_range: 400 ")


def test_database_metrics_are_told_as_such(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    asked = metrics(sandbox).replace(regions=(), queries={}, database={"up": "up"})
    assert perform(activities.investigation.query_metrics, asked).detail == "database up eu 1, us 1"


def test_the_blast_radius_is_measured(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-bad")
    queries = BlastRadiusQueries(requests="router_requests_total", customers="up")
    found = perform(activities.investigation.query_metrics, metrics(sandbox).replace(blast_radius=queries)).blast_radius
    regions = (RegionProbed(name="eu", healthy=False), RegionProbed(name="us", healthy=True))
    assert found == BlastRadius(regions=regions, requests=0.8, customers=1)


def test_what_cannot_be_measured_is_unknown(
    activities: ActivitySet, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROBE_API_KEY")
    sandbox.fault("prometheus", "status", status=503, times=None)
    queries = BlastRadiusQueries(requests="router_requests_total", customers="up")
    found = perform(activities.investigation.query_metrics, metrics(sandbox).replace(blast_radius=queries)).blast_radius
    regions = tuple(RegionProbed(name=name, healthy=None) for name in ("eu", "us"))
    assert found == BlastRadius(regions=regions)


def test_one_query_that_fails_leaves_the_others(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("prometheus", "status", status=503)
    detail = perform(activities.investigation.query_metrics, metrics(sandbox)).detail
    assert "error ratio unavailable" in detail
    assert "latency p95 (s) eu " in detail


def test_without_the_product_the_metrics_are_still_told(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("product", "reset", times=None)
    detail = perform(activities.investigation.query_metrics, metrics(sandbox)).detail
    assert "eu: health and evaluation lost the connection to 127.0.0.1:" in detail
    assert "error ratio eu 0, us 0" in detail


def test_a_query_without_an_answer_says_so(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    asked = metrics(sandbox).replace(queries={"nothing": 'up{job="nobody"}'}, regions=())
    assert perform(activities.investigation.query_metrics, asked).detail == "nothing has no data"


def test_the_logs_tell_the_most_frequent_errors(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    assert perform(activities.investigation.query_logs, logs()).detail == "no errors logged"
    sandbox.deploy("eu", "v9-bad")
    errors = sandbox.state()["signoz"]["errors"]
    detail = perform(activities.investigation.query_logs, logs()).detail
    assert errors
    assert errors[0]["data"]["body"] in detail
    assert detail.split("x ")[0].isdigit()


def test_logs_that_cannot_be_read_are_told_and_stop_nothing(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("signoz", "status", status=503)
    detail = perform(activities.investigation.query_logs, logs()).detail
    assert detail.startswith("error logs unavailable (signoz ")


def test_a_refused_key_is_told_without_the_key(sandbox: RunningSandbox, wired: Callable[..., ActivitySet]) -> None:
    activities = wired(**sandbox.environment() | {"SIGNOZ_API_KEY": "secret-of-nobody"})
    detail = perform(activities.investigation.query_logs, logs()).detail
    assert "401" in detail
    assert "secret-of-nobody" not in detail


def test_what_is_off_says_so(idle: ActivitySet, sandbox: RunningSandbox) -> None:
    off = "SigNoz not configured (SIGNOZ_URL and SIGNOZ_API_KEY are not set)"
    assert perform(idle.investigation.query_logs, logs()).skipped == off
    outcome = perform(idle.investigation.query_metrics, metrics(sandbox))
    assert outcome.skipped is None
    assert "Prometheus not configured (PROMETHEUS_URL is not set)" in outcome.detail
    assert "eu: evaluation cannot be sent: PROBE_API_KEY is not set; us: " in outcome.detail

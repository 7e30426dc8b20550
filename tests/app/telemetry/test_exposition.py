"""What a scrape reads: known values, nothing for what is unknown, and nothing for strangers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.routing import Route
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from incidents import metrics
from incidents.app.settings import Settings, load_settings
from incidents.app.telemetry.exposition import Exposition
from incidents.app.telemetry.fleet import Fleet, always
from incidents.app.telemetry.listener import bind
from incidents.app.temporal_settings import SettingsError
from incidents.client.delivery.spool import Spool
from incidents.gateway.metrics import SpoolSource, Webhooks
from incidents.metrics import METRICS, Kind
from incidents.vendors.call_results import recorded
from incidents.vendors.errors import VendorUnauthorized
from tests.support.incidents import RUNBOOK

Labels = tuple[tuple[str, str], ...]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def samples(text: bytes) -> dict[str, dict[Labels, float]]:
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


async def nobody_listens() -> Client:
    return await Client.connect("127.0.0.1:1", lazy=True)


async def test_what_temporal_does_not_tell_is_absent_and_not_zero() -> None:
    fleet = Fleet(always(await nobody_listens()), ("P0", "P1"), "incidents")
    found = samples(await Exposition(load_settings(), RUNBOOK, fleet).text())
    assert found[metrics.TEMPORAL_UP.name] == {(): 0}
    told = {each.name for each in (metrics.OPEN, metrics.UNACKNOWLEDGED, metrics.UPDATES_OVERDUE, metrics.QUEUE_AGE)}
    assert not told & found.keys()


async def test_why_temporal_tells_nothing_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def denied() -> Client:
        raise RPCError("no", RPCStatusCode.PERMISSION_DENIED, b"")

    fleet = Fleet(denied, ("P0",), "incidents")
    for _ in range(2):
        assert [sample.value for sample in await fleet._read()] == [0]
    told = "The metrics of incidents and queues are absent: Temporal answered PERMISSION_DENIED"
    assert caplog.messages == [told]


@pytest.mark.parametrize(("key", "value"), [("", 1), ("k", 0)])
async def test_91_that_nobody_can_be_paged_is_a_metric(monkeypatch: pytest.MonkeyPatch, key: str, value: int) -> None:
    monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", key)
    found = samples(await Exposition(load_settings(), RUNBOOK).text())
    assert found[metrics.NOBODY.name] == {(): value}


async def test_each_call_of_a_vendor_is_counted_by_its_result() -> None:
    exposition = Exposition(load_settings(), RUNBOOK)
    with recorded("acme", "orders.create"):
        pass
    with pytest.raises(VendorUnauthorized), recorded("acme", "orders.create"):
        raise VendorUnauthorized("acme", "orders.create", "wrong token")
    with pytest.raises(ZeroDivisionError), recorded("acme", "orders.create"):
        raise ZeroDivisionError
    found = samples(await exposition.text())
    call = (("operation", "orders.create"), ("vendor", "acme"))
    by_result = {dict(labels)["result"]: value for labels, value in found[metrics.VENDOR_CALLS.name].items()}
    assert by_result == {"ok": 1, "unauthorized": 1, "error": 1}
    assert found[f"{metrics.VENDOR_LATENCY.name}_count"] == {call: 3}


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        ("", {}, 200),
        ("", {"x-forwarded-for": "203.0.113.7"}, 401),
        ("s3cret", {}, 401),
        ("s3cret", {"authorization": "Bearer wrong"}, 401),
        ("s3cret", {"authorization": "Bearer s3cret"}, 200),
        ("s3cret", {"authorization": "Bearer s3cret", "x-forwarded-for": "203.0.113.7"}, 200),
    ],
)
async def test_84_strangers_behind_a_proxy_read_no_metrics(
    monkeypatch: pytest.MonkeyPatch, token: str, headers: dict[str, str], status: int
) -> None:
    monkeypatch.setenv("METRICS_TOKEN", token)
    app = Starlette(routes=[Route("/metrics", Exposition(load_settings(), RUNBOOK).respond)])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://worker") as client:
        assert (await client.get("/metrics", headers=headers)).status_code == status


def test_a_port_that_is_in_use_is_said_in_one_line() -> None:
    with bind("127.0.0.1:0") as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SettingsError) as caught:
            bind(address)
    assert str(caught.value) == (
        f"METRICS_ADDRESS {address} cannot be used (Address already in use). The worker was not started; choose another"
        " port, or unset METRICS_ADDRESS."
    )


@pytest.mark.parametrize(("address", "said"), [("host.invalid:9464", "host.invalid"), ("127.0.0.1:99999", "99999")])
def test_an_address_that_does_not_exist_is_said_in_one_line(address: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        bind(address)


async def test_the_names_that_senders_choose_make_no_series_of_their_own(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    webhooks = Webhooks(registry)
    for source, status in (("grafana", 202), ("my-own", 202), ("another", 401), ("", 503)):
        webhooks.count(source, status)
    found = samples(generate_latest(registry))[metrics.ALERTS.name]
    assert {tuple(dict(labels).values()) for labels in found} == {
        ("accepted", "grafana"),
        ("accepted", "other"),
        ("rejected", "other"),
        ("failed", "unnamed"),
    }
    assert [sample.value for sample in await SpoolSource(Spool(tmp_path)).read()] == [0]


def test_every_metric_keeps_to_prometheus_conventions() -> None:
    for metric in METRICS:
        assert metric.name.startswith("incidents_")
        assert metric.name.endswith("_total") is (metric.kind is Kind.COUNTER), metric
        assert bool(metric.buckets) is (metric.kind is Kind.HISTOGRAM), metric
        assert list(metric.buckets) == sorted(set(metric.buckets)), metric
        assert metric.kind is not Kind.HISTOGRAM or metric.name.endswith("_seconds"), metric
        unbounded: set[Any] = {"title", "number", "customer", "incident", "workflow_id", "path", "service"}
        assert not unbounded & set(metric.labels), metric

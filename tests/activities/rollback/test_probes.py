"""Probes as another company configures them: a GET, a header from the environment, and a value in the answer."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.rollback.health import Health
from activities.rollback.probes import RegionProbes
from incidents.domain.config.loading import parse_runbook
from incidents.domain.config.probes import Probe
from incidents.domain.rollback.activity_requests import VerifyRegion
from incidents.domain.rollback.verification import Baseline, BaselineFinding, RegionVerdict, Verdict
from incidents.vendors.product.probe import ProbeClient
from tests.activities.conftest import perform
from tests.support.servers.product_server import ProductServer, product_server

ACME = parse_runbook(Path("tests/support/acme.yaml").read_text(encoding="utf-8"), "acme.yaml")
TOKEN = "s3cret-of-acme"
READY = {"checks": [{"name": "database", "state": "ready"}]}
RULES = ACME.rollback.replace(
    probe_interval=timedelta(milliseconds=5),
    give_up_after=timedelta(milliseconds=500),
    healthy_probes=3,
    window=timedelta(milliseconds=100),
    min_samples=2,
    latency_slack_ms=2000,
)
AT = datetime.now(UTC)


@pytest.fixture
def product() -> Iterator[ProductServer]:
    with product_server() as running:
        running.answer = READY
        yield running


def verify(
    product: ProductServer,
    variables: dict[str, str],
    probes: tuple[Probe, ...] = ACME.probes,
    give_up_after: timedelta = RULES.give_up_after,
) -> RegionVerdict:
    normal = Baseline(p50_ms=4, p95_ms=8, samples=60, source="Prometheus", since=AT, until=AT)
    region = ACME.regions[0].replace(url=product.url)
    request = VerifyRegion(
        key="k",
        region=region,
        baseline=BaselineFinding(region="west", baseline=normal),
        rules=RULES.replace(give_up_after=give_up_after),
        probes=probes,
    )
    health = Health(RegionProbes(ProbeClient(2), lambda name: variables.get(name, "")), lambda *_: None)
    verdict: RegionVerdict = perform(health.verify_region, request)
    return verdict


def test_a_whole_verification_uses_the_configured_probe(product: ProductServer) -> None:
    verdict = verify(product, {"ACME_STORE_TOKEN": TOKEN}, give_up_after=timedelta(seconds=20))
    assert verdict.verdict is Verdict.HEALTHY
    assert verdict.p95_ms is not None
    assert set(product.asked) == {("GET", "/internal/ready?region=west", f"Bearer {TOKEN}")}
    assert len(product.asked) == verdict.probes


def test_another_value_than_the_expected_one_is_unhealthy(product: ProductServer) -> None:
    product.answer = {"checks": [{"state": "starting"}]}
    verdict = verify(product, {"ACME_STORE_TOKEN": TOKEN})
    assert verdict.verdict is Verdict.UNHEALTHY
    assert verdict.detail == "checkout answered checks.0.state starting; no latency samples"


def test_one_of_several_expected_statuses_will_do(product: ProductServer) -> None:
    product.status = 203
    verdict = verify(product, {"ACME_STORE_TOKEN": TOKEN}, give_up_after=timedelta(seconds=20))
    assert verdict.verdict is Verdict.HEALTHY


def test_a_missing_variable_is_one_line_and_nothing_is_sent(product: ProductServer) -> None:
    verdict = verify(product, {})
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert verdict.detail == "only 0 usable probes (checkout cannot be sent: ACME_STORE_TOKEN is not set)"
    assert product.asked == []


@pytest.mark.parametrize("token", [TOKEN, f"{TOKEN}\nnext", f"{TOKEN}é"])
def test_no_secret_is_in_a_verdict_or_a_log(
    product: ProductServer, caplog: pytest.LogCaptureFixture, token: str
) -> None:
    product.status = 401
    with caplog.at_level(logging.DEBUG):
        verdict = verify(product, {"ACME_STORE_TOKEN": token})
    assert verdict.verdict is Verdict.INCONCLUSIVE, "a probe that fails by itself says nothing of the region"
    assert TOKEN not in verdict.model_dump_json()
    assert TOKEN not in caplog.text


def test_an_answer_that_repeats_the_secret_is_not_quoted(product: ProductServer) -> None:
    product.answer = {"checks": [{"state": f"no rights for {TOKEN}"}]}
    verdict = verify(product, {"ACME_STORE_TOKEN": TOKEN})
    assert verdict.verdict is Verdict.UNHEALTHY
    assert verdict.detail == "checkout answered 200, with a text that repeats its credentials; no latency samples"


def test_a_401_without_credentials_is_the_regions_answer(product: ProductServer) -> None:
    product.status = 401
    verdict = verify(product, {}, probes=(ACME.probes[0].replace(headers={}),))
    assert verdict.verdict is Verdict.UNHEALTHY
    assert verdict.detail == "checkout answered 401; no latency samples"


def test_a_probe_without_credentials_does_not_hide_that_another_one_failed(product: ProductServer) -> None:
    [ready] = ACME.probes
    login = Probe(name="log-in page", url="{api}/login", expect_status=(404,))
    verdict = verify(product, {}, probes=(login, ready))
    assert verdict.verdict is Verdict.UNHEALTHY
    assert verdict.detail.startswith("log-in page answered 200, checkout cannot be sent: ACME_STORE_TOKEN is not set")


def test_a_probe_without_credentials_leaves_open_whether_a_region_is_healthy(product: ProductServer) -> None:
    [ready] = ACME.probes
    login = Probe(name="log-in page", url="{api}/login")
    assert verify(product, {}, probes=(login, ready)).verdict is Verdict.INCONCLUSIVE


def test_every_probe_must_pass_and_one_tells_the_latency(product: ProductServer) -> None:
    [ready] = ACME.probes
    login = Probe(name="log-in page", url="{api}/login", expect_status=(404,))
    verdict = verify(product, {"ACME_STORE_TOKEN": TOKEN}, probes=(login, ready))
    assert verdict.verdict is Verdict.UNHEALTHY
    assert verdict.detail.startswith("log-in page answered 200; p50 "), "ready was well, and its latency is known"

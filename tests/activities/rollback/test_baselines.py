"""54: the latency of good times is measured, by whom the runbook names, or by our own recorder."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from activities.registry import ActivitySet
from activities.rollback.baselines import Baselines
from incidents.domain.config.model import Region
from incidents.domain.rollback.activity_requests import MeasureBaseline
from incidents.domain.rollback.baseline import Recording, Sample
from incidents.domain.rollback.config import BaselineRules, Rollback
from incidents.domain.rollback.verification import BaselineFinding
from incidents.vendors.monitoring.prometheus import PrometheusClient
from incidents.vendors.monitoring.signoz import SigNozClient
from sandbox.server import RunningSandbox
from tests.activities.conftest import perform

LATENCY = 'fs_evaluation_latency_seconds{region="{region}"}'
PROMETHEUS = {"p50": LATENCY, "p95": LATENCY}


def wanted(**rules: object) -> MeasureBaseline:
    region = Region(name="eu", url="http://unused", cluster="eu-001")
    baseline = BaselineRules.model_validate({"min_samples": 2, **rules})
    before = datetime.now(UTC) - timedelta(seconds=30)
    return MeasureBaseline(
        key="k", region=region, log_service="featuresignals-api", before=before, rules=Rollback(baseline=baseline)
    )


class Remembers:
    """A recorder that has seen good times."""

    async def recording(self) -> Recording:
        at = datetime.now(UTC) - timedelta(minutes=5)
        return Recording(samples=(Sample(at=at, region="eu", elapsed_ms=(3.0, 4.0, 5.0)),))


def measured(sandbox: RunningSandbox, asked: MeasureBaseline) -> BaselineFinding:
    environment = sandbox.environment()
    prometheus = PrometheusClient(environment["PROMETHEUS_URL"])
    signoz = SigNozClient(environment["SIGNOZ_URL"], environment["SIGNOZ_API_KEY"])
    return asyncio.run(_run(Baselines(prometheus, signoz, Remembers()), asked))


async def _run(baselines: Baselines, asked: MeasureBaseline) -> BaselineFinding:
    return await baselines.measure_baseline(asked)


def test_our_own_recorder_where_nothing_is_named(sandbox: RunningSandbox) -> None:
    found = measured(sandbox, wanted()).baseline
    assert found is not None
    assert (found.source, found.p50_ms, found.p95_ms, found.samples) == ("the recorder", 4, 5, 3)


@pytest.mark.parametrize(
    ("rules", "source"), [({"prometheus": PROMETHEUS}, "Prometheus"), ({"signoz_span": "eval.Evaluate"}, "SigNoz")]
)
def test_whom_the_runbook_names_is_asked_first(sandbox: RunningSandbox, rules: dict[str, object], source: str) -> None:
    found = measured(sandbox, wanted(**rules)).baseline
    assert found is not None
    assert found.source == source
    assert 0 < found.p50_ms <= found.p95_ms


def test_if_that_one_fails_the_recorder_is_asked(sandbox: RunningSandbox) -> None:
    sandbox.fault("prometheus", "status", status=503, times=None)
    found = measured(sandbox, wanted(prometheus=PROMETHEUS)).baseline
    assert found is not None
    assert found.source == "the recorder"


def test_without_any_it_is_said_why_and_never_guessed(activities: ActivitySet) -> None:
    found = perform(activities.baselines.measure_baseline, wanted(min_samples=20))
    assert found.baseline is None
    assert found.why == "none of the 20 samples needed were recorded before the deployment"

"""52, 59: the last look before a redeployment."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.registry import ActivitySet
from incidents.domain.config.model import Region
from incidents.domain.rollback.activity_requests import CheckRollback
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.order import Preflight
from incidents.domain.rollback.verification import Baseline, BaselineFinding
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed, perform
from tests.support.incidents import RUNBOOK

RULES = Rollback(healthy_probes=3, probe_interval=timedelta(milliseconds=5), latency_slack_ms=200)
NOW = datetime.now(UTC)
NORMAL = BaselineFinding(
    region="eu", baseline=Baseline(p50_ms=4, p95_ms=8, samples=60, source="x", since=NOW, until=NOW)
)


def check(sandbox: RunningSandbox) -> CheckRollback:
    region = Region(name="eu", url=f"{sandbox.url}/product/eu", cluster="eu-001")
    return CheckRollback(
        key="k", cluster="eu-001", regions=(region,), baselines=(NORMAL,), rules=RULES, probes=RUNBOOK.probes
    )


def look(activities: ActivitySet, sandbox: RunningSandbox) -> Preflight:
    found = perform(activities.preflights.check_rollback, check(sandbox))
    assert isinstance(found, Preflight)
    return found


def test_a_region_that_is_still_ill(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.options(bad_latency_ms=1)
    row = sandbox.deploy("eu", "v9-bad")
    found = look(activities, sandbox)
    assert (found.recovered, found.newest and found.newest.id) == (False, row["id"])
    assert found.looks.endswith("answered 500")
    assert len([call for call in sandbox.calls("product") if "evaluate" in call["path"]]) == 1, "one bad look is enough"


def test_59_a_region_that_recovered_by_itself(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    found = look(activities, sandbox)
    assert found.recovered
    assert found.looks == "eu: 3 consecutive good probes"


def test_59_good_but_slow_is_no_recovery(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-slow")
    found = look(activities, sandbox)
    assert not found.recovered
    assert "slow: p50" in found.looks


def test_52_the_newest_deployment_is_told(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-bad")
    hotfix = sandbox.deploy("eu", "v10")
    found = look(activities, sandbox)
    assert found.newest is not None
    assert (found.newest.id, found.newest.version) == (hotfix["id"], "v10")


@pytest.mark.parametrize("status", [500, 429])
def test_a_portal_that_does_not_answer_is_asked_again(
    activities: ActivitySet, sandbox: RunningSandbox, status: int
) -> None:
    sandbox.fault("ops_portal", "status", "GET", status=status)
    assert not failed(activities.preflights.check_rollback, check(sandbox)).non_retryable


def test_90_a_newer_deployment_of_another_service_does_not_hold_the_rollback(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    sandbox.history("eu", {"version": "v1", "services": ["server"]}, {"version": "d2", "services": ["dashboard"]})
    found = perform(activities.preflights.check_rollback, check(sandbox).replace(deploys=("server",)))
    assert isinstance(found, Preflight)
    assert found.newest is not None
    assert found.newest.version == "v1"

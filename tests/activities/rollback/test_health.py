"""Is a region well again? Probed against the sandbox's product, which is as well as the version deployed to it."""

import dataclasses
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from temporalio.exceptions import CancelledError
from temporalio.testing import ActivityEnvironment

from activities.registry import ActivitySet
from activities.rollback.health import Health
from incidents.domain.config.model import Region
from incidents.domain.rollback.activity_requests import RecordRegions, VerifyRegion
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.order import Probed
from incidents.domain.rollback.verification import (
    Baseline,
    BaselineFinding,
    Probe,
    RegionVerdict,
    Verdict,
)
from incidents.vendors.probe import ProductProbe
from sandbox.server import RunningSandbox
from tests.activities.conftest import perform

RULES = Rollback(
    probe_interval=timedelta(milliseconds=5),
    give_up_after=timedelta(milliseconds=500),
    healthy_probes=3,
    window=timedelta(milliseconds=100),
    min_samples=2,
    latency_slack_ms=1000,
)
NORMAL = BaselineFinding(
    region="eu",
    baseline=Baseline(
        p50_ms=4, p95_ms=8, samples=60, source="the recorder", since=datetime.now(UTC), until=datetime.now(UTC)
    ),
)
FAST = BaselineFinding(region="eu", baseline=NORMAL.baseline and NORMAL.baseline.replace(p50_ms=0.001, p95_ms=0.001))
PATIENT = RULES.replace(give_up_after=timedelta(seconds=20))


def wanted(
    sandbox: RunningSandbox, rules: Rollback = RULES, normal: BaselineFinding = NORMAL, version_region: str = "eu"
) -> VerifyRegion:
    region = Region(name="eu", url=f"{sandbox.url}/product/{version_region}", cluster="eu-001")
    return VerifyRegion(key="k", region=region, baseline=normal, rules=rules)


def verify(hands: ActivitySet, effect: VerifyRegion, attempt: int = 1, **info: Any) -> RegionVerdict:
    verdict = perform(hands.health.verify_region, effect, attempt, **info)
    assert isinstance(verdict, RegionVerdict)
    return verdict


def seen(*ago: timedelta, healthy: bool) -> list[Any]:
    """What an earlier attempt's heartbeat carried: a count, and looks made so long ago."""
    looks = (
        Probe(
            at=datetime.now(UTC) - since,
            healthy=healthy,
            elapsed_ms=4.0 if healthy else None,
            problem="" if healthy else "before",
        )
        for since in ago
    )
    return [len(ago), *(look.model_dump(mode="json", exclude_defaults=True) for look in looks)]


def test_a_good_version_is_healthy(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    verdict = verify(hands, wanted(sandbox, PATIENT))
    assert (verdict.verdict, verdict.region) == (Verdict.HEALTHY, "eu")
    assert verdict.p50_ms is not None
    assert verdict.p95_ms is not None
    assert 0 < verdict.p50_ms <= verdict.p95_ms
    assert " consecutive good probes, p50 " in verdict.detail
    assert verdict.detail.endswith("baseline 4 and 8 ms")
    evaluated = [call for call in sandbox.calls("product") if call["path"] == "/product/eu/v1/evaluate"]
    assert len(evaluated) == verdict.probes >= 3, "health alone proves nothing: each look evaluates a flag"


def test_a_bad_version_is_unhealthy(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.options(bad_latency_ms=20)
    sandbox.deploy("eu", "v9-bad")
    verdict = verify(hands, wanted(sandbox, RULES.replace(give_up_after=timedelta(milliseconds=800))))
    assert verdict.verdict is Verdict.UNHEALTHY
    assert "http_500" in verdict.detail


def test_one_bad_answer_begins_the_count_anew(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("product", "status", "health", status=503)
    verdict = verify(hands, wanted(sandbox, PATIENT))
    assert verdict.verdict is Verdict.HEALTHY
    assert verdict.probes >= 4


def test_a_region_that_recovers_while_it_is_watched_is_healthy(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.options(bad_latency_ms=1)
    sandbox.deploy("eu", "v9-bad")
    beats: list[int] = []

    def mend(*details: Any) -> None:
        beats.append(details[0])
        if len(beats) == 4:
            sandbox.deploy("eu", "v2.14.0")

    env = ActivityEnvironment()
    env.on_heartbeat = mend
    verdict = env.run(hands.health.verify_region, wanted(sandbox, PATIENT))
    assert verdict.verdict is Verdict.HEALTHY
    assert verdict.probes >= 7
    assert beats == list(range(1, verdict.probes + 1)), "every look is heartbeated"


def test_54_good_answers_that_are_slow_are_unhealthy(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    verdict = verify(hands, wanted(sandbox, RULES.replace(latency_slack_ms=0), FAST))
    assert verdict.verdict is Verdict.UNHEALTHY
    assert verdict.detail.startswith("slow: p95 ")


@pytest.mark.parametrize(("key", "problem"), [("fs_srv_wrong", "credentials_refused"), ("", "no_api_key")])
def test_55_refused_probe_credentials_are_neither_pass_nor_fail(
    sandbox: RunningSandbox, wired: Callable[..., ActivitySet], key: str, problem: str
) -> None:
    blind = wired(**sandbox.environment() | {"PROBE_API_KEY": key})
    verdict = verify(blind, wanted(sandbox))
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert problem in verdict.detail
    assert verdict.p95_ms is None


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (200, "<!doctype html><html><title>Log in</title></html>", "not_json"),
        (200, ["ok"], "not_json"),
        (302, "", "redirected"),
        (200, {"status": "degraded"}, "status_degraded"),
    ],
)
def test_a_login_page_or_a_bad_word_is_not_healthy(
    hands: ActivitySet, sandbox: RunningSandbox, status: int, body: Any, problem: str
) -> None:
    sandbox.fault("product", "status", "GET", status=status, body=body, times=None)
    verdict = verify(hands, wanted(sandbox))
    assert verdict.verdict is Verdict.UNHEALTHY
    assert f"health {problem}" in verdict.detail


def test_a_login_page_instead_of_an_evaluation_is_not_healthy(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("product", "status", "evaluate", status=200, body="<html>Log in</html>", times=None)
    verdict = verify(hands, wanted(sandbox))
    assert verdict.verdict is Verdict.UNHEALTHY
    assert "evaluation not_json" in verdict.detail


def test_a_flag_that_must_exist(sandbox: RunningSandbox, wired: Callable[..., ActivitySet]) -> None:
    known = wired(**sandbox.environment(), PROBE_FLAG_KEY="dark-mode")
    assert verify(known, wanted(sandbox, PATIENT)).verdict is Verdict.HEALTHY
    unknown = wired(**sandbox.environment(), PROBE_FLAG_KEY="gone")
    verdict = verify(unknown, wanted(sandbox))
    assert verdict.verdict is Verdict.UNHEALTHY
    assert "flag_not_found" in verdict.detail


def test_a_region_that_is_not_there_is_unhealthy(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    nowhere = wanted(sandbox).replace(region=Region(name="eu", url="http://127.0.0.1:1", cluster="eu-001"))
    verdict = verify(hands, nowhere)
    assert verdict.verdict is Verdict.UNHEALTHY
    assert "connect" in verdict.detail


def test_after_a_workers_death_the_window_goes_on(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    rules = PATIENT.replace(window=timedelta(minutes=1), give_up_after=timedelta(minutes=5))
    before = seen(timedelta(seconds=91), timedelta(seconds=30), healthy=True)
    verdict = verify(hands, wanted(sandbox, rules), attempt=2, heartbeat_details=before)
    assert (verdict.verdict, verdict.probes) == (Verdict.HEALTHY, 3), "two were seen before, one was made now"


def test_after_a_workers_death_the_time_of_looking_goes_on(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    before = seen(*(timedelta(hours=1, milliseconds=200 * n) for n in range(5, 0, -1)), healthy=False)
    verdict = verify(hands, wanted(sandbox), attempt=2, heartbeat_details=before)
    assert (verdict.verdict, verdict.probes) == (Verdict.UNHEALTHY, 6), "it had looked for longer than it may"


def test_after_a_workers_death_the_time_without_a_worker_does_not_count(
    hands: ActivitySet, sandbox: RunningSandbox
) -> None:
    before = seen(timedelta(hours=1, milliseconds=5), timedelta(hours=1), healthy=False)
    verdict = verify(hands, wanted(sandbox, PATIENT), attempt=2, heartbeat_details=before)
    assert verdict.verdict is Verdict.HEALTHY


def test_a_heartbeat_keeps_the_beginning_and_as_much_as_it_may_carry(
    hands: ActivitySet, sandbox: RunningSandbox
) -> None:
    rules = RULES.replace(window=timedelta(seconds=20), give_up_after=timedelta(seconds=30))
    before = seen(timedelta(minutes=1), *(timedelta(seconds=40 - n / 2) for n in range(80)), healthy=False)
    beats: list[tuple[Any, ...]] = []
    env = ActivityEnvironment()
    env.info = dataclasses.replace(ActivityEnvironment.default_info(), attempt=2, heartbeat_details=before)
    env.on_heartbeat = lambda *details: beats.append(details)
    env.run(hands.health.verify_region, wanted(sandbox, rules))
    count, first, *others = beats[0]
    assert (count, first["problem"]) == (82, "before"), "the first look tells when to give up"
    assert 38 < len(others) < 45, "the looks of the window, and no older ones"
    assert others[-1]["healthy"], "the newest is this attempt's"


def test_what_cannot_be_judged_asks_a_person_once_and_goes_on(
    sandbox: RunningSandbox, wired: Callable[..., ActivitySet]
) -> None:
    told: list[Probed] = []
    health = Health(ProductProbe(5, "fs_srv_wrong"), "", lambda _, probed: told.append(probed))
    verdict = perform(health.verify_region, wanted(sandbox, RULES.replace(give_up_after=timedelta(seconds=1))))
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert [probed.undecided for probed in told] == [True], "asked once, and probed to the limit"
    assert "Decide with `incident verdict`" in told[0].says
    assert verdict.probes > 10


def test_how_it_goes_is_told_now_and_then(sandbox: RunningSandbox) -> None:
    sandbox.options(bad_latency_ms=1)
    sandbox.deploy("eu", "v9-bad")
    told: list[Probed] = []
    health = Health(ProductProbe(5, "fs_srv_sandbox_probe"), "", lambda _, probed: told.append(probed))
    perform(health.verify_region, wanted(sandbox, RULES.replace(give_up_after=timedelta(seconds=3))))
    assert len(told) == 1, "every two seconds at most"
    assert "0/3 consecutive good; last: health http_500" in told[0].says


def test_the_recorder_takes_samples_of_good_times_only(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.options(bad_latency_ms=1)
    sandbox.deploy("us", "v9-bad")
    regions = tuple(Region(name=n, url=f"{sandbox.url}/product/{n}", cluster=f"{n}-001") for n in ("eu", "us"))
    eu, us = perform(hands.health.record_regions, RecordRegions(key="k", regions=regions, probes=4))
    assert (eu.region, len(eu.elapsed_ms)) == ("eu", 4)
    assert (us.region, us.elapsed_ms) == ("us", ())


def test_58_a_cancelled_verification_stops_at_once(hands: ActivitySet, sandbox: RunningSandbox) -> None:
    looked = Event()
    env = ActivityEnvironment()
    env.on_heartbeat = lambda *_: looked.set()
    asleep = PATIENT.replace(probe_interval=timedelta(seconds=50))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(env.run, hands.health.verify_region, wanted(sandbox, asleep))
        assert looked.wait(5)
        begun = time.monotonic()
        env.cancel()
        with pytest.raises(CancelledError):
            running.result(timeout=5)
        assert time.monotonic() - begun < 1
    assert len([call for call in sandbox.calls("product") if "evaluate" in call["path"]]) == 1

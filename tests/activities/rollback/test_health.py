"""Is a region well again? Probed against the sandbox's product, which is as well as the version deployed to it."""

import dataclasses
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
from activities.rollback.probes import RegionProbes
from incidents.domain.config.model import Region
from incidents.domain.config.probes import JsonCheck
from incidents.domain.rollback.activity_requests import RecordRegions, VerifyRegion
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.order import Probed
from incidents.domain.rollback.verification import (
    Baseline,
    BaselineFinding,
    ProbeResult,
    RegionVerdict,
    Verdict,
)
from incidents.vendors.product.probe import ProbeClient
from sandbox.server import RunningSandbox
from tests.activities.conftest import perform
from tests.support.incidents import RUNBOOK

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
ELSEWHERE = BaselineFinding(region="eu", baseline=NORMAL.baseline and NORMAL.baseline.replace(source="Prometheus"))
PATIENT = RULES.replace(give_up_after=timedelta(seconds=20))


def wanted(
    sandbox: RunningSandbox, rules: Rollback = RULES, normal: BaselineFinding = NORMAL, version_region: str = "eu"
) -> VerifyRegion:
    region = Region(name="eu", url=f"{sandbox.url}/product/{version_region}", cluster="eu-001")
    return VerifyRegion(key="k", region=region, baseline=normal, rules=rules, probes=RUNBOOK.probes)


def verify(activities: ActivitySet, effect: VerifyRegion, attempt: int = 1, **info: Any) -> RegionVerdict:
    verdict = perform(activities.health.verify_region, effect, attempt, **info)
    assert isinstance(verdict, RegionVerdict)
    return verdict


def seen(*ago: timedelta, healthy: bool) -> list[Any]:
    """What an earlier attempt's heartbeat carried: a count, and looks made so long ago."""
    looks = (
        ProbeResult(
            at=datetime.now(UTC) - since,
            healthy=healthy,
            elapsed_ms=4.0 if healthy else None,
            problem="" if healthy else "before",
        )
        for since in ago
    )
    return [len(ago), *(look.model_dump(mode="json", exclude_defaults=True) for look in looks)]


def test_a_good_version_is_healthy(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    verdict = verify(activities, wanted(sandbox, PATIENT))
    assert (verdict.verdict, verdict.region) == (Verdict.HEALTHY, "eu")
    assert verdict.p50_ms is not None
    assert verdict.p95_ms is not None
    assert 0 < verdict.p50_ms <= verdict.p95_ms
    assert " consecutive good probes, p50 " in verdict.detail
    assert verdict.detail.endswith("baseline 4 and 8 ms")
    evaluated = [call for call in sandbox.calls("product") if call["path"] == "/product/eu/v1/evaluate"]
    assert len(evaluated) == verdict.probes >= 3, "health alone proves nothing: each look evaluates a flag"


def test_a_bad_version_is_unhealthy(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.options(bad_latency_ms=20)
    sandbox.deploy("eu", "v9-bad")
    verdict = verify(activities, wanted(sandbox, RULES.replace(give_up_after=timedelta(milliseconds=800))))
    assert verdict.verdict is Verdict.UNHEALTHY
    assert "answered 500" in verdict.detail


def test_one_bad_answer_begins_the_count_anew(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("product", "status", "health", status=503)
    verdict = verify(activities, wanted(sandbox, PATIENT))
    assert verdict.verdict is Verdict.HEALTHY
    assert verdict.probes >= 4


def test_a_region_that_recovers_while_it_is_watched_is_healthy(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    sandbox.options(bad_latency_ms=1)
    sandbox.deploy("eu", "v9-bad")
    beats: list[int] = []

    def mend(*details: Any) -> None:
        beats.append(details[0])
        if len(beats) == 4:
            sandbox.deploy("eu", "v2.14.0")

    env = ActivityEnvironment()
    env.on_heartbeat = mend
    verdict = env.run(activities.health.verify_region, wanted(sandbox, PATIENT))
    assert verdict.verdict is Verdict.HEALTHY
    assert verdict.probes >= 7
    assert beats == list(range(1, verdict.probes + 1)), "every look is heartbeated"


def test_54_good_answers_that_are_slow_are_unhealthy(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    rules = RULES.replace(latency_slack_ms=0, window=timedelta(seconds=2), give_up_after=timedelta(seconds=3))
    verdict = verify(activities, wanted(sandbox, rules, FAST))
    assert verdict.verdict is Verdict.UNHEALTHY
    assert verdict.detail.startswith("slow: p95 ")


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("fs_srv_wrong", "evaluation answered 401 (it rejected PROBE_API_KEY)"),
        ("", "evaluation cannot be sent: PROBE_API_KEY is not set"),
    ],
)
def test_55_refused_probe_credentials_are_neither_pass_nor_fail(
    sandbox: RunningSandbox, wired: Callable[..., ActivitySet], key: str, problem: str
) -> None:
    blind = wired(**sandbox.environment() | {"PROBE_API_KEY": key})
    verdict = verify(blind, wanted(sandbox, normal=ELSEWHERE))
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert verdict.detail == f"only 0 usable probes ({problem})"
    assert verdict.p95_ms is None


def test_55_a_401_after_the_key_has_worked_is_not_called_rejected(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    sandbox.fault("product", "status", "evaluate", status=401, body={"error": "unauthorized"}, times=None)
    worked = (
        "evaluation answered 401, but PROBE_API_KEY worked before "
        "(the service's database may be down, or the key was revoked)"
    )
    by_the_recorder = verify(activities, wanted(sandbox))
    assert by_the_recorder.verdict is Verdict.INCONCLUSIVE, "who knows whether it is the database or the key"
    assert by_the_recorder.detail == f"only 0 usable probes ({worked})"
    before = seen(timedelta(seconds=1), healthy=True)
    in_this_verification = verify(activities, wanted(sandbox, normal=ELSEWHERE), attempt=2, heartbeat_details=before)
    assert in_this_verification.detail == f"only 1 usable probes ({worked})"


def test_a_401_after_the_same_worker_has_used_the_key_is_not_called_rejected(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    region = wanted(sandbox).region
    perform(
        activities.health.record_regions, RecordRegions(key="k", regions=(region,), probes=RUNBOOK.probes, rounds=1)
    )
    sandbox.fault("product", "status", "evaluate", status=401, body={"error": "unauthorized"}, times=None)
    assert "PROBE_API_KEY worked before" in verify(activities, wanted(sandbox, normal=ELSEWHERE)).detail


def test_a_request_cannot_have_another_secret_of_the_worker_sent(
    sandbox: RunningSandbox, wired: Callable[..., ActivitySet], monkeypatch: pytest.MonkeyPatch
) -> None:
    activities = wired(**sandbox.environment())
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    stolen = RUNBOOK.probes[1].replace(headers={"X-API-Key": "${SLACK_BOT_TOKEN}"})
    verdict = verify(activities, wanted(sandbox).replace(probes=(stolen,)))
    assert verdict.detail == "only 0 usable probes (evaluation cannot be sent: SLACK_BOT_TOKEN is not set)"
    assert [call for call in sandbox.calls("product") if "evaluate" in call["path"]] == []


def test_an_incident_opened_before_there_were_probes_needs_a_verdict(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    verdict = verify(activities, wanted(sandbox).replace(probes=()))
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert verdict.detail == "only 0 usable probes (the runbook of this incident has no probes)"


def test_a_host_that_cannot_be_resolved_is_one_plain_line(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    region = Region(name="eu", url="http://no-such-host.invalid", cluster="eu-001")
    verdict = verify(
        activities, wanted(sandbox, RULES.replace(give_up_after=timedelta(seconds=1))).replace(region=region)
    )
    said = "health and evaluation cannot resolve the host no-such-host.invalid; no latency samples"
    assert (verdict.verdict, verdict.detail) == (Verdict.UNHEALTHY, said)


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (200, "<!doctype html><html><title>Log in</title></html>", "answered, but not in JSON"),
        (200, ["ok"], "answered without status"),
        (302, "", "answered 302 (a redirect)"),
        (200, {"status": "degraded"}, "answered status degraded"),
    ],
)
def test_a_login_page_or_a_bad_word_is_not_healthy(
    activities: ActivitySet, sandbox: RunningSandbox, status: int, body: Any, problem: str
) -> None:
    sandbox.fault("product", "status", "GET", status=status, body=body, times=None)
    verdict = verify(activities, wanted(sandbox))
    assert verdict.verdict is Verdict.UNHEALTHY
    assert f"health {problem}" in verdict.detail


def test_a_login_page_instead_of_an_evaluation_is_not_healthy(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("product", "status", "evaluate", status=200, body="<html>Log in</html>", times=None)
    verdict = verify(activities, wanted(sandbox))
    assert verdict.verdict is Verdict.UNHEALTHY
    assert "evaluation answered, but not in JSON" in verdict.detail


def test_a_flag_that_must_exist(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    def asking(flag_key: str) -> VerifyRegion:
        health, evaluation = RUNBOOK.probes
        body = {"flag_key": flag_key, "context": {"key": "incident-probe", "attributes": {}}}
        found = JsonCheck(path="reason", not_equals=("ERROR", "NOT_FOUND"))
        return wanted(sandbox, PATIENT if flag_key == "dark-mode" else RULES).replace(
            probes=(health, evaluation.replace(body=body, expect_json=found))
        )

    assert verify(activities, asking("dark-mode")).verdict is Verdict.HEALTHY
    verdict = verify(activities, asking("gone"))
    assert verdict.verdict is Verdict.UNHEALTHY
    assert "evaluation answered reason NOT_FOUND" in verdict.detail


def test_a_region_that_is_not_there_is_unhealthy(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    nowhere = wanted(sandbox).replace(region=Region(name="eu", url="http://127.0.0.1:1", cluster="eu-001"))
    verdict = verify(activities, nowhere)
    assert verdict.verdict is Verdict.UNHEALTHY
    assert verdict.detail.startswith("health and evaluation cannot connect to 127.0.0.1:1;")


def test_after_a_workers_death_the_window_goes_on(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    rules = PATIENT.replace(window=timedelta(minutes=1), give_up_after=timedelta(minutes=5))
    before = seen(timedelta(seconds=91), timedelta(seconds=30), healthy=True)
    verdict = verify(activities, wanted(sandbox, rules), attempt=2, heartbeat_details=before)
    assert (verdict.verdict, verdict.probes) == (Verdict.HEALTHY, 3), "two were seen before, one was made now"


def test_after_a_workers_death_the_time_of_looking_goes_on(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    before = seen(*(timedelta(hours=1, milliseconds=200 * n) for n in range(5, 0, -1)), healthy=False)
    verdict = verify(activities, wanted(sandbox), attempt=2, heartbeat_details=before)
    assert (verdict.verdict, verdict.probes) == (Verdict.UNHEALTHY, 6), "it had looked for longer than it may"


def test_after_a_workers_death_the_time_without_a_worker_does_not_count(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    before = seen(timedelta(hours=1, milliseconds=5), timedelta(hours=1), healthy=False)
    verdict = verify(activities, wanted(sandbox, PATIENT), attempt=2, heartbeat_details=before)
    assert verdict.verdict is Verdict.HEALTHY


def test_a_heartbeat_keeps_the_beginning_and_as_much_as_it_may_carry(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    rules = RULES.replace(window=timedelta(seconds=20), give_up_after=timedelta(seconds=30))
    before = seen(timedelta(minutes=1), *(timedelta(seconds=40 - n / 2) for n in range(80)), healthy=False)
    beats: list[tuple[Any, ...]] = []
    env = ActivityEnvironment()
    env.info = dataclasses.replace(ActivityEnvironment.default_info(), attempt=2, heartbeat_details=before)
    env.on_heartbeat = lambda *details: beats.append(details)
    env.run(activities.health.verify_region, wanted(sandbox, rules))
    count, first, *others = beats[0]
    assert (count, first["problem"]) == (82, "before"), "the first look tells when to give up"
    assert 38 < len(others) < 45, "the looks of the window, and no older ones"
    assert others[-1]["healthy"], "the newest is this attempt's"


def test_what_cannot_be_judged_asks_a_person_once_and_goes_on(
    sandbox: RunningSandbox, wired: Callable[..., ActivitySet]
) -> None:
    told: list[Probed] = []
    probes = RegionProbes(ProbeClient(5), lambda _: "fs_srv_wrong")
    health = Health(probes, lambda _, probed: told.append(probed))
    verdict = perform(health.verify_region, wanted(sandbox, RULES.replace(give_up_after=timedelta(seconds=1))))
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert [probed.undecided for probed in told] == [True], "asked once, and probed to the limit"
    assert "Decide with `incident verdict`" in told[0].summary
    assert verdict.probes > 10


def test_how_it_goes_is_told_now_and_then(sandbox: RunningSandbox) -> None:
    sandbox.options(bad_latency_ms=1)
    sandbox.deploy("eu", "v9-bad")
    told: list[Probed] = []
    probes = RegionProbes(ProbeClient(5), lambda _: "fs_srv_sandbox_probe")
    health = Health(probes, lambda _, probed: told.append(probed))
    verdict = perform(health.verify_region, wanted(sandbox, RULES.replace(give_up_after=timedelta(seconds=3))))
    progress = [probed.summary for probed in told if not probed.undecided]
    assert 0 < len(progress) < verdict.probes / 10, "every two seconds at most, and probed far more often"
    assert "0/3 consecutive good; last: health " in progress[0]
    assert progress[0].endswith("answered 500")


def test_the_recorder_takes_samples_of_good_times_only(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.options(bad_latency_ms=1)
    sandbox.deploy("us", "v9-bad")
    regions = tuple(Region(name=n, url=f"{sandbox.url}/product/{n}", cluster=f"{n}-001") for n in ("eu", "us"))
    eu, us = perform(
        activities.health.record_regions, RecordRegions(key="k", regions=regions, probes=RUNBOOK.probes, rounds=4)
    )
    assert (eu.region, len(eu.elapsed_ms)) == ("eu", 4)
    assert (us.region, us.elapsed_ms) == ("us", ())


def test_58_a_cancelled_verification_stops_at_once(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    looked = Event()
    env = ActivityEnvironment()
    env.on_heartbeat = lambda *_: looked.set()
    asleep = PATIENT.replace(probe_interval=timedelta(seconds=50))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(env.run, activities.health.verify_region, wanted(sandbox, asleep))
        assert looked.wait(20)
        env.cancel()
        with pytest.raises(CancelledError):
            running.result(timeout=20)  # it would sleep for 50 s
    assert len([call for call in sandbox.calls("product") if "evaluate" in call["path"]]) == 1

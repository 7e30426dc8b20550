"""48 to 50, 54, 55: what is rolled back to what, and what proves that it helped."""

from datetime import datetime, timedelta

import pytest

from runbook.deployments import Deployment, offer
from runbook.policy import Rollback
from runbook.verification import Probe, RegionVerdict, Verdict, combine, judge, quantile
from tests.runbook.incidents import RUNBOOK, T0, at

RULES = RUNBOOK.rollback
DAY = 24 * 60


def row(version: str, minutes: float, status: str = "success", rollback_from: str = "") -> Deployment:
    return Deployment(
        id=f"{version}@{minutes}",
        cluster="eu-001",
        version=version,
        status=status,
        started_at=at(minutes),
        rollback_from=rollback_from,
    )


def judged(*rows: Deployment, alerted_at: datetime = T0) -> tuple[str, str]:
    found = offer(rows, "eu-001", alerted_at, RULES)
    if found.suspect is None:
        return "", found.reason
    return found.suspect.version, found.candidate.version if found.candidate else found.reason


def test_48_without_a_deployment_in_the_window_there_is_no_suspect() -> None:
    assert judged(row("v1", -3 * DAY), row("v2", -121)) == (
        "",
        "the newest deployment of eu-001, v2, is 2h 1m old: not within 2h",
    )
    assert judged() == ("", "eu-001 has no deployment before the alert")
    assert judged(row("v1", 5)) == ("", "eu-001 has no deployment before the alert")


def test_49_the_newest_one_before_that_served_long_enough() -> None:
    assert judged(row("v1", -DAY), row("v2", -60), row("v3", -10)) == ("v3", "v2")


@pytest.mark.parametrize(
    ("passed_over", "why"),
    [
        (row("v2", -20), "in service for 10m only"),
        (row("v2", -60, status="failed"), "its status is failed"),
        (row("v3", -60), "the same version as the suspect"),
    ],
)
def test_49_never_simply_the_previous_one(passed_over: Deployment, why: str) -> None:
    found = offer((row("v1", -DAY), passed_over, row("v3", -10)), "eu-001", T0, RULES)
    assert found.candidate is not None
    assert found.candidate.version == "v1"
    assert why in found.considered[0].reason
    assert [candidate.taken for candidate in found.considered] == [False, True]


def test_49_a_version_that_was_rolled_back_before_is_bad() -> None:
    history = (row("v1", -DAY), row("v2", -300), row("v1", -200, rollback_from="v2"), row("v2", -100), row("v3", -10))
    assert judged(*history) == ("v3", "v1")


def test_49_a_status_that_the_portal_never_settles_is_said() -> None:
    found = offer((row("v1", -DAY, status="in_progress"), row("v2", -10)), "eu-001", T0, RULES)
    assert found.candidate is not None
    assert "the portal never settled its status" in found.considered[0].reason


def test_a_suspect_without_a_known_good_one_is_said_and_not_offered() -> None:
    suspect, reason = judged(row("v1", -15), row("v2", -10))
    assert suspect == "v2"
    assert "no older deployment is known to be good" in reason


LIMITS = Rollback(healthy_probes=3, latency_baseline_ms=50, latency_tolerance=1.5)


def seen(*looks: tuple[bool, float | None], last: bool = False) -> RegionVerdict | None:
    probes = tuple(
        Probe(at=T0 + timedelta(seconds=n), healthy=ok, elapsed_ms=ms, problem="" if ok else "health: http_500")
        for n, (ok, ms) in enumerate(looks)
    )
    return judge("eu", probes, LIMITS, last=last)


def test_54_good_answers_in_a_row_and_latency_back() -> None:
    assert seen((True, 10), (True, 10)) is None
    verdict = seen((False, None), (True, 10), (True, 20), (True, 75))
    assert verdict is not None
    assert (verdict.verdict, verdict.p50_ms, verdict.p95_ms) == (Verdict.HEALTHY, 20, 75)


def test_54_answers_that_are_good_but_slow_are_not_healthy() -> None:
    assert seen((True, 10), (True, 20), (True, 76)) is None
    verdict = seen((True, 10), (True, 20), (True, 76), last=True)
    assert verdict is not None
    assert verdict.verdict is Verdict.UNHEALTHY
    assert "slow; p95 76 ms, limit 75 ms" in verdict.detail


def test_54_one_bad_answer_begins_the_row_again() -> None:
    assert seen((True, 10), (True, 10), (False, None), (True, 10), (True, 10)) is None


def test_55_too_little_to_judge_by_is_inconclusive() -> None:
    verdict = seen((True, 10), last=True)
    assert verdict is not None
    assert verdict.verdict is Verdict.INCONCLUSIVE
    blind = tuple(
        Probe(at=T0, healthy=False, problem="evaluation: credentials_refused", measured=False) for _ in range(9)
    )
    refused = judge("eu", blind, LIMITS, last=True)
    assert refused is not None
    assert refused.verdict is Verdict.INCONCLUSIVE
    assert "credentials_refused" in refused.detail


def test_the_worst_region_decides_and_none_decides_nothing() -> None:
    def region(verdict: Verdict) -> RegionVerdict:
        return RegionVerdict(region="x", verdict=verdict, detail="")

    good, bad, open_ = (region(v) for v in (Verdict.HEALTHY, Verdict.UNHEALTHY, Verdict.INCONCLUSIVE))
    assert combine((good, good)) is Verdict.HEALTHY
    assert combine((good, open_)) is Verdict.INCONCLUSIVE
    assert combine((good, open_, bad)) is Verdict.UNHEALTHY
    assert combine(()) is Verdict.INCONCLUSIVE


def test_quantiles_are_values_that_were_seen() -> None:
    assert [quantile([3.0, 1.0, 2.0], share) for share in (0.0, 0.5, 0.95, 1.0)] == [1.0, 2.0, 3.0, 3.0]

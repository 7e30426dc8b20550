"""54, 55: what proves that a region is healthy again, and what proves nothing."""

from datetime import timedelta

import pytest

from incidents.domain.rollback.baseline import (
    Recording,
    Sample,
    finding,
    recorded,
)
from incidents.domain.rollback.config import BaselineRules, RecorderRules, Rollback
from incidents.domain.rollback.verification import (
    Baseline,
    BaselineFinding,
    ProbeResult,
    RegionVerdict,
    Verdict,
    combine,
    describe_progress,
    judge,
    limit_ms,
    quantile,
)
from tests.support.incidents import T0, at

LIMITS = Rollback(
    healthy_probes=3,
    window=timedelta(seconds=4),
    min_samples=4,
    latency_tolerance=1.5,
    latency_slack_ms=0,
    give_up_after=timedelta(minutes=5),
)
NORMAL = BaselineFinding(
    region="eu", baseline=Baseline(p50_ms=20, p95_ms=50, samples=60, source="the recorder", since=T0, until=T0)
)
UNKNOWN = BaselineFinding(region="eu", why="the recorder has 3 samples")
GOOD = (True, 10.0)
DOWN = (False, None)


def probes(*looks: tuple[bool, float | None]) -> tuple[ProbeResult, ...]:
    return tuple(
        ProbeResult(at=T0 + timedelta(seconds=n), healthy=ok, elapsed_ms=ms, problem="" if ok else "health: http_500")
        for n, (ok, ms) in enumerate(looks)
    )


def seen(
    *looks: tuple[bool, float | None], last: bool = False, normal: BaselineFinding = NORMAL, rules: Rollback = LIMITS
) -> RegionVerdict | None:
    return judge("eu", probes(*looks), normal, rules, last=last)


def verdict(found: RegionVerdict | None) -> Verdict | None:
    return found.verdict if found else None


def test_54_good_in_a_row_and_as_fast_as_before_over_a_full_window() -> None:
    assert seen(*[GOOD] * 4) is None, "the window is not full"
    found = seen(*[GOOD] * 4, (True, 70))
    assert verdict(found) is Verdict.HEALTHY
    assert found is not None
    assert (found.p50_ms, found.p95_ms, found.probes) == (10, 70, 5)
    assert found.detail == "5 consecutive good probes, p50 10 ms, p95 70 ms of 5 samples, baseline 20 and 50 ms"


@pytest.mark.parametrize(
    ("looks", "summary"),
    [
        ([GOOD, GOOD, GOOD, GOOD, (True, 76.0)], "slow: p95 76 ms, baseline 50 ms, limit 75 ms"),
        ([(True, 40.0)] * 6, "slow: p50 40 ms, baseline 20 ms, limit 30 ms"),
    ],
)
def test_54_good_answers_that_are_slow_are_not_healthy(looks: list[tuple[bool, float | None]], summary: str) -> None:
    assert seen(*looks) is None
    found = seen(*looks, last=True)
    assert verdict(found) is Verdict.UNHEALTHY
    assert found is not None
    assert found.detail == summary


def test_54_one_bad_answer_begins_the_row_again() -> None:
    assert seen(*[GOOD] * 5, DOWN, GOOD, GOOD) is None
    assert verdict(seen(*[GOOD] * 5, DOWN, GOOD, GOOD, GOOD)) is Verdict.HEALTHY


def test_a_slow_past_leaves_the_window() -> None:
    assert verdict(seen(*[(True, 900.0)] * 5, *[GOOD] * 5)) is Verdict.HEALTHY


def test_bad_to_the_end_is_unhealthy() -> None:
    found = seen(*[DOWN] * 6, last=True)
    assert verdict(found) is Verdict.UNHEALTHY
    assert found is not None
    assert found.detail == "health: http_500; no latency samples"


@pytest.mark.parametrize(
    ("looks", "normal", "summary"),
    [
        ([GOOD], NORMAL, "only 1 usable probes (not enough time)"),
        ([GOOD] * 6, UNKNOWN, "healthy, but its latency cannot be judged: the recorder has 3 samples"),
        ([(True, None)] * 6, NORMAL, "healthy, but only 0 of 4 latency samples in the window"),
        ([], NORMAL, "no probes"),
    ],
)
def test_55_what_cannot_be_measured_is_inconclusive(
    looks: list[tuple[bool, float | None]], normal: BaselineFinding, summary: str
) -> None:
    assert seen(*looks, normal=normal) is None
    found = seen(*looks, normal=normal, last=True)
    assert verdict(found) is Verdict.INCONCLUSIVE
    assert found is not None
    assert found.detail == summary


def test_55_refused_credentials_say_nothing_of_the_region() -> None:
    problem = "evaluation: credentials_refused"
    blind = tuple(ProbeResult(at=at(n), healthy=False, problem=problem, measured=False) for n in range(9))
    found = judge("eu", blind, NORMAL, LIMITS, last=True)
    assert verdict(found) is Verdict.INCONCLUSIVE
    assert found is not None
    assert found.detail == f"only 0 usable probes ({problem})"


def test_what_is_very_fast_in_good_times_may_be_a_little_slower() -> None:
    assert limit_ms(2, LIMITS.replace(latency_slack_ms=10)) == 12
    assert limit_ms(100, LIMITS.replace(latency_slack_ms=10)) == 150


def test_the_worst_region_decides_and_none_decides_nothing() -> None:
    def region(verdict: Verdict) -> RegionVerdict:
        return RegionVerdict(region="x", verdict=verdict, detail="")

    good, bad, open_ = (region(v) for v in (Verdict.HEALTHY, Verdict.UNHEALTHY, Verdict.INCONCLUSIVE))
    assert combine((good, good)) is Verdict.HEALTHY
    assert combine((good, open_)) is Verdict.INCONCLUSIVE
    assert combine((good, open_, bad)) is Verdict.UNHEALTHY
    assert combine(()) is Verdict.INCONCLUSIVE


def test_a_quantile_is_a_value_that_was_seen() -> None:
    values = [float(n) for n in range(1, 101)]
    assert [quantile(values, share) for share in (0.5, 0.95, 1)] == [50, 95, 100]
    assert quantile([7], 0.95) == 7


def test_how_it_goes_is_said_in_a_line() -> None:
    assert describe_progress("eu", probes(DOWN, GOOD, GOOD), 9, LIMITS) == "eu: 9 probes, 2/3 consecutive good"
    assert describe_progress("eu", probes(*[GOOD] * 6), 6, LIMITS) == "eu: 6 probes, 3/3 consecutive good"
    bad = describe_progress("eu", probes(GOOD, DOWN), 2, LIMITS)
    assert bad == "eu: 2 probes, 0/3 consecutive good; last: health: http_500"


def sample(minute: float, *times: float, region: str = "eu") -> Sample:
    return Sample(at=at(minute), region=region, elapsed_ms=times)


def test_the_baseline_is_from_before_the_deployment_and_of_this_region() -> None:
    kept = Recording(samples=(sample(-90, 1, 1), sample(-30, 4, 5), sample(-10, 6), sample(-10, 99, region="us")))
    rules = BaselineRules(window=timedelta(hours=1), min_samples=3)
    found = finding(kept.replace(samples=(*kept.samples, sample(1, 800))), "eu", T0, rules).baseline
    assert found is not None
    assert (found.p50_ms, found.p95_ms, found.samples, found.source) == (5, 6, 3, "the recorder")
    assert (found.since, found.until) == (at(-60), T0)


def test_too_few_samples_are_no_baseline() -> None:
    found = finding(Recording(samples=(sample(-30, 4),)), "eu", T0, BaselineRules())
    assert found.baseline is None
    assert found.why == "only 1 of the 20 samples needed were recorded before the deployment"


def test_the_recorder_forgets_what_is_too_old() -> None:
    rules = RecorderRules(keep=timedelta(hours=1))
    after = recorded(Recording(samples=(sample(-90, 1), sample(-30, 2))), (sample(0, 3),), rules, T0)
    assert [s.elapsed_ms for s in after.samples] == [(2,), (3,)]

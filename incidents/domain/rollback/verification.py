"""Verify that a region is healthy again (runbook, "Rollback Procedures", step 3)."""

from enum import StrEnum

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen
from incidents.domain.rollback.config import Rollback


class Verdict(StrEnum):
    """Verdict of the probes. Inconclusive is neither pass nor fail: a responder decides."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    INCONCLUSIVE = "inconclusive"


class ProbeResult(Frozen):
    """Result of probing a region once. `elapsed_ms`: of the probe that measures latency, None without a good answer.

    `measured` is false when a probe itself failed, such as rejected credentials: it tells nothing about the region.
    """

    at: AwareDatetime
    healthy: bool
    elapsed_ms: float | None = None
    problem: str = ""
    measured: bool = True


class Baseline(Frozen):
    """Latency while healthy: quantiles (ms), sample count and source."""

    p50_ms: float
    p95_ms: float
    samples: int
    source: str
    since: AwareDatetime
    until: AwareDatetime


class BaselineFinding(Frozen):
    """Baseline of one region, or `why` there is none. `failed`: no source answered, so one may exist."""

    region: str
    baseline: Baseline | None = None
    why: str = ""
    failed: bool = False


class RegionVerdict(Frozen):
    """Verdict for one region, with its figures."""

    region: str
    verdict: Verdict
    detail: str
    probes: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None


def quantile(values: list[float], share: float) -> float:
    """Return the smallest value that at least `share` of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def baseline_of(values: list[float], source: str, since: AwareDatetime, until: AwareDatetime) -> Baseline:
    """Return the baseline of these samples (ms); at least one."""
    return Baseline(
        p50_ms=quantile(values, 0.5),
        p95_ms=quantile(values, 0.95),
        samples=len(values),
        source=source,
        since=since,
        until=until,
    )


def limit_ms(normal_ms: float, rules: Rollback) -> float:
    """Return the latency limit (ms) of a quantile whose baseline is `normal_ms`."""
    return max(normal_ms * rules.latency_tolerance, normal_ms + rules.latency_slack_ms)


def consecutive_good(probes: tuple[ProbeResult, ...]) -> int:
    """Return the number of consecutive good probes at the end."""
    count = 0
    for probe in reversed([probe for probe in probes if probe.measured]):
        if not probe.healthy:
            break
        count += 1
    return count


def judge(
    region: str, probes: tuple[ProbeResult, ...], finding: BaselineFinding, rules: Rollback, *, last: bool
) -> RegionVerdict | None:
    """Return the verdict, or None while undecided; with `last` there is always one.

    Healthy: the last `healthy_probes` probes were good, and over a full `window` p50 and p95 of the latency are
    within tolerance of the baseline. Good but slow answers are not healthy (behaviour 54); without measurements the
    verdict is inconclusive (55).
    """
    measured = tuple(probe for probe in probes if probe.measured)
    if not probes:
        return RegionVerdict(region=region, verdict=Verdict.INCONCLUSIVE, detail="no probes") if last else None
    newest = probes[-1].at
    window = [probe for probe in measured if newest - probe.at <= rules.window]
    times = [probe.elapsed_ms for probe in window if probe.elapsed_ms is not None]
    row, full = consecutive_good(probes), bool(measured) and newest - measured[0].at >= rules.window
    slow = _slow(times, finding.baseline, rules)
    enough = full and len(times) >= rules.min_samples
    if row >= rules.healthy_probes and enough and slow == "":
        said = f"{row} consecutive good probes, {_figures(times, finding)}"
        return _verdict(region, Verdict.HEALTHY, said, probes, times)
    if not last:
        return None
    if row < rules.healthy_probes and len(measured) >= rules.healthy_probes:
        problem = next(probe.problem for probe in reversed(measured) if not probe.healthy)
        return _verdict(region, Verdict.UNHEALTHY, f"{problem}; {_figures(times, finding)}", probes, times)
    if enough and slow:
        return _verdict(region, Verdict.UNHEALTHY, slow, probes, times)
    return _verdict(
        region, Verdict.INCONCLUSIVE, _why_inconclusive(probes, measured, times, finding, rules), probes, times
    )


def _why_inconclusive(
    probes: tuple[ProbeResult, ...],
    measured: tuple[ProbeResult, ...],
    times: list[float],
    finding: BaselineFinding,
    rules: Rollback,
) -> str:
    if len(measured) < rules.healthy_probes:
        problem = next((probe.problem for probe in reversed(probes) if probe.problem), "not enough time")
        return f"only {len(measured)} usable probes ({problem})"
    if finding.baseline is None:
        return f"healthy, but its latency cannot be judged: {finding.why or 'no baseline was measured'}"
    return f"healthy, but only {len(times)} of {rules.min_samples} latency samples in the window"


def _slow(times: list[float], baseline: Baseline | None, rules: Rollback) -> str | None:
    """Return which quantile is too slow; "" if none, None if unknown."""
    if baseline is None or not times:
        return None
    for name, share, normal in (("p95", 0.95, baseline.p95_ms), ("p50", 0.5, baseline.p50_ms)):
        found, limit = quantile(times, share), limit_ms(normal, rules)
        if found > limit:
            return f"slow: {name} {found:.0f} ms, baseline {normal:.0f} ms, limit {limit:.0f} ms"
    return ""


def _figures(times: list[float], finding: BaselineFinding) -> str:
    if not times:
        return "no latency samples"
    found = f"p50 {quantile(times, 0.5):.0f} ms, p95 {quantile(times, 0.95):.0f} ms of {len(times)} samples"
    if finding.baseline is None:
        return found
    return f"{found}, baseline {finding.baseline.p50_ms:.0f} and {finding.baseline.p95_ms:.0f} ms"


def _verdict(
    region: str, verdict: Verdict, detail: str, probes: tuple[ProbeResult, ...], times: list[float]
) -> RegionVerdict:
    p50, p95 = (quantile(times, 0.5), quantile(times, 0.95)) if times else (None, None)
    return RegionVerdict(region=region, verdict=verdict, detail=detail, probes=len(probes), p50_ms=p50, p95_ms=p95)


def describe_progress(region: str, probes: tuple[ProbeResult, ...], count: int, rules: Rollback) -> str:
    """Return the progress of a region's verification in one line; `count`: probes so far."""
    row, newest = consecutive_good(probes), probes[-1]
    progress = f"{region}: {count} probes, {min(row, rules.healthy_probes)}/{rules.healthy_probes} consecutive good"
    return f"{progress}; last: {newest.problem}" if newest.problem else progress


def combine(regions: tuple[RegionVerdict, ...]) -> Verdict:
    """Return the worst verdict of all regions; inconclusive without regions."""
    for verdict in (Verdict.UNHEALTHY, Verdict.INCONCLUSIVE):
        if any(region.verdict == verdict for region in regions):
            return verdict
    return Verdict.HEALTHY if regions else Verdict.INCONCLUSIVE

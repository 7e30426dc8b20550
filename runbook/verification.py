"""Is a region healthy again? (runbook, "Rollback Procedures", step 3)"""

from enum import StrEnum

from pydantic import AwareDatetime

from runbook.base import Frozen
from runbook.policy import Rollback


class Verdict(StrEnum):
    """What the probes say. Inconclusive is neither a pass nor a failure: a person decides."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    INCONCLUSIVE = "inconclusive"


class Probe(Frozen):
    """One look at a region: its health endpoint, and one real evaluation (`elapsed_ms`, None without an answer).

    `measured` is false when the look itself failed, such as refused probe credentials: it says nothing of the region.
    """

    at: AwareDatetime
    healthy: bool
    elapsed_ms: float | None = None
    problem: str = ""
    measured: bool = True


class RegionVerdict(Frozen):
    """The verdict for one region, with the figures that it rests on."""

    region: str
    verdict: Verdict
    detail: str
    probes: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None


def quantile(values: list[float], share: float) -> float:
    """Return the smallest value that at least `share` of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(share * 100) // 100) - 1)]


def judge(region: str, probes: tuple[Probe, ...], rules: Rollback, *, last: bool) -> RegionVerdict | None:
    """Return the verdict, or None while it is open; with `last` there is always one.

    Healthy: the newest `healthy_probes` looks in a row were good, and the p95 of their evaluations is within tolerance
    of the baseline. A good answer that is slow is not healthy (BEHAVIOURS 54).
    """
    measured = [probe for probe in probes if probe.measured]
    window = measured[-rules.healthy_probes :]
    times = [probe.elapsed_ms for probe in window if probe.elapsed_ms is not None]
    limit = rules.latency_baseline_ms * rules.latency_tolerance
    p50, p95 = (quantile(times, 0.5), quantile(times, 0.95)) if times else (None, None)
    full = len(window) == rules.healthy_probes and all(probe.healthy for probe in window)
    figures = f"p95 {p95:.0f} ms, limit {limit:.0f} ms" if p95 is not None else "no evaluation answered"
    if full and p95 is not None and p95 <= limit:
        verdict, detail = Verdict.HEALTHY, f"{len(window)} good probes in a row, {figures}"
    elif not last:
        return None
    elif len(measured) < rules.healthy_probes:
        problem = next((probe.problem for probe in reversed(probes) if probe.problem), "no probe was made")
        verdict, detail = Verdict.INCONCLUSIVE, f"only {len(measured)} usable probes: {problem}"
    else:
        problem = next((probe.problem for probe in reversed(window) if not probe.healthy), "slow")
        verdict, detail = Verdict.UNHEALTHY, f"{problem}; {figures}"
    return RegionVerdict(region=region, verdict=verdict, detail=detail, probes=len(probes), p50_ms=p50, p95_ms=p95)


def combine(regions: tuple[RegionVerdict, ...]) -> Verdict:
    """Return the verdict for all regions: the worst one; none at all is inconclusive."""
    for verdict in (Verdict.UNHEALTHY, Verdict.INCONCLUSIVE):
        if any(region.verdict == verdict for region in regions):
            return verdict
    return Verdict.HEALTHY if regions else Verdict.INCONCLUSIVE

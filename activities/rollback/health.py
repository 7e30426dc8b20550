"""Verify the health of a region: one long activity per region, with its probes in the heartbeat."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from temporalio import activity

from incidents.domain.config.model import Region
from incidents.domain.rollback.activity_requests import RecordRegions, VerifyRegion
from incidents.domain.rollback.baseline import Sample
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.order import Probed
from incidents.domain.rollback.verification import (
    Probe,
    RegionVerdict,
    Verdict,
    describe_progress,
    judge,
)
from incidents.vendors.probe import ProductProbe

_REJECTED = ("credentials_refused", "no_api_key")
_NOTIFY_AT_MOST = timedelta(seconds=2)
_NOTIFY_AT_LEAST = timedelta(seconds=30)


class Health:
    """Probes the product's endpoints. `notify` takes a workflow id and the progress of its verification."""

    def __init__(self, probe: ProductProbe, flag_key: str, notify: Callable[[str, Probed], None]) -> None:
        self._probe, self._flag_key, self._notify = probe, flag_key, notify

    @activity.defn
    def verify_region(self, request: VerifyRegion) -> RegionVerdict:
        """Probe a region until there is a verdict, at most for `give_up_after`.

        After a worker crash, the next attempt continues with the probes of the last heartbeat, shifted to now: the
        window does not restart, and the downtime does not count against the region. While inconclusive, probing
        continues and a responder is asked once.
        """
        rules, region = request.rules, request.region.name
        count, *seen = activity.info().heartbeat_details or (0,)
        probes = _resumed([Probe.model_validate(probe) for probe in seen], rules)
        notified_at, asked = datetime.now(UTC), False
        while True:
            probes, count = _kept([*probes, self.look(request.region.url)], rules), count + 1
            activity.heartbeat(count, *(probe.model_dump(mode="json", exclude_defaults=True) for probe in probes))
            now, begun = probes[-1].at, probes[0].at
            verdict = judge(region, tuple(probes), request.baseline, rules, last=now - begun >= rules.give_up_after)
            if verdict is not None:
                return verdict.replace(probes=count)
            if not asked and (question := _question(request, tuple(probes))):
                asked = True
                self._send(Probed(region=region, says=question, undecided=True))
            elif now - notified_at >= _notify_every(rules):
                notified_at = now
                self._send(Probed(region=region, says=describe_progress(region, tuple(probes), count, rules)))
            # Wakes at once, with the cancellation as an error, when the activity is cancelled.
            activity.wait_for_cancelled_sync(rules.probe_interval)

    @activity.defn
    def record_regions(self, request: RecordRegions) -> list[Sample]:
        """Probe each region for the baseline recorder. Failed probes are not samples."""
        return [self._sample(region, request.probes) for region in request.regions]

    def _sample(self, region: Region, count: int) -> Sample:
        at = datetime.now(UTC)
        looks = [self.look(region.url) for _ in range(count)]
        times = tuple(look.elapsed_ms for look in looks if look.healthy and look.elapsed_ms is not None)
        return Sample(at=at, region=region.name, elapsed_ms=times)

    def _send(self, probed: Probed) -> None:
        self._notify(activity.info().workflow_id or "", probed)

    def look(self, url: str) -> Probe:
        """Probe a region once: its health endpoint and one evaluation."""
        at = datetime.now(UTC)
        health = self._probe.health(url)
        evaluation = self._probe.evaluate(url, self._flag_key)
        problem = "" if health.ok else f"health {health.problem}"
        if not evaluation.ok:
            problem = f"{problem}, evaluation {evaluation.problem}".lstrip(", ")
        return Probe(
            at=at,
            healthy=health.ok and evaluation.ok,
            elapsed_ms=evaluation.elapsed_ms if evaluation.ok else None,
            problem=problem,
            measured=evaluation.problem not in _REJECTED,
        )


def _resumed(probes: list[Probe], rules: Rollback) -> list[Probe]:
    """Return an earlier attempt's probes, shifted to now."""
    if not probes:
        return []
    lost = datetime.now(UTC) - probes[-1].at - rules.probe_interval
    return [probe.replace(at=probe.at + lost) for probe in probes] if lost > timedelta() else probes


def _kept(probes: list[Probe], rules: Rollback) -> list[Probe]:
    """Return the first probe (for the time limit) and those that a verdict may still need."""
    first, *others = probes
    newest = probes[-1].at
    needed = [p for p in others[: -rules.healthy_probes] if newest - p.at <= rules.window + rules.probe_interval * 2]
    return [first, *needed, *others[-rules.healthy_probes :]]


def _question(request: VerifyRegion, probes: tuple[Probe, ...]) -> str:
    """Return the question for a responder once a full window is inconclusive, or ""."""
    rules = request.rules
    if probes[-1].at - probes[0].at < rules.window + rules.probe_interval * rules.healthy_probes:
        return ""
    found = judge(request.region.name, probes, request.baseline, rules, last=True)
    if found is None or found.verdict is not Verdict.INCONCLUSIVE:
        return ""
    return f"{found.region} is inconclusive ({found.detail}). Decide with `incident verdict`: healthy or unhealthy"


def _notify_every(rules: Rollback) -> timedelta:
    return min(max(rules.window / 4, _NOTIFY_AT_MOST), _NOTIFY_AT_LEAST)

"""Verify the health of a region: one long activity per region, with its probes in the heartbeat."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities import ports
from incidents.domain.config.model import Region
from incidents.domain.config.probes import Probe
from incidents.domain.rollback.activity_requests import RecordRegions, VerifyRegion
from incidents.domain.rollback.baseline import Sample, credentials_worked
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.order import Probed
from incidents.domain.rollback.verification import (
    ProbeResult,
    RegionVerdict,
    Verdict,
    describe_progress,
    judge,
)

_NOTIFY_AT_MOST = timedelta(seconds=2)
_NOTIFY_AT_LEAST = timedelta(seconds=30)


class Health:
    """Probes the regions of a service. `notify` takes a workflow id and the progress of its verification."""

    def __init__(self, probe: ports.HealthProbe, notify: Callable[[str, Probed], None]) -> None:
        self._probe, self._notify = probe, notify

    @activity.defn
    def verify_region(self, request: VerifyRegion) -> RegionVerdict:
        """Probe a region until there is a verdict, at most for `give_up_after`.

        After a worker crash, the next attempt continues with the probes of the last heartbeat, shifted to now: the
        window does not restart, and the downtime does not count against the region. While inconclusive, probing
        continues and a responder is asked once.
        """
        rules, region = request.rules, request.region.name
        count, *seen = activity.info().heartbeat_details or (0,)
        probes = _resumed([ProbeResult.model_validate(probe) for probe in seen], rules)
        notified_at, asked = datetime.now(UTC), False
        while True:
            newest = self._probe.look(request.probes, request.region, proven=_key_worked(request, probes))
            probes, count = _kept([*probes, newest], rules), count + 1
            activity.heartbeat(count, *(probe.model_dump(mode="json", exclude_defaults=True) for probe in probes))
            now, begun = probes[-1].at, probes[0].at
            verdict = judge(region, tuple(probes), request.baseline, rules, last=now - begun >= rules.give_up_after)
            if verdict is not None:
                return verdict.replace(probes=count)
            if not asked and (question := _question(request, tuple(probes))):
                asked = True
                self._send(Probed(region=region, summary=question, undecided=True))
            elif now - notified_at >= _notify_every(rules):
                notified_at = now
                self._send(Probed(region=region, summary=describe_progress(region, tuple(probes), count, rules)))
            # Wakes at once, with the cancellation as an error, when the activity is cancelled.
            activity.wait_for_cancelled_sync(rules.probe_interval)

    @activity.defn
    def record_regions(self, request: RecordRegions) -> list[Sample]:
        """Probe each region for the baseline recorder. Failed probes are not samples."""
        return [self._sample(region, request.probes, request.rounds) for region in request.regions]

    def _sample(self, region: Region, probes: tuple[Probe, ...], rounds: int) -> Sample:
        at = datetime.now(UTC)
        looks = [self._probe.look(probes, region) for _ in range(rounds)]
        times = tuple(look.elapsed_ms for look in looks if look.healthy and look.elapsed_ms is not None)
        return Sample(at=at, region=region.name, elapsed_ms=times)

    def _send(self, probed: Probed) -> None:
        self._notify(activity.info().workflow_id or "", probed)


def _key_worked(request: VerifyRegion, probes: list[ProbeResult]) -> bool:
    """Tell whether the probes' credentials are known to have worked: in this verification, or for the recorder."""
    return credentials_worked(request.baseline) or any(probe.healthy for probe in probes)


def _resumed(probes: list[ProbeResult], rules: Rollback) -> list[ProbeResult]:
    """Return an earlier attempt's probes, shifted to now."""
    if not probes:
        return []
    lost = datetime.now(UTC) - probes[-1].at - rules.probe_interval
    return [probe.replace(at=probe.at + lost) for probe in probes] if lost > timedelta() else probes


def _kept(probes: list[ProbeResult], rules: Rollback) -> list[ProbeResult]:
    """Return the first probe (for the time limit) and those that a verdict may still need."""
    first, *others = probes
    newest = probes[-1].at
    needed = [p for p in others[: -rules.healthy_probes] if newest - p.at <= rules.window + rules.probe_interval * 2]
    return [first, *needed, *others[-rules.healthy_probes :]]


def _question(request: VerifyRegion, probes: tuple[ProbeResult, ...]) -> str:
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

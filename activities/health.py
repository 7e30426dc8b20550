"""Health: is a region well again? One long activity per region that heartbeats what it has seen."""

from datetime import UTC, datetime

from temporalio import activity

from clients.probe import ProductProbe
from runbook.effects import VerifyRegion
from runbook.verification import Probe, RegionVerdict, judge

_KEPT = 50
"""Probes that a heartbeat carries: more than a window needs."""
_REFUSED = ("credentials_refused", "no_api_key")


class Health:
    """Probes the product's own endpoints."""

    def __init__(self, probe: ProductProbe, flag_key: str = "") -> None:
        self._probe, self._flag_key = probe, flag_key

    @activity.defn
    def verify_region(self, wanted: VerifyRegion) -> RegionVerdict:
        """Probe a region until it is judged, or until the runbook's time is up.

        After a worker's death the next attempt goes on with the probes of the last heartbeat: the window is not begun
        again.
        """
        rules, region = wanted.rules, wanted.region.name
        probes = [Probe.model_validate(seen) for seen in activity.info().heartbeat_details]
        while True:
            probes.append(self._look(wanted.region.url))
            activity.heartbeat(*(probe.model_dump(mode="json") for probe in probes[:1] + probes[1:][-_KEPT:]))
            last = probes[-1].at - probes[0].at >= rules.give_up_after
            verdict = judge(region, tuple(probes), rules, last=last)
            if verdict is not None:
                return verdict
            # Wakes at once, with the cancellation as an error, when the activity is cancelled.
            activity.wait_for_cancelled_sync(rules.probe_interval)

    def _look(self, url: str) -> Probe:
        at = datetime.now(UTC)
        health = self._probe.health(url)
        evaluation = self._probe.evaluate(url, self._flag_key)
        problem = "" if health.ok else f"health: {health.problem}"
        if not evaluation.ok:
            problem = f"{problem}, evaluation: {evaluation.problem}".lstrip(", ")
        return Probe(
            at=at,
            healthy=health.ok and evaluation.ok,
            elapsed_ms=evaluation.elapsed_ms if evaluation.ok else None,
            problem=problem,
            measured=evaluation.problem not in _REFUSED,
        )

"""The last look before a redeployment: has somebody deployed meanwhile, has the region recovered by itself?"""

import time
from datetime import timedelta

from temporalio import activity

from activities.deployments import Deployments
from activities.errors import translate_vendor_errors
from activities.health import Health
from incidents.domain.config.model import Region
from incidents.domain.rollback.activity_requests import CheckRollback
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.known_good import newest_first
from incidents.domain.rollback.order import Preflight
from incidents.domain.rollback.verification import (
    BaselineFinding,
    Probe,
    limit_ms,
    quantile,
)

_LONGEST_PAUSE = timedelta(seconds=1)


class Preflights:
    """Looks at the history and at the regions once more."""

    def __init__(self, deployments: Deployments, health: Health) -> None:
        self._deployments, self._health = deployments, health

    @activity.defn
    def check_rollback(self, request: CheckRollback) -> Preflight:
        """Tell the newest deployment, and whether every region is well again: then nothing need be rolled back."""
        deployer, newest = self._deployments.deployer(request.rules), None
        if deployer is not None:
            with translate_vendor_errors():
                rows = newest_first(deployer.history(request.cluster, request.rules) or ())
            newest = rows[0] if rows else None
        known = {found.region: found for found in request.baselines}
        looks = []
        for region in request.regions:
            well, says = self._well(region, known.get(region.name), request.rules)
            looks.append(f"{region.name}: {says}")
            if not well:
                return Preflight(newest=newest, recovered=False, looks="; ".join(looks))
        return Preflight(newest=newest, recovered=bool(request.regions), looks="; ".join(looks))

    def _well(self, region: Region, found: BaselineFinding | None, rules: Rollback) -> tuple[bool, str]:
        """Look as often as a recovery needs; the first bad look ends it."""
        probes: list[Probe] = []
        while len(probes) < rules.healthy_probes:
            if probes:
                time.sleep(min(rules.probe_interval, _LONGEST_PAUSE).total_seconds())
            activity.heartbeat()
            probes.append(self._health.look(region.url))
            if not probes[-1].healthy:
                return False, probes[-1].problem
        baseline = found.baseline if found else None
        p50 = quantile([probe.elapsed_ms or 0 for probe in probes], 0.5)
        if baseline is not None and p50 > limit_ms(baseline.p50_ms, rules):
            return False, f"slow: p50 {p50:.0f} ms"
        return True, f"{len(probes)} good looks in a row"

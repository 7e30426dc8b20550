"""Preflight check before a redeployment: newer deployment, or region already recovered?"""

import time
from datetime import timedelta

from temporalio import activity

from activities import ports
from activities.errors import translate_vendor_errors
from activities.rollback.deployments import Deployments
from incidents.domain.config.model import Region
from incidents.domain.rollback.activity_requests import CheckRollback
from incidents.domain.rollback.baseline import credentials_worked
from incidents.domain.rollback.known_good import newest_first, touches
from incidents.domain.rollback.order import Preflight
from incidents.domain.rollback.verification import (
    BaselineFinding,
    ProbeResult,
    limit_ms,
    quantile,
)

_LONGEST_PAUSE = timedelta(seconds=1)


class Preflights:
    """Checks deployment history and regions before a redeployment."""

    def __init__(self, deployments: Deployments, probe: ports.HealthProbe) -> None:
        self._deployments, self._probe = deployments, probe

    @activity.defn
    def check_rollback(self, request: CheckRollback) -> Preflight:
        """Return the newest deployment of the service, and whether every region has recovered without a rollback."""
        deployer, newest = self._deployments.deployer(request.rules), None
        if deployer is not None:
            with translate_vendor_errors():
                rows = newest_first(deployer.history(request.cluster, request.rules) or ())
            newest = next((row for row in rows if touches(row, request.deploys)), None)
        known = {found.region: found for found in request.baselines}
        looks = []
        for region in request.regions:
            healthy, summary = self._is_healthy(region, known.get(region.name), request)
            looks.append(f"{region.name}: {summary}")
            if not healthy:
                return Preflight(newest=newest, recovered=False, looks="; ".join(looks))
        return Preflight(newest=newest, recovered=bool(request.regions), looks="; ".join(looks))

    def _is_healthy(self, region: Region, found: BaselineFinding | None, request: CheckRollback) -> tuple[bool, str]:
        """Probe as often as a recovery needs, until the first bad probe."""
        rules = request.rules
        probes: list[ProbeResult] = []
        while len(probes) < rules.healthy_probes:
            if probes:
                time.sleep(min(rules.probe_interval, _LONGEST_PAUSE).total_seconds())
            activity.heartbeat()
            probes.append(self._probe.look(request.probes, region, proven=credentials_worked(found)))
            if not probes[-1].healthy:
                return False, probes[-1].problem
        baseline = found.baseline if found else None
        p50 = quantile([probe.elapsed_ms or 0 for probe in probes], 0.5)
        if baseline is not None and p50 > limit_ms(baseline.p50_ms, rules):
            return False, f"slow: p50 {p50:.0f} ms"
        return True, f"{len(probes)} consecutive good probes"

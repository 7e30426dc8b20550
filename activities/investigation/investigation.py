"""The investigation brief: metrics, probes and error logs in a few lines."""

import math

from temporalio import activity

from activities import ports
from activities.investigation.panels import Panels
from activities.rollback.probes import describe_problems, tells_of_region
from incidents.domain.activity_results import LogsQueried, MetricsQueried
from incidents.domain.config.model import Region
from incidents.domain.config.probes import Probe
from incidents.domain.investigation.activity_requests import QueryLogs, QueryMetrics
from incidents.domain.investigation.blast_radius import BlastRadius, RegionProbed
from incidents.domain.investigation.config import BlastRadiusQueries
from incidents.domain.investigation.log_groups import group_lines
from incidents.vendors.errors import VendorError
from incidents.vendors.monitoring.prometheus import PrometheusClient
from incidents.vendors.monitoring.signoz import SigNozClient

_TOP = 3
_ROWS = 100


class Investigation:
    """Queries Prometheus and SigNoz, and probes each region once. A failed source is reported and blocks no other."""

    def __init__(
        self,
        probe: ports.HealthProbe,
        prometheus: PrometheusClient | None,
        signoz: SigNozClient | None,
        panels: Panels,
        prometheus_off: str = "",
        signoz_off: str = "",
    ) -> None:
        self._probe, self._prometheus, self._signoz, self._panels = probe, prometheus, signoz, panels
        self._prometheus_off, self._signoz_off = prometheus_off, signoz_off

    @activity.defn
    def query_metrics(self, request: QueryMetrics) -> MetricsQueried:
        """Return current metrics, what each probe of each region found, panels, and the blast radius as measured."""
        looks = [self._look(region, request.probes) for region in request.regions if request.probes]
        lines, blast_radius = [line for line, _ in looks], BlastRadius(regions=tuple(found for _, found in looks))
        if self._prometheus is None:
            lines.append(self._prometheus_off)
        else:
            asked = {**request.queries, **{f"database {name}": query for name, query in request.database.items()}}
            lines += [self._ask(self._prometheus, name, query) for name, query in asked.items()]
            lines += self._panels.draw(self._prometheus, request)
            blast_radius = _measured(self._prometheus, blast_radius, request.blast_radius)
        lines += [f"{name}: {url}" for name, url in request.links.items()]
        return MetricsQueried(detail="; ".join(lines), blast_radius=blast_radius)

    def _look(self, region: Region, probes: tuple[Probe, ...]) -> tuple[str, RegionProbed]:
        """Probe a region; return a line for responders, and whether it is healthy, if that was measured."""
        answers = self._probe.send(probes, region)
        timed = [
            f"{a.probe.name} in {a.elapsed_ms:.0f} ms" for a in answers if a.probe.measures_latency and not a.problem
        ]
        problems = describe_problems(answers)
        healthy = not problems if tells_of_region(answers) else None
        return f"{region.name}: {', '.join([problems or 'healthy', *timed])}", RegionProbed(
            name=region.name, healthy=healthy
        )

    @staticmethod
    def _ask(prometheus: PrometheusClient, name: str, query: str) -> str:
        try:
            samples = prometheus.query(query)
        except VendorError as error:
            return f"{name} unavailable ({error})"
        values = [f"{s.labels.get('region', 'all')} {s.value:.3g}" for s in samples]
        return f"{name} {', '.join(values)}" if values else f"{name} has no data"

    @activity.defn
    def query_logs(self, request: QueryLogs) -> LogsQueried:
        """Return the most frequent errors in the service's logs, lines alike together."""
        if self._signoz is None:
            return LogsQueried(skipped=self._signoz_off)
        try:
            rows = self._signoz.error_logs(request.log_service, request.since, request.until, limit=_ROWS)
        except VendorError as error:
            return LogsQueried(detail=f"error logs unavailable ({error})")
        if not rows:
            return LogsQueried(detail="no errors logged")
        groups = group_lines((row.at, row.body) for row in rows)[:_TOP]
        newest = f" (of the newest {_ROWS} lines)" if len(rows) >= _ROWS else ""
        return LogsQueried(detail="; ".join(group.said for group in groups) + newest)


def _measured(prometheus: PrometheusClient, found: BlastRadius, queries: BlastRadiusQueries) -> BlastRadius:
    """Add what the queries measure. What cannot be asked, or makes no sense, stays unknown."""
    requests, customers = _highest(prometheus, queries.requests), _highest(prometheus, queries.customers)
    return found.replace(
        requests=requests if requests is not None and requests <= 1 else None,
        customers=round(customers) if customers is not None else None,
    )


def _highest(prometheus: PrometheusClient, query: str) -> float | None:
    """Return the highest value of a query that counts something; None if it is not configured or has no answer."""
    if not query:
        return None
    try:
        values = [sample.value for sample in prometheus.query(query)]
    except VendorError as error:
        activity.logger.warning("The blast radius is not measured: %s", error)
        return None
    return max((value for value in values if math.isfinite(value) and value >= 0), default=None)

"""The investigation brief: metrics, probes and error logs in a few lines."""

from collections import Counter

from temporalio import activity

from incidents.domain.activity_requests import ActivityResult, QueryLogs, QueryMetrics
from incidents.domain.config.model import Region
from incidents.vendors.errors import VendorError
from incidents.vendors.monitoring.prometheus import PrometheusClient
from incidents.vendors.monitoring.signoz import SigNozClient
from incidents.vendors.probe import ProductProbe

_TOP = 3
_LONGEST = 160
_ROWS = 100


class Investigation:
    """Queries Prometheus and SigNoz, and probes each region once. A failed source is reported and blocks no other."""

    def __init__(
        self,
        probe: ProductProbe,
        prometheus: PrometheusClient | None,
        signoz: SigNozClient | None,
        prometheus_off: str = "",
        signoz_off: str = "",
        flag_key: str = "",
    ) -> None:
        self._probe, self._prometheus, self._signoz = probe, prometheus, signoz
        self._prometheus_off, self._signoz_off, self._flag_key = prometheus_off, signoz_off, flag_key

    @activity.defn
    def query_metrics(self, request: QueryMetrics) -> ActivityResult:
        """Return current metrics and one probe per region."""
        lines = [self._look(region) for region in request.regions]
        if self._prometheus is None:
            lines.append(self._prometheus_off)
        else:
            lines += [self._ask(self._prometheus, name, query) for name, query in request.queries.items()]
        return ActivityResult(detail="; ".join(lines))

    def _look(self, region: Region) -> str:
        health = self._probe.health(region.url)
        evaluation = self._probe.evaluate(region.url, self._flag_key)
        state = "healthy" if health.ok else f"health {health.problem}"
        answer = f"evaluates in {evaluation.elapsed_ms:.0f} ms" if evaluation.ok else f"evaluation {evaluation.problem}"
        return f"{region.name}: {state}, {answer}"

    @staticmethod
    def _ask(prometheus: PrometheusClient, name: str, query: str) -> str:
        try:
            samples = prometheus.query(query)
        except VendorError as error:
            return f"{name} unavailable ({error})"
        values = [f"{s.labels.get('region', 'all')} {s.value:.3g}" for s in samples]
        return f"{name} {', '.join(values)}" if values else f"{name} has no data"

    @activity.defn
    def query_logs(self, request: QueryLogs) -> ActivityResult:
        """Return the most frequent errors in the service's logs."""
        if self._signoz is None:
            return ActivityResult(skipped=self._signoz_off)
        try:
            rows = self._signoz.error_logs(request.log_service, request.since, request.until, limit=_ROWS)
        except VendorError as error:
            return ActivityResult(detail=f"error logs unavailable ({error})")
        if not rows:
            return ActivityResult(detail="no errors logged")
        often = Counter(" ".join(row.body.split())[:_LONGEST] for row in rows).most_common(_TOP)
        return ActivityResult(detail="; ".join(f"{count}x {text}" for text, count in often))

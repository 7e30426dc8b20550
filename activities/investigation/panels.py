"""Panels: a PromQL query over time as a small chart in the evidence store."""

import math
from datetime import datetime, timedelta

from incidents.domain.evidence.manifest import slug
from incidents.domain.investigation.activity_requests import QueryMetrics
from incidents.domain.postmortem.figures.charts import panel
from incidents.domain.postmortem.figures.impact import Series
from incidents.vendors.errors import VendorError
from incidents.vendors.monitoring.prometheus import PrometheusClient
from incidents.vendors.monitoring.prometheus import Series as Samples
from incidents.vendors.storage import FileStore

_POINTS = 60
_FINEST = timedelta(seconds=15)


class Panels:
    """Draws panels. One that fails is reported and blocks no other."""

    def __init__(self, store: FileStore) -> None:
        self._store = store

    def draw(self, prometheus: PrometheusClient, request: QueryMetrics) -> list[str]:
        """Draw each panel of the request into its folder; return a line for each, with its address. Idempotent."""
        return [self._draw(prometheus, request, name, query) for name, query in request.panels.items()]

    def _draw(self, prometheus: PrometheusClient, request: QueryMetrics, name: str, query: str) -> str:
        step = max((request.until - request.since) / _POINTS, _FINEST)
        try:
            found = prometheus.query_range(query, request.since, request.until, step)
            lines = [Series(name=name, region=row.labels.get("region", ""), points=_points(row)) for row in found]
            if not any(line.points for line in lines):
                return f"{name} has no data"
            svg = panel(f"{name} (UTC)", lines)
            return f"{name}: {self._store.write(f'{request.folder}/panel-{slug(name)}.svg', svg.encode()).url}"
        except VendorError as error:
            return f"{name} unavailable ({error})"


def _points(row: Samples) -> tuple[tuple[datetime, float], ...]:
    """Return the points that can be drawn: NaN is no sample."""
    return tuple((point.at, point.value) for point in row.points if math.isfinite(point.value))

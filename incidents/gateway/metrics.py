"""What only the gateway counts: alert webhooks, and those that wait on disk."""

import asyncio

from prometheus_client import CollectorRegistry, Counter

from incidents import metrics
from incidents.app.telemetry.sources import Sample
from incidents.client.alert_sources.names import SourceName
from incidents.client.delivery.spool import Spool, SpoolUnusable

_OTHER = "other"


class Webhooks:
    """Counts alert webhooks by source and answer."""

    def __init__(self, registry: CollectorRegistry) -> None:
        metric = metrics.ALERTS
        self._counter = Counter(metric.name, metric.help, metric.labels, registry=registry)

    def count(self, source: str, status: int) -> None:
        """Count a webhook that was answered with that HTTP status. Senders choose the name: unknown ones are one."""
        known = SourceName.named(source) or (_OTHER if source else "unnamed")
        result = "accepted" if status < 300 else "rejected" if status < 500 else "failed"
        self._counter.labels(str(known), result).inc()


class SpoolSource:
    """How many alert webhooks wait on disk."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    async def read(self) -> list[Sample]:
        """Return it; nothing while the spool cannot be read."""
        try:
            return [Sample(metrics.SPOOLED, await asyncio.to_thread(self._spool.waiting))]
        except SpoolUnusable:
            return []

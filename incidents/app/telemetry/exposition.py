"""What `/metrics` answers: our metrics, those of the process, and those of Temporal's SDK, as Prometheus reads them."""

import asyncio
import hmac
import logging
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import groupby

import httpx
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from incidents import metrics
from incidents.app.pager_check import missing_pager_warning
from incidents.app.proxied import is_proxied
from incidents.app.settings import Settings
from incidents.app.telemetry.sources import FixedSource, Sample, Source
from incidents.domain.config.model import RunbookConfig
from incidents.metrics import METRICS
from incidents.vendors import call_results
from incidents.vendors.call_results import FinishedCall

_FETCH_WITHIN = 2.0
"""Seconds; the SDK's core answers from memory."""
_log = logging.getLogger("metrics")


class SampleCollector(Collector):
    """Shows the samples that were read for the scrape in progress."""

    def __init__(self) -> None:
        self.samples: Iterable[Sample] = ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield them by metric, in the order of the list."""
        order = {metric.name: position for position, metric in enumerate(METRICS)}
        samples = sorted(self.samples, key=lambda sample: order[sample.metric.name])
        for metric, group in groupby(samples, key=lambda sample: sample.metric):
            family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for sample in group:
                family.add_metric([sample.labels[name] for name in metric.labels], sample.value)
            yield family


class Exposition:
    """One process's metrics. Scraped, it reads its sources; between scrapes it only counts vendor calls."""

    def __init__(self, settings: Settings, runbook: RunbookConfig, *sources: Source, sdk_url: str = "") -> None:
        """Begin to count this process's vendor calls.

        Args:
            settings: whether somebody can be paged, and the token that a scrape needs, if any.
            runbook: whom severities page.
            sources: what is read for each scrape.
            sdk_url: where Temporal's SDK serves its metrics; "" if it does not.
        """
        nobody = Sample(metrics.NOBODY, float(bool(missing_pager_warning(settings, runbook))))
        build = Sample(metrics.BUILD, 1, {"version": version("incident-runbook")})
        self._sources: Sequence[Source] = (*sources, FixedSource(nobody, build))
        self._token, self._sdk_url = settings.metrics_token.get_secret_value(), sdk_url
        self._lock = asyncio.Lock()
        # Its own series for when each other one began, which nobody reads. The function has no types.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._collector = SampleCollector()
        self.registry = CollectorRegistry()
        self.registry.register(self._collector)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        called, took = metrics.VENDOR_CALLS, metrics.VENDOR_LATENCY
        self._calls = Counter(called.name, called.help, called.labels, registry=self.registry)
        self._latency = Histogram(took.name, took.help, took.labels, buckets=took.buckets, registry=self.registry)
        call_results.CALLS.observe_by(self._count)

    def _count(self, call: FinishedCall) -> None:
        self._calls.labels(call.vendor, call.operation, call.result).inc()
        self._latency.labels(call.vendor, call.operation).observe(call.seconds)

    async def respond(self, request: Request) -> Response:
        """Answer a scrape: with `METRICS_TOKEN`, or if that is not set, to anyone who does not come through a proxy."""
        if not self._may_read(request):
            return PlainTextResponse("unauthorized: set METRICS_TOKEN, and send it as the bearer token\n", 401)
        return Response(await self.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    def _may_read(self, request: Request) -> bool:
        if not self._token:
            return not is_proxied(request)
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode())

    async def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        async with self._lock:
            reading = asyncio.gather(*(source.read() for source in self._sources))
            found, sdk = await asyncio.gather(reading, self._fetch_sdk())
            self._collector.samples = [sample for samples in found for sample in samples]
            return generate_latest(self.registry) + sdk

    async def _fetch_sdk(self) -> bytes:
        """Return the SDK's metrics; b"" if it has none."""
        if not self._sdk_url:
            return b""
        try:
            async with httpx.AsyncClient(verify=False, trust_env=False, timeout=_FETCH_WITHIN) as client:  # nosec B501
                return (await client.get(self._sdk_url)).raise_for_status().content
        except httpx.HTTPError as error:
            _log.warning("The metrics of Temporal's SDK were not read: %s", type(error).__name__)
            return b""

"""Latency baselines: latency (ms) while healthy, before the suspect deployment."""

import asyncio
from typing import Protocol

from temporalio import activity

from activities.errors import translate_vendor_errors
from incidents.domain.rollback.activity_requests import MeasureBaseline
from incidents.domain.rollback.baseline import Recording, finding
from incidents.domain.rollback.verification import Baseline, BaselineFinding
from incidents.vendors.errors import VendorError
from incidents.vendors.monitoring.prometheus import PrometheusClient
from incidents.vendors.monitoring.signoz import SigNozClient


class Recorder(Protocol):
    """Access to the latency baseline recorder."""

    async def recording(self) -> Recording:
        """Return the recorder's samples; empty if it never ran."""


class Baselines:
    """Reads baselines from Prometheus or SigNoz as configured, or else from our recorder. Never estimates."""

    def __init__(self, prometheus: PrometheusClient | None, signoz: SigNozClient | None, recorder: Recorder) -> None:
        self._prometheus, self._signoz, self._recorder = prometheus, signoz, recorder

    @activity.defn
    async def measure_baseline(self, request: MeasureBaseline) -> BaselineFinding:
        """Find the baseline of a region. If a source fails, the reason is kept and the next one is used."""
        problems: list[str] = []
        for ask in (self._from_prometheus, self._from_signoz):
            try:
                found = await asyncio.to_thread(ask, request)
            except VendorError as error:
                problems.append(str(error))
            else:
                if found is not None:
                    return BaselineFinding(region=request.region.name, baseline=found)
        with translate_vendor_errors():
            recording = await self._recorder.recording()
        found_here = finding(recording, request.region.name, request.before, request.rules.baseline)
        return found_here.replace(why="; ".join([*problems, found_here.why])) if found_here.why else found_here

    def _from_prometheus(self, request: MeasureBaseline) -> Baseline | None:
        queries = request.rules.baseline.prometheus
        if not queries or self._prometheus is None:
            return None
        values = {}
        for name, query in queries.items():
            samples = self._prometheus.query(query.replace("{region}", request.region.name), at=request.before)
            good = [sample.value * 1000 for sample in samples if sample.value == sample.value]
            if not good:
                return None
            values[name] = max(good)
        return self._baseline(request, values["p50"], values["p95"], "Prometheus")

    def _from_signoz(self, request: MeasureBaseline) -> Baseline | None:
        span = request.rules.baseline.signoz_span
        if not span or self._signoz is None:
            return None
        window = request.rules.baseline.window
        since, service = request.before - window, request.log_service
        region = request.region.name
        values = []
        for percentile in ("p50", "p95"):
            points = self._signoz.latency(
                service, since, request.before, percentile=percentile, span=span, step=window, environment=region
            )
            if not points:
                return None
            values.append(max(point.milliseconds for point in points))
        return self._baseline(request, values[0], values[1], "SigNoz")

    @staticmethod
    def _baseline(request: MeasureBaseline, p50: float, p95: float, source: str) -> Baseline:
        since = request.before - request.rules.baseline.window
        return Baseline(p50_ms=p50, p95_ms=p95, samples=0, source=source, since=since, until=request.before)

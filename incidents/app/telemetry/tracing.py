"""Traces by OpenTelemetry, from an alert to the last message: on if `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

Temporal's interceptor carries the trace from the gateway through the workflow and its children to each activity. The
packages are an optional extra, and their import takes long, so they are imported only if they are used.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from temporalio.client import Interceptor

from incidents.app.settings import Settings, read_variable
from incidents.app.temporal_settings import SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_FLUSH_WITHIN = 2000
"""Milliseconds at the end of a process: a collector that is away must not delay a restart."""
_TRACER = "incidents"
Handler = Callable[[Request], Awaitable[Response]]


class Tracing:
    """The traces of one process; without a provider they are off."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        """Send spans to that provider."""
        self._provider = provider

    @property
    def interceptors(self) -> list[Interceptor]:
        """Return the interceptors of the Temporal client; its workers have them, too."""
        if self._provider is None:
            return []
        from temporalio.contrib.opentelemetry import TracingInterceptor

        return [TracingInterceptor(self._provider.get_tracer(_TRACER))]

    def traced(self, name: str, handler: Handler) -> Handler:
        """Return the handler of requests with a span of that name, within the sender's trace if it names one.

        The span holds nothing of the request: its path and headers may be secrets.
        """

        async def handle(request: Request) -> Response:
            with self._span(name, request.headers):
                return await handler(request)

        return handle

    @contextlib.contextmanager
    def _span(self, name: str, headers: Mapping[str, str]) -> Iterator[None]:
        if self._provider is None:
            yield
            return
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        parent = TraceContextTextMapPropagator().extract(headers)
        tracer = self._provider.get_tracer(_TRACER)
        with tracer.start_as_current_span(name, context=parent, kind=SpanKind.SERVER):
            yield

    def flush(self) -> None:
        """Send the spans that wait, if the collector takes them soon."""
        if self._provider is not None:
            self._provider.force_flush(_FLUSH_WITHIN)


OFF = Tracing()


def build_tracing(settings: Settings, service: str) -> Tracing:
    """Return the traces of a process. `service`: its name, unless `OTEL_SERVICE_NAME` is set.

    The exporter, the sampler and the resource read the other `OTEL_*` variables themselves.

    Raises:
        SettingsError: the endpoint is set, and the packages are not installed.
    """
    if not settings.otel_exporter_otlp_endpoint:
        return OFF
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SettingsError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed. Nothing was started; install the"
            " extra `otel` (pip install 'incident-runbook[otel]'), or unset the variable."
        ) from None
    name = read_variable("OTEL_SERVICE_NAME") or service
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)

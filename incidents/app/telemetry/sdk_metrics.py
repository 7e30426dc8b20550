"""The metrics of Temporal's SDK, which its core serves itself, by HTTP.

It listens on an address of this machine that nobody needs to know: `Exposition` fetches them from there and serves them
with ours, so that a program has one address for Prometheus.
"""

import functools
import socket
from dataclasses import dataclass

from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from incidents.app.telemetry.core_logs import core_logging
from incidents.metrics import METRICS

_ATTEMPTS = 5
"""Another program may take the port between our look and the core's."""


@dataclass(frozen=True)
class MeasuredRuntime:
    """A runtime whose metrics are served at `url`."""

    runtime: Runtime
    url: str


@functools.cache
def measured_runtime() -> MeasuredRuntime:
    """Return the runtime of this process's connections, with metrics; what workflows count is among them."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return _start(_free_port())
        except ValueError:  # the SDK's, if the address is in use
            continue
    return _start(_free_port())


def _start(port: int) -> MeasuredRuntime:
    address = f"127.0.0.1:{port}"
    exporter = PrometheusConfig(
        bind_address=address,
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
        histogram_bucket_overrides={each.instrument: each.buckets for each in METRICS if each.in_workflow},
    )
    telemetry = TelemetryConfig(logging=core_logging(), metrics=exporter, attach_service_name=False)
    return MeasuredRuntime(Runtime(telemetry=telemetry), f"http://{address}/metrics")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port

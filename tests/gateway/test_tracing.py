"""One trace leads from the alert that the gateway takes through the workflow to the page."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from incidents.app.settings import Settings
from incidents.app.telemetry.tracing import OFF, Tracing, build_tracing
from incidents.app.temporal_settings import SettingsError
from incidents.domain.incident import commands as c
from incidents.gateway.app import Gateway
from tests.app.telemetry.test_logs import Log, log, untouched_logging
from tests.gateway.calls import ALERT, TOKEN, opened
from tests.support.environment import World

__all__ = ["log", "untouched_logging"]
SENDERS_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{SENDERS_TRACE}-00f067aa0ba902b7-01"


class Traces:
    """What was traced."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracing = Tracing(provider)

    def spans(self, name: str) -> Sequence[ReadableSpan]:
        return [span for span in self._exporter.get_finished_spans() if span.name == name]

    def ids(self, name: str) -> list[str]:
        """The traces of the spans of that name."""
        return [f"{span.context.trace_id:032x}" for span in self.spans(name) if span.context]


@pytest.fixture
def traces() -> Traces:
    return Traces()


@pytest.fixture
def traced(empty_world: World, traces: Traces) -> World:
    """A world whose client and worker have the tracing interceptor, beside our own ones."""
    config = empty_world.env.client.config() | {"interceptors": traces.tracing.interceptors}
    empty_world.env = WorkflowEnvironment.from_client(Client(**config))
    return empty_world


ONCE = ("alert webhook", "SignalWithStartWorkflow:IncidentWorkflow", "RunWorkflow:IncidentWorkflow")
MESSAGES = ("RunActivity:send_page", "RunActivity:post_message")


async def test_one_trace_leads_from_the_alert_to_the_page(
    traced: World, traces: Traces, settings: Settings, log: Log
) -> None:
    app = Gateway(traced.env.client, settings, traced.runbook, tracing=traces.tracing).app()
    async with traced.worker(), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://g") as http:
        await opened(traced, http)
        await traced.tell(c.Acknowledge(id="1", by="ann"))
        for _ in range(3):  # each question makes the worker forget the run, and replay it
            await traced.incident()
        await traced.assert_sound()
    [trace] = traces.ids("alert webhook")
    assert [traces.ids(name) for name in ONCE] == [[trace]] * 3
    assert [set(traces.ids(name)) for name in MESSAGES] == [{trace}] * 2


async def test_the_trace_of_the_sender_goes_on(traced: World, traces: Traces, settings: Settings) -> None:
    app = Gateway(traced.env.client, settings, traced.runbook, tracing=traces.tracing).app()
    headers = {"authorization": f"Bearer {TOKEN}", "traceparent": PARENT}
    async with traced.worker(), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://g") as http:
        [started] = (await http.post("/alerts", json=ALERT, headers=headers)).json()
        traced.handle = traced.env.client.get_workflow_handle(started["workflow_id"])
        await traced.settled()
    assert [set(traces.ids(name)) for name in (*ONCE, *MESSAGES)] == [{SENDERS_TRACE}] * 5
    assert TOKEN not in json.dumps([span.to_json() for name in ONCE for span in traces.spans(name)])


def test_a_log_line_has_the_id_of_its_trace(traces: Traces, log: Log) -> None:
    with traces.tracing._span("x", {"traceparent": PARENT}):
        logging.getLogger("x").warning("within")
    logging.getLogger("x").warning("outside")
    assert [entry.get("trace_id") for entry in log.entries] == [SENDERS_TRACE, None]


def test_without_an_endpoint_nothing_is_traced(settings: Settings) -> None:
    assert build_tracing(settings, "x") is OFF
    assert OFF.interceptors == []
    OFF.flush()


def test_a_missing_package_is_said_in_one_line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = settings.model_copy(update={"otel_exporter_otlp_endpoint": "http://localhost:4318"})
    assert len(build_tracing(wanted, "x").interceptors) == 1
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError, match=r"OpenTelemetry is not installed.*incident-runbook\[otel\]"):
        build_tracing(wanted, "x")

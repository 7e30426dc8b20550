"""Alerts that come together: none is lost, none is doubled, and those of one incident share signals."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from benchmarks.intake.storms import Arrived, Storm
from incidents.app.settings import Settings
from incidents.contracts import AlertBatch
from incidents.gateway.app import Gateway
from tests.gateway.calls import ALERT, TOKEN
from tests.support.environment import RUNBOOK
from tests.support.servers.dev_server import DevServer

TOKENED = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def client(dev_server: DevServer) -> Client:
    """A client of a server on which no worker runs: histories show what the gateway sent."""
    return await dev_server.client()


@pytest.fixture
async def http(client: Client, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = Gateway(client, settings, RUNBOOK).app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://g", headers=TOKENED) as http:
        yield http


async def answer_to(http: httpx.AsyncClient, body: bytes | dict[str, Any]) -> dict[str, Any]:
    """Post one alert, and return what became of it."""
    content = body if isinstance(body, bytes) else httpx.Request("POST", "http://g", json=body).read()
    answer = await http.post("/alerts", content=content, timeout=60)
    assert answer.status_code == 202, answer.text
    [told] = answer.json()
    return dict(told)


async def passed(http: httpx.AsyncClient, client: Client, storm: Storm) -> tuple[Arrived, list[dict[str, Any]]]:
    """Let a storm pass; return what arrived, and the answers."""
    answers = await asyncio.gather(*(answer_to(http, body) for body in storm.webhooks))
    return await storm.arrived(client, (answer["workflow_id"] for answer in answers)), answers


async def test_2_alerts_of_few_outages_share_signals(http: httpx.AsyncClient, client: Client) -> None:
    arrived, answers = await passed(http, client, Storm("few", alerts=500, outages=5))
    assert (arrived.incidents, arrived.lost, arrived.doubled) == (5, 0, 0)
    assert arrived.signals < 50
    assert len([answer for answer in answers if answer["created"]]) == 5, "one of them has opened each"
    runs = {(answer["workflow_id"], answer["run_id"]) for answer in answers}
    assert len(runs) == 5


async def test_2_an_outage_each_is_an_incident_each(http: httpx.AsyncClient, client: Client) -> None:
    arrived, answers = await passed(http, client, Storm("many", alerts=100, outages=100))
    assert arrived == Arrived(incidents=100, signals=100, lost=0, doubled=0)
    assert all(answer["created"] for answer in answers)


async def test_the_end_of_an_alert_overtakes_none_of_its_beginnings(http: httpx.AsyncClient, client: Client) -> None:
    names = [f"alert {number}" for number in range(20)]
    bodies = [ALERT | {"title": name, "status": status} for name in names for status in ("firing", "resolved")]
    [workflow_id] = {told["workflow_id"] for told in await asyncio.gather(*(answer_to(http, body) for body in bodies))}
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    signals = [event.workflow_execution_signaled_event_attributes for event in history.events]
    arrived = [
        (alert.title, alert.firing)
        for signal in signals
        if signal.signal_name
        for alert in AlertBatch.model_validate_json(signal.input.payloads[0].data).alerts
    ]
    assert arrived == [(name, firing) for name in names for firing in (True, False)]

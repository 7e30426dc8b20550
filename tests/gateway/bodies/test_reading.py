"""105: how a body is read: in bounded time and size, and what no endpoint takes for a request."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from starlette.requests import Request
from temporalio.client import Client

from incidents.app.api_tokens import ApiTokens, Scope
from incidents.app.settings import Settings
from incidents.client import intake as intakes
from incidents.client.intake import Started
from incidents.contracts import AlertBatch
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.state import Opening
from incidents.gateway import responses
from incidents.gateway.app import Gateway
from incidents.gateway.main import server_config
from incidents.gateway.responses import TooLarge, TooSlow, read_body, unauthorized
from tests.gateway.bodies.test_hostile import http as signed_http
from tests.gateway.bodies.test_hostile import send
from tests.gateway.calls import TOKEN, calling
from tests.support.environment import World

__all__ = ["signed_http"]

ENDPOINTS = (
    "/alerts",
    "/alerts/sentry",
    "/alerts/cloudwatch",
    "/pagerduty",
    "/github",
    "/sendgrid",
    "/slack/events",
)


async def never_ending() -> AsyncIterator[bytes]:
    """A body whose sender sends one byte, and then nothing for as long as anyone waits."""
    yield b"{"
    await asyncio.Event().wait()


async def from_a_slow_sender() -> None:
    """Read such a body."""
    pieces = never_ending()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": await anext(pieces), "more_body": True}

    await read_body(Request({"type": "http", "headers": []}, receive))


async def test_105_a_body_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "BODY_WITHIN", 0.05)
    with pytest.raises(TooSlow):
        await from_a_slow_sender()


async def test_105_a_sender_who_goes_away_has_sent_nothing() -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    with pytest.raises(TooSlow):
        await read_body(Request({"type": "http", "headers": []}, receive))


async def test_105_a_body_is_read_up_to_its_limit() -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"12345", "more_body": False}

    assert await read_body(Request({"type": "http", "headers": []}, receive), 5) == b"12345"
    with pytest.raises(TooLarge):
        await read_body(Request({"type": "http", "headers": []}, receive), 4)


async def test_105_every_endpoint_answers_a_slow_sender(
    empty_world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_: object) -> bytes:
        raise TooSlow

    for module in ("alert_endpoints", "app", "mail_events", "slack.http", "api.bodies"):
        monkeypatch.setattr(f"incidents.gateway.{module}.read_body", slow)
    token = ApiTokens(settings.api_tokens).create("ann", (Scope.RESPOND,), datetime.now(UTC))[1]
    async with calling(empty_world, settings) as http:
        for path in (*ENDPOINTS, "/api/v1/incidents"):
            answer = await http.post(path, headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == 408, path
            assert "was not complete after 10 s" in answer.json()["error"]


@pytest.mark.parametrize("depth", [500, 900, 990, 1100, 100_000])
@pytest.mark.parametrize("path", ENDPOINTS)
async def test_105_deep_nesting_is_no_fault_of_ours(signed_http: httpx.AsyncClient, path: str, depth: int) -> None:
    deep = '{"event": {"data": ' * (depth // 2) + "1" + "}}" * (depth // 2)
    for body in (b"[" * depth + b"]" * depth, deep.encode()):
        await send(signed_http, path, body)


async def test_105_a_compressed_body_is_not_unpacked(signed_http: httpx.AsyncClient) -> None:
    body = gzip.compress(json.dumps({"title": "x" * 10_000_000}).encode())
    for path in ENDPOINTS[:3]:
        answer = await signed_http.post(
            path, content=body, headers={"authorization": "Bearer secret", "content-encoding": "gzip"}
        )
        assert answer.status_code == 400


def test_105_a_log_line_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "gateway")
    path = "/alerts/x\nINFO Signed in: root\x1b[2J" + "y" * 1000
    unauthorized(Request({"type": "http", "path": path, "headers": [], "server": ("gateway", 80)}))
    [record] = caplog.records
    said = record.getMessage()
    assert said.isprintable()
    assert len(said) < 400


async def test_14_the_incidents_of_one_webhook_are_opened_side_by_side(
    empty_world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand services one after the other would outlast the sender's patience."""
    running, most, start = 0, 0, intakes._signal_with_start

    async def counted(
        client: Client, workflow_id: str, opening: Opening, runbook: RunbookConfig, queue: str, batch: AlertBatch
    ) -> Started:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await start(client, workflow_id, opening, runbook, queue, batch)
        finally:
            running -= 1

    monkeypatch.setattr(intakes, "_signal_with_start", counted)
    labels = [{"alertname": "Down", "service": f"service-{number}", "severity": "warning"} for number in range(60)]
    alerts = [
        {"status": "firing", "labels": each, "annotations": {}, "startsAt": "2026-11-29T14:00:00Z", "fingerprint": "x"}
        for each in labels
    ]
    async with calling(empty_world, settings) as http:
        document = {"version": "4", "status": "firing", "alerts": alerts}
        answer = await http.post("/alerts", json=document, headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 202, answer.text
    assert [each["created"] for each in answer.json()] == [True] * 60
    assert most == intakes._AT_ONCE


async def test_a_stop_does_not_wait_for_ever(empty_world: World, settings: Settings) -> None:
    gateway = Gateway(empty_world.env.client, settings, empty_world.runbook)
    assert server_config(gateway, "127.0.0.1", 0).timeout_graceful_shutdown == 10

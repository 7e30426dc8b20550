"""The gateway watches for outages as long as it runs."""

import asyncio
from datetime import timedelta

import pytest

from incidents.app.connection import connect
from incidents.app.outage import watch
from incidents.app.settings import Settings
from incidents.domain.operators.outage import Limits
from incidents.gateway.app import Gateway
from sandbox.server import RunningSandbox
from sandbox.temporal_server import free_port
from tests.support.environment import RUNBOOK


async def test_109_a_gateway_that_never_reached_temporal_reports_it(
    settings: Settings, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "EVERY", 0.01)
    monkeypatch.setattr(watch, "LIMITS", Limits(temporal=timedelta()))
    client = await connect(settings.model_copy(update={"temporal_address": f"127.0.0.1:{free_port()}"}), lazy=True)
    app = Gateway(client, settings, RUNBOOK).app()
    async with app.router.lifespan_context(app):
        while not (sent := sandbox.ledger("sendgrid")):  # noqa: ASYNC110 - nothing else tells it
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
    assert sandbox.ledger("sendgrid") == sent, "once, in many rounds"
    assert [mail["payload"]["subject"] for mail in sent] == ["Operators: Temporal is unreachable"]

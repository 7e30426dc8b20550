"""The command line, of an incident that a real Alertmanager opens and whose alert it ends."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx

from incidents.cli import main as responder
from tests.gateway.ways import script
from tests.gateway.ways.script import ANN, CARLA
from tests.support.in_process import Run

LABELS = {"alertname": "EvaluationErrors", "service": script.SERVICE, "severity": "critical"}


class ByCommandLine:
    """An incident by `incident` alone, in this process. `alertmanager`: its URL; it posts to the gateway."""

    def __init__(self, run: Run, alertmanager: str) -> None:
        self._run, self._alertmanager = run, alertmanager

    async def open(self) -> None:
        await self._alert()

    async def _alert(self, **more: str) -> None:
        alert: dict[str, Any] = {"labels": LABELS, "annotations": {"summary": script.TITLE}, **more}
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.post(f"{self._alertmanager}/api/v2/alerts", json=[alert])).raise_for_status()

    async def acknowledge(self) -> None:
        await self._types("ack", "1", by=CARLA)

    async def take_command(self) -> None:
        await self._types("role", "1", "commander", ANN)

    async def assess(self) -> None:
        await self._types("assess", "1", script.IMPACT, "--customers", script.CUSTOMER)

    async def declare_severity(self) -> None:
        await self._types("severity", "1", script.LOWER, "--reason", script.WHY_LOWER)

    async def note(self) -> None:
        await self._types("note", "1", script.NOTE)

    async def update(self) -> None:
        await self._types("update", "1", script.UPDATE)

    async def approve(self) -> None:
        await self._types("approve", "1")

    async def confirm(self) -> None:
        await self._types("confirm", "1", "--customer", script.CUSTOMER, "--note", script.RESTORED)

    async def resolve(self) -> None:
        await self._alert(endsAt=datetime.now(UTC).isoformat())
        await self._ended()
        await self._types("resolve", "1", script.RESOLVED)

    async def _ended(self) -> None:
        """Wait until `incident show` no longer counts the alert as firing."""
        for _ in range(100):
            said = await asyncio.to_thread(self._run, responder.main, "show", "1", "--json")
            if all(alert["ended_at"] for alert in said.document["alerting"]["alerts"]):
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the alert still fires")

    async def _types(self, *words: str, by: str = ANN) -> None:
        said = await asyncio.to_thread(self._run, responder.main, *words, "--by", by, "--json")
        assert (said.status, said.document.get("changed")) == (0, True), said

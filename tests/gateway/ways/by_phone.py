"""The web pages, as a phone opens them: the link in the page to on-call, sign-in, forms, confirmations."""

from __future__ import annotations

import asyncio
import re

import httpx

from sandbox.server import RunningSandbox
from tests.gateway.calls import TOKEN
from tests.gateway.ways import script
from tests.gateway.web.browsing import words
from tests.gateway.web.test_commands import give
from tests.gateway.web.test_sign_in import URL, signed_in

_LOOKS = 500
"""How often the incident's page is opened until it shows something, 20 times a second: a machine may be busy."""


class ByPhone:
    """An incident by the pages alone: a sender's alert opens it, and the rest is done in a browser without script."""

    def __init__(self, phone: httpx.AsyncClient, sandbox: RunningSandbox) -> None:
        self._phone, self._sandbox = phone, sandbox

    async def open(self) -> None:
        await self._alert("firing")

    async def _alert(self, status: str) -> None:
        alert = {"title": script.TITLE, "service": script.SERVICE, "severity": "critical", "status": status}
        answer = await self._phone.post("/alerts/json", json=alert, headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 202, answer.text

    async def acknowledge(self) -> None:
        """By the link of the page, which needs no sign-in: as the person on call, who is Carla."""
        link = self._link()
        assert "Acknowledge? INC-1" in words(await self._phone.get(link))
        assert "Acknowledged by carla" in words(await self._phone.post(link))

    def _link(self) -> str:
        """The path of the link in the page to on-call."""
        pages = self._sandbox.state()["pagerduty"]
        [page] = [page for page in pages if page["custom_details"]["to"] == "on_call"]
        [href] = [link["href"] for link in page["links"] if link["text"] == "Acknowledge"]
        return str(href).removeprefix(URL)

    async def take_command(self) -> None:
        await signed_in(self._phone)
        await self._gives("command")

    async def assess(self) -> None:
        await self._gives("assess", impact=script.IMPACT, customers=script.CUSTOMER)

    async def declare_severity(self) -> None:
        await self._gives("severity", severity=script.LOWER, reason=script.WHY_LOWER)

    async def note(self) -> None:
        await self._gives("note", text=script.NOTE)

    async def update(self) -> None:
        await self._gives("update", text=script.UPDATE, when="now")

    async def approve(self) -> None:
        await self._gives("approve")

    async def confirm(self) -> None:
        await self._gives("confirm", restored="true", customer=script.CUSTOMER, note=script.RESTORED)

    async def resolve(self) -> None:
        await self._alert("resolved")
        await self._reads(f"Alert ended: {script.TITLE}")
        await self._gives("resolve", text=script.RESOLVED)

    async def _reads(self, text: str) -> None:
        """Open the incident's page again until it shows some text."""
        for _ in range(_LOOKS):
            if text in words(await self._phone.get("/incidents/1")):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"the page does not show: {text}")

    async def _gives(self, path: str, **typed: str) -> None:
        """Follow the button of the incident's page, and give the command."""
        page = await self._phone.get("/incidents/1")
        [address] = set(re.findall(rf'href="/incidents/1/do/({path}(?:\?[^"]*)?)"', page.text))
        await give(self._phone, address, **typed)

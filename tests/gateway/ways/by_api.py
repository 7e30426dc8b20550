"""The API: requests with a token for each person."""

from typing import Any

import httpx

from incidents.app.api_tokens import Scope
from tests.gateway.api.conftest import Token
from tests.gateway.ways import script
from tests.gateway.ways.script import ANN, CARLA

LIST = "/api/v1/incidents"


class ByApi:
    """An incident by the API alone."""

    def __init__(self, http: httpx.AsyncClient, token: Token) -> None:
        self._http = http
        self._headers = {name: token(name, Scope.READ, Scope.RESPOND) for name in (CARLA, ANN)}
        self._path = ""

    async def open(self) -> None:
        body = {"title": script.TITLE, "service": script.SERVICE, "severity": script.SEVERITY}
        answer = await self._http.post(LIST, json=body, headers=self._headers[CARLA])
        assert answer.status_code == 202, answer.text
        self._path = answer.headers["location"]

    async def acknowledge(self) -> None:
        await self._sends("ack", by=CARLA)

    async def take_command(self) -> None:
        await self._sends("role", role="commander", person=ANN)

    async def assess(self) -> None:
        await self._sends("assess", impact=script.IMPACT, customers=[script.CUSTOMER])

    async def declare_severity(self) -> None:
        await self._sends("severity", severity=script.LOWER, reason=script.WHY_LOWER)

    async def note(self) -> None:
        await self._sends("note", text=script.NOTE)

    async def update(self) -> None:
        await self._sends("update", text=script.UPDATE)

    async def approve(self) -> None:
        await self._sends("approve")

    async def confirm(self) -> None:
        await self._sends("confirm", customer=script.CUSTOMER, note=script.RESTORED)

    async def resolve(self) -> None:
        await self._sends("resolve", text=script.RESOLVED)

    async def _sends(self, command: str, *, by: str = ANN, **body: Any) -> None:
        path = f"{self._path}/commands/{command}"
        answer = await self._http.post(path, json=body, headers=self._headers[by])
        assert (answer.status_code, answer.json().get("changed")) == (200, True), answer.text

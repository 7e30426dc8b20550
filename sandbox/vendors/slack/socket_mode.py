"""`/slack/link`: Socket Mode, by which Slack sends to an app that has no public address."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.vendors.slack.workspace import APP_ID, SlackError

KINDS = ("slash_commands", "interactive", "events_api")
SECONDS = 3.0


class SocketMode:
    """Open connections of the app. What is sent goes to the newest one, and is to be acknowledged within 3 s."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._tickets: set[str] = set()
        self._links: list[WebSocket] = []
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._links)

    def routes(self) -> list[BaseRoute]:
        """The WebSocket that `open` names."""
        return [WebSocketRoute("/slack/link", self.link)]

    def open(self, request: Request) -> dict[str, Any]:
        """apps.connections.open: a URL that is good for one connection."""
        ticket = f"ticket-{next(self._ids)}"
        self._tickets.add(ticket)
        return {"url": f"ws://{request.url.netloc}/slack/link?ticket={ticket}&app_id={APP_ID}"}

    async def link(self, socket: WebSocket) -> None:
        """Serves one connection."""
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self._tickets:
            await socket.close(1008)
            return
        self._tickets.remove(ticket)
        await socket.accept()
        self._links.append(socket)
        hello = {"type": "hello", "num_connections": len(self._links), "connection_info": {"app_id": APP_ID}}
        await socket.send_json(hello)
        try:
            while True:
                answer = await socket.receive_json()
                if waiting := self._waiting.pop(str(answer.get("envelope_id")), None):
                    waiting.set_result(answer)
        except (WebSocketDisconnect, RuntimeError):  # the latter: we closed it ourselves
            self._links = [link for link in self._links if link is not socket]

    async def deliver(self, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Sends what a person did to the app; the payload with which the app acknowledges it, mostly none."""
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if not self._links:
            raise SlackError("the app is not connected")
        envelope = f"envelope-{next(self._ids)}"
        self._waiting[envelope] = answer = asyncio.get_running_loop().create_future()
        message = {"envelope_id": envelope, "type": kind, "payload": payload, "accepts_response_payload": True}
        await self._links[-1].send_json(message)
        try:
            return dict((await asyncio.wait_for(answer, SECONDS)).get("payload") or {})
        except TimeoutError:
            raise SlackError("the app did not acknowledge within 3 s") from None

    async def refresh(self) -> None:
        """Asks the app to connect anew, as Slack does every few hours, and hangs up."""
        for link in list(self._links):
            await link.send_json({"type": "disconnect", "reason": "refresh_requested"})
            await link.close()

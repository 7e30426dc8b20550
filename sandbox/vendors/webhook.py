"""`/webhook/updates`: an incoming webhook. It takes any JSON object, and nothing can be read."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sandbox.http import RefusalError, json_object, missing, route
from sandbox.state import Ledger


class Webhook:
    """The path is the credential; nothing is idempotent."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.posted: list[dict[str, Any]] = []

    def routes(self) -> list[BaseRoute]:
        """The webhook."""
        return [route("/webhook/updates", self.post, "POST"), missing("/webhook", RefusalError(404, "unknown webhook"))]

    async def post(self, request: Request) -> Response:
        """POST: 202 without a body, as Teams answers."""
        body = await json_object(request, RefusalError(400, "bad payload"))
        self.posted.append(body)
        self.ledger.record("webhook", "message.post", body)
        return Response(status_code=202)

    def snapshot(self) -> list[dict[str, Any]]:
        """What was posted, oldest first."""
        return self.posted

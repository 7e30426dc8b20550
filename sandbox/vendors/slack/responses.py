"""`/slack/response/ID`: the response URLs that Slack gives with a command or a click."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import route
from sandbox.state import Ledger

USES = 5


class ResponseUrls:
    """Takes an app's late answers: at most five for each URL. They never enter a channel's history."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.answers: list[dict[str, Any]] = []

    def routes(self) -> list[BaseRoute]:
        """One route: the id is in the path."""
        return [route("/slack/response/{id}", self.answer, "POST")]

    async def answer(self, request: Request) -> Response:
        """Takes an answer as JSON."""
        url = request.path_params["id"]
        try:
            body = json.loads(await request.body())
        except ValueError:
            body = None
        if not isinstance(body, dict) or not (body.get("text") or body.get("blocks")):
            return JSONResponse({"ok": False, "error": "no_text"}, 400)
        if sum(answer["id"] == url for answer in self.answers) >= USES:
            return JSONResponse({"ok": False, "error": "used_url"}, 404)
        self.answers.append({"id": url, **body})
        self.ledger.record("slack", "response_url", {"id": url, **body})
        return PlainTextResponse("ok")

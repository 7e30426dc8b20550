"""`/ntfy`: a server of ntfy with access control, as of 2.16. One token may read and write every topic."""

from __future__ import annotations

import json
import re
from secrets import token_urlsafe
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import RefusalError, bearer, json_object, missing, route
from sandbox.state import Credentials, Ledger, Options, now, pick

NAME = re.compile(r"[-_A-Za-z0-9]{1,64}")
MESSAGE_LIMIT = 4096
MOST_ACTIONS = 3
LINK = "https://ntfy.sh/docs/publish/"


class Ntfy:
    """Topics come into being when something is published to them. Each message is delivered; none is recognized."""

    def __init__(self, credentials: Credentials, ledger: Ledger, options: Options) -> None:
        self.credentials, self.ledger, self.options = credentials, ledger, options
        self.messages: list[dict[str, Any]] = []

    def routes(self) -> list[BaseRoute]:
        """Publishing as JSON to the server's root, and polling a topic."""
        return [
            route("/ntfy/", self.publish, "POST"),
            route("/ntfy/{topic}/json", self.poll),
            missing("/ntfy", _error(404, 40401, "page not found")),
        ]

    async def publish(self, request: Request) -> Response:
        """POST /: a message over 4,096 bytes would become an attachment, which this server does not keep."""
        if len(await request.body()) > 2 * MESSAGE_LIMIT:
            raise _error(413, 41303, "JSON body too large")
        body = await json_object(request, _error(400, 40024, "invalid request: request body must be valid JSON"))
        _check(body)
        self._authorize(request)
        message = {"id": token_urlsafe(9), "time": int(now().timestamp()), "event": "message"}
        message |= {"message": "triggered"} | pick(
            body, "topic", "title", "message", "priority", "tags", "click", "actions", "sequence_id"
        )
        self.messages.append(message)
        self.ledger.record("ntfy", "message.publish", pick(message, "topic", "title", "priority", "tags", "actions"))
        return JSONResponse(message)

    async def poll(self, request: Request) -> Response:
        """GET /TOPIC/json?poll=1&since=all&tags=: one JSON object a line, oldest first; all tags must match."""
        self._authorize(request, reads=True)
        query = request.query_params
        if query.get("poll") != "1" or query.get("since") != "all":
            raise _error(400, 40008, "the sandbox only polls everything")
        wanted = {tag for tag in query.get("tags", "").split(",") if tag}
        rows = [row for row in self.messages if row["topic"] == request.path_params["topic"]]
        found = [row for row in rows if wanted <= set(row.get("tags", ()))]
        lines = "".join(json.dumps(row) + "\n" for row in found)
        return Response(lines, media_type="application/x-ndjson")

    def _authorize(self, request: Request, *, reads: bool = False) -> None:
        """Without a token a caller is anonymous, and everything is denied to it; a wrong one is told so."""
        token = bearer(request)
        if token is not None and token != self.credentials.ntfy_token:
            raise _error(401, 40101, "unauthorized")
        if token is None or (reads and not self.options.ntfy_reads):
            raise _error(403, 40301, "forbidden")

    def snapshot(self) -> list[dict[str, Any]]:
        """The messages, newest first."""
        return self.messages[::-1]


def _check(body: dict[str, Any]) -> None:
    if not NAME.fullmatch(str(body.get("topic") or "")):
        raise _error(400, 40009, "invalid request: topic invalid")
    if body.get("priority", 3) not in range(1, 6):
        raise _error(400, 40007, "invalid priority parameter")
    if not NAME.fullmatch(str(body.get("sequence_id") or "x")):
        raise _error(400, 40049, "invalid request: sequence ID invalid")
    actions = body.get("actions") or []
    if len(actions) > MOST_ACTIONS or not all(row.get("action") and row.get("label") for row in actions):
        raise _error(400, 40018, "invalid request: actions invalid")
    if len(str(body.get("message") or "").encode()) > MESSAGE_LIMIT:
        raise _error(400, 40014, "invalid request: attachments not allowed")


def _error(status: int, code: int, text: str) -> RefusalError:
    return RefusalError(status, {"code": code, "http": status, "error": text, "link": LINK})

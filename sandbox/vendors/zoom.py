"""`/zoom-oauth/oauth/token` and `/zoom/v2`: a Zoom server-to-server app and its owner's meetings."""

from __future__ import annotations

import base64
import itertools
import re
import time
from secrets import token_urlsafe
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import RefusalError, bearer, bounded, form_fields, json_object, missing, route
from sandbox.state import Credentials, Ledger, pick, timestamp

TOKEN_SECONDS = 3600
OWNER = "zoom-owner@featuresignals.com"
START_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?")
MEETING_TYPES = (1, 2, 3, 8)
TOPIC_LIMIT = 200


class Zoom:
    """Tokens of account_credentials, several alive at once; meetings of "me", the app's owner. No idempotency."""

    def __init__(self, credentials: Credentials, ledger: Ledger) -> None:
        self.credentials, self.ledger = credentials, ledger
        self.tokens: dict[str, float] = {}
        self.meetings: list[dict[str, Any]] = []
        self._ids = itertools.count(81_000_000_001)

    def routes(self) -> list[BaseRoute]:
        """The token, the meetings of a user, one meeting and its end."""
        return [
            route("/zoom-oauth/oauth/token", self.token, "POST"),
            route("/zoom/v2/users/{user}/meetings", self.create, "POST"),
            route("/zoom/v2/users/{user}/meetings", self.list_meetings),
            route("/zoom/v2/meetings/{id}", self.get),
            route("/zoom/v2/meetings/{id}/status", self.end, "PUT"),
            missing("/zoom", _error(404, 404, "Not Found")),
        ]

    async def token(self, request: Request) -> Response:
        """POST /oauth/token with Basic client credentials; lives an hour, no refresh token."""
        args = dict(request.query_params) | await form_fields(request)
        pair = f"{self.credentials.zoom_client_id}:{self.credentials.zoom_client_secret}"
        if bearer(request, "Basic") != base64.b64encode(pair.encode()).decode():
            raise RefusalError(400, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"})
        if args.get("grant_type") != "account_credentials":
            raise RefusalError(400, {"reason": "unsupported grant type", "error": "unsupported_grant_type"})
        if args.get("account_id") != self.credentials.zoom_account_id:
            raise RefusalError(400, {"reason": "Bad Request", "error": "invalid_request"})
        token = token_urlsafe(32)
        self.tokens[token] = time.time() + TOKEN_SECONDS
        reply = {"access_token": token, "token_type": "bearer", "expires_in": TOKEN_SECONDS}
        return JSONResponse(
            reply | {"scope": "meeting:write:admin meeting:read:admin", "api_url": str(request.base_url)}
        )

    async def create(self, request: Request) -> Response:
        """POST /users/{user}/meetings: 201. start_url is a credential; it belongs into no channel."""
        self._authenticate(request)
        body = await json_object(request, _error(400, 300, "Request Body should be a valid JSON object."))
        if errors := _errors(body):
            raise RefusalError(400, {"code": 300, "message": "Validation Failed.", "errors": errors})
        meeting = _meeting_of(body, next(self._ids))
        self.meetings.append(meeting)
        self.ledger.record(
            "zoom", "meeting.create", pick(meeting, "id", "topic", "type", "agenda", "start_time", "join_url")
        )
        return JSONResponse(meeting, 201)

    async def list_meetings(self, request: Request) -> Response:
        """GET /users/{user}/meetings: scheduled ones only, instant meetings are not told; without start_url."""
        self._authenticate(request)
        hidden = ("start_url", "password", "settings", "status")
        rows = [
            {key: value for key, value in meeting.items() if key not in hidden}
            for meeting in self.meetings
            if meeting["type"] != 1 and meeting["status"] != "ended"
        ]
        query = request.query_params
        size, start = bounded(query.get("page_size"), 30, 300), bounded(query.get("next_page_token"), 0, len(rows), 0)
        following = str(start + size) if start + size < len(rows) else ""
        page = {"page_size": size, "total_records": len(rows), "next_page_token": following}
        return JSONResponse(page | {"meetings": rows[start : start + size]})

    async def get(self, request: Request) -> Response:
        """GET /meetings/{id}."""
        self._authenticate(request)
        return JSONResponse(self._meeting(request))

    async def end(self, request: Request) -> Response:
        """PUT /meetings/{id}/status {"action": "end"}: 204."""
        self._authenticate(request)
        meeting = self._meeting(request)
        if (await json_object(request, _error(400, 300, "Invalid body"))).get("action") != "end":
            raise _error(400, 300, "Invalid action.")
        meeting["status"] = "ended"
        self.ledger.record("zoom", "meeting.end", {"id": meeting["id"]})
        return Response(status_code=204)

    def _authenticate(self, request: Request) -> None:
        if self.tokens.get(bearer(request) or "", 0) < time.time():
            raise _error(401, 124, "Invalid access token.")
        user = request.path_params.get("user", "me")
        if user not in ("me", OWNER):
            raise _error(404, 1001, f"User does not exist: {user}.")

    def _meeting(self, request: Request) -> dict[str, Any]:
        for meeting in self.meetings:
            if str(meeting["id"]) == request.path_params["id"]:
                return meeting
        raise _error(404, 3001, f"Meeting does not exist: {request.path_params['id']}.")

    def snapshot(self) -> list[dict[str, Any]]:
        """The meetings, oldest first."""
        return self.meetings


def _meeting_of(body: dict[str, Any], number: int) -> dict[str, Any]:
    meeting = {
        "id": number,
        "uuid": token_urlsafe(12),
        "host_id": "sandboxhost",
        "host_email": OWNER,
        "type": body.get("type", 2),
        "topic": body.get("topic") or "Zoom Meeting",
        "status": "waiting",
        "created_at": timestamp(),
        "timezone": body.get("timezone", "UTC"),
        "duration": body.get("duration", 60),
        "agenda": body.get("agenda", ""),
        "settings": body.get("settings") or {},
        "password": token_urlsafe(6),
        "join_url": f"https://sandbox.zoom.invalid/j/{number}",
        "start_url": f"https://sandbox.zoom.invalid/s/{number}?zak={token_urlsafe(16)}",
    }
    # An instant meeting has no start time.
    return meeting if meeting["type"] == 1 else meeting | {"start_time": body.get("start_time") or timestamp()}


def _errors(body: dict[str, Any]) -> list[dict[str, str]]:
    errors = []
    if body.get("type", 2) not in MEETING_TYPES:
        errors.append({"field": "type", "message": "Invalid field."})
    if len(str(body.get("topic") or "")) > TOPIC_LIMIT:
        errors.append({"field": "topic", "message": "Invalid field."})
    if body.get("start_time") and not START_TIME.fullmatch(str(body["start_time"])):
        errors.append({"field": "start_time", "message": "Invalid field."})
    return errors


def _error(status: int, code: int, message: str) -> RefusalError:
    return RefusalError(status, {"code": code, "message": message})

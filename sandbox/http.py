"""HTTP as all vendors of the sandbox need it: refusals, bodies, routes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

Handler = Callable[[Request], Awaitable[Response]]
HTTP_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class RefusalError(Exception):
    """A vendor's refusal. `body` is sent as JSON, a string as text."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status, self.body, self.headers = status, body, dict(headers or {})

    def response(self) -> Response:
        """The reply that carries this refusal."""
        if isinstance(self.body, str):
            return Response(self.body, self.status, self.headers, media_type="text/plain")
        return JSONResponse(self.body, self.status, self.headers)


def route(path: str, handler: Handler, *methods: str) -> BaseRoute:
    """A route for these methods, GET unless told."""
    return Route(path, handler, methods=list(methods or ("GET",)))


def missing(prefix: str, refusal: RefusalError) -> BaseRoute:
    """The last route of a vendor: what it answers for a path that it does not have."""

    async def refuse(request: Request) -> Response:
        raise refusal

    return Route(prefix + "/{path:path}", refuse, methods=HTTP_METHODS)


async def json_object(request: Request, refusal: RefusalError) -> dict[str, Any]:
    """The body as a JSON object, or the vendor's refusal. An empty body counts as an empty object."""
    raw = await request.body()
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise refusal from None
    if not isinstance(body, dict):
        raise refusal
    return body


async def form_fields(request: Request) -> dict[str, str]:
    """The urlencoded body; of a repeated field the last value."""
    text = (await request.body()).decode("utf-8", "replace")
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}


def is_form(request: Request) -> bool:
    """Whether the body is urlencoded."""
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def bounded(text: str | None, default: int, highest: int, lowest: int = 1) -> int:
    """A page size or offset from a query, capped; what is no number or too low silently falls back to the default."""
    try:
        value = int(text or default)
    except ValueError:
        return default
    return default if value < lowest else min(value, highest)


def bearer(request: Request, scheme: str = "Bearer") -> str | None:
    """The token of the Authorization header if it has this scheme."""
    given, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if given.lower() == scheme.lower() else None

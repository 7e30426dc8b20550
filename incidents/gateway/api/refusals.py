"""Requests that the API refuses: one answer, and one line in the log, for each."""

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from incidents.domain.core.text.untrusted import one_line

_LONGEST_PATH = 200
_log = logging.getLogger("gateway.api")


class Refused(Exception):
    """A request is refused. The message is one line for its sender; `sender`: who that is, for the log."""

    def __init__(
        self,
        status: int,
        message: str,
        headers: dict[str, str] | None = None,
        *,
        sender: str = "",
        is_logged: bool = True,
    ) -> None:
        """Refuse with that status. `is_logged`: False for what was logged a moment ago."""
        super().__init__(message)
        self.status, self.headers, self.sender, self.is_logged = status, headers or {}, sender, is_logged


def address_of(request: Request) -> str:
    """Return the address from which a request came."""
    return request.client.host if request.client else "unknown"


def refuse(request: Request, error: Exception) -> Response:
    """Answer a refused request, and log it."""
    assert isinstance(error, Refused)
    if error.is_logged:
        sender = error.sender or getattr(request.state, "sender", "") or address_of(request)
        path = one_line(request.url.path, _LONGEST_PATH)
        _log.warning("%s %s of %s refused with %d: %s", request.method, path, sender, error.status, error)
    return JSONResponse({"error": str(error)}, error.status, error.headers)


def refuse_route(request: Request, error: Exception) -> Response:
    """Answer a request for a path or method that the API does not have."""
    assert isinstance(error, HTTPException)
    known = {404: "there is no such resource; see /docs", 405: "this resource does not have that method; see /docs"}
    headers = dict(error.headers or {})
    return refuse(request, Refused(error.status_code, known.get(error.status_code, error.detail), headers))

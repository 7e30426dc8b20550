"""What the endpoints share: reading a bounded body, and the answers to requests that are not accepted."""

import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.intake import LARGEST

_log = logging.getLogger("gateway")


class TooLarge(Exception):
    """The request body is larger than its endpoint takes."""


async def read_body(request: Request, largest: int = LARGEST) -> bytes:
    """Return the raw body, as signed. Stops reading at the size limit (bytes).

    Raises:
        TooLarge: the body exceeds it.
    """
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > largest:
            raise TooLarge
    return body


def unauthorized(request: Request) -> Response:
    """Answer a request with a bad signature or token, and record it."""
    who = request.client.host if request.client else "unknown"
    _log.warning("Rejected a request from %s to %s: bad signature or token", who, request.url.path)
    return JSONResponse({"error": "unauthorized: bad signature or token"}, 401)


def too_large(request: Request, error: Exception) -> Response:
    """Answer a body that exceeds the limit."""
    return JSONResponse({"error": f"payload larger than {LARGEST // 1024} KiB; send the alert without dumps"}, 413)


def spool_unusable(request: Request, error: Exception) -> Response:
    """Answer a request that depends on what waits in the spool, which cannot be read: it is to be sent again."""
    _log.error("The spool cannot be read: %s", error)
    return JSONResponse(
        {"error": "the gateway's disk cannot be read now; the request was not stored. Send it again"}, 503
    )


def unavailable(request: Request, error: Exception) -> Response:
    """Answer a Temporal error. Alertmanager and PagerDuty retry after a 5xx, never after a 4xx.

    A request that Temporal rejects as invalid (too long, too large) would be rejected again.
    """
    if isinstance(error, RPCError) and error.status is RPCStatusCode.INVALID_ARGUMENT:
        _log.warning("Temporal rejected a request to %s: %s", request.url.path, error)
        return JSONResponse({"error": "Temporal rejected the request; nothing was changed"}, 400)
    _log.warning("Temporal is unavailable: %s", error)
    return JSONResponse({"error": "Temporal is unavailable; the request was not stored. Send it again"}, 503)

"""What the endpoints share: reading a bounded body, and the answers to requests that are not accepted."""

import asyncio
import logging

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.intake import LARGEST
from incidents.domain.core.text.untrusted import one_line

BODY_WITHIN = 10.0
"""Seconds for a body to arrive, so that a slow sender holds no connection."""
_LONGEST = 200
_log = logging.getLogger("gateway")


class TooLarge(Exception):
    """The request body is larger than its endpoint takes."""


class TooSlow(Exception):
    """The request body did not arrive in time, or its sender went away."""


async def read_body(request: Request, largest: int = LARGEST) -> bytes:
    """Return the raw body, as signed. Stops reading at the size limit (bytes).

    Raises:
        TooLarge: the body exceeds it.
        TooSlow: it is not complete after `BODY_WITHIN` seconds.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN):
            async for piece in request.stream():
                body += piece
                if len(body) > largest:
                    raise TooLarge
    except (TimeoutError, ClientDisconnect):
        raise TooSlow from None
    return bytes(body)


def path_of(request: Request) -> str:
    """Return the path of a request as a log shows it: on one line, without control characters."""
    return one_line(request.url.path, _LONGEST)


def unauthorized(request: Request) -> Response:
    """Answer a request with a bad signature or token, and record it."""
    who = request.client.host if request.client else "unknown"
    _log.warning("Rejected a request from %s to %s: bad signature or token", who, path_of(request))
    return JSONResponse({"error": "unauthorized: bad signature or token"}, 401)


def too_large(request: Request, error: Exception) -> Response:
    """Answer a body that exceeds the limit."""
    return JSONResponse({"error": f"payload larger than {LARGEST // 1024} KiB; send the alert without dumps"}, 413)


def too_slow(request: Request, error: Exception) -> Response:
    """Answer a body that did not arrive in time. Nothing of it was used."""
    said = f"the body was not complete after {BODY_WITHIN:g} s; nothing was stored. Send it again"
    return JSONResponse({"error": said}, 408, {"connection": "close"})


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
        _log.warning("Temporal rejected a request to %s: %s", path_of(request), one_line(str(error), _LONGEST))
        return JSONResponse({"error": "Temporal rejected the request; nothing was changed"}, 400)
    _log.warning("Temporal is unavailable: %s", one_line(str(error), _LONGEST))
    return JSONResponse({"error": "Temporal is unavailable; the request was not stored. Send it again"}, 503)


def undecryptable(request: Request, error: Exception) -> Response:
    """Answer a request that needs what this process has no key for: once it has, the same request succeeds."""
    _log.error("%s", error)
    return JSONResponse({"error": "the gateway lacks a key that encrypts incidents; its log names it"}, 503)

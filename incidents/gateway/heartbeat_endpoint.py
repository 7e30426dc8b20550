"""The endpoint of heartbeats."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from temporalio.client import Client
from temporalio.service import RPCError

from incidents.client.heartbeats import ensure_heartbeats, send_heartbeat
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.untrusted import one_line
from incidents.gateway import signatures
from incidents.gateway.responses import unauthorized

_PAUSE = 15.0
"""Seconds between two attempts to start the watches while Temporal is unreachable."""
_log = logging.getLogger("gateway")


class HeartbeatEndpoint:
    """Takes heartbeats. `connect` raises `RPCError` while Temporal is unreachable. `token`: as of alert webhooks."""

    def __init__(
        self, connect: Callable[[], Awaitable[Client]], runbook: RunbookConfig, task_queue: str, token: str
    ) -> None:
        """Take the heartbeats of the runbook.

        Args:
            connect: returns a client that is connected.
            runbook: the runbook in use.
            task_queue: of the workers.
            token: the bearer token that a heartbeat must show.
        """
        self._connect, self._runbook, self._queue, self._token = connect, runbook, task_queue, token

    async def heartbeat(self, request: Request) -> Response:
        """Record that a heartbeat came. One that runbook.yaml does not name gets 404."""
        if not signatures.with_token(self._token, request.headers):
            return unauthorized(request)
        name, at = request.path_params["name"], datetime.now(UTC)
        rule = self._runbook.heartbeats.get(name)
        if rule is None:
            said = f"runbook.yaml has no heartbeat {one_line(name, 100)!r}; add it to `heartbeats`"
            return JSONResponse({"error": said}, 404)
        await send_heartbeat(await self._connect(), name, rule, at, self._queue)
        return JSONResponse({"heartbeat": name, "overdue_at": (at + rule.every + rule.grace).isoformat()}, 202)

    async def start_watches(self) -> None:
        """Start the watch of each heartbeat as soon as Temporal answers."""
        while True:
            try:
                await ensure_heartbeats(await self._connect(), self._runbook, self._queue)
            except RPCError as error:
                _log.warning("Heartbeats are not watched yet: Temporal is unreachable (%s)", error.message)
                await asyncio.sleep(_PAUSE)
            else:
                return

"""The endpoints that monitoring asks.

`/livez`: whether this process answers, which is what an orchestrator probes. `/healthz`: whether Temporal answers.
`/readyz`: each part with its reason.
"""

import asyncio
import logging
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from temporalio.client import Client
from temporalio.service import RPCError

from incidents.app.connection import check_connection
from incidents.client.delivery.spool import Spool, SpoolFull, SpoolUnusable
from incidents.gateway.slack.socket_mode import SocketMode

_QUICK = timedelta(seconds=2)
"""How long Temporal may take to answer."""
_log = logging.getLogger("gateway")


class Readiness:
    """Tells whether this gateway can do its work. Anyone may ask, so answers name no address and no path."""

    def __init__(self, client: Client, spool: Spool, pager_warning: str, socket_mode: SocketMode | None = None) -> None:
        """Check these.

        Args:
            client: of Temporal.
            spool: where alerts are kept.
            pager_warning: the line that says who cannot be paged; "" if everyone can.
            socket_mode: the connection to Slack; None if it is not configured.
        """
        self._client, self._spool, self._pager_warning = client, spool, pager_warning
        self._socket_mode = socket_mode

    async def live(self, request: Request) -> Response:
        """Answer 200 whenever this process serves requests, also while Temporal is unreachable.

        Orchestrators restart what is not live, and send no alerts to what is not ready; but then the spool takes them.
        """
        return PlainTextResponse("ok\n")

    async def health(self, request: Request) -> Response:
        """Check that Temporal answers; also report if no one can be paged."""
        await check_connection(self._client, _QUICK)
        return PlainTextResponse(f"ok\n{self._pager_warning}\n" if self._pager_warning else "ok\n")

    async def ready(self, request: Request) -> Response:
        """Answer 200 if Temporal answers and the spool can take an alert, else 503, with the reason for each part.

        A missing pager (behaviour 91) and a lost connection to Slack are reported, but do not make it 503: a gateway
        that gets no requests any more opens no incidents either.
        """
        temporal, spool = await asyncio.gather(self._why_no_temporal(), asyncio.to_thread(self._why_no_spool))
        ready = not temporal and not spool
        parts = {"temporal": temporal, "spool": spool, "paging": self._pager_warning}
        if self._socket_mode is not None:
            parts["slack"] = await self._why_no_slack(self._socket_mode)
        found = {name: {"ok": not reason, "reason": reason} for name, reason in parts.items()}
        return JSONResponse({"ready": ready, **found}, 200 if ready else 503)

    async def _why_no_slack(self, socket_mode: SocketMode) -> str:
        if await socket_mode.is_connected():
            return ""
        return "not connected to Slack's Socket Mode: commands and buttons do not arrive; it is tried again"

    async def _why_no_temporal(self) -> str:
        try:
            await check_connection(self._client, _QUICK)
        except RPCError as error:
            _log.warning("Not ready: Temporal is unavailable: %s", error)
            return "Temporal is not answering: alerts are kept on disk, all other requests are rejected"
        return ""

    def _why_no_spool(self) -> str:
        try:
            self._spool.check()
        except SpoolFull as error:
            _log.warning("Not ready: %s", error)
            return "the spool is full: further alerts cannot be kept while Temporal is unreachable"
        except SpoolUnusable as error:
            _log.warning("Not ready: the spool cannot be used: %s", error)
            return "the spool cannot be read or written: alerts cannot be kept while Temporal is unreachable"
        return ""

"""Socket Mode: Slack's requests over a WebSocket that this process opens, so no public address is needed."""

import asyncio

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp


class SocketMode:
    """The connection to Slack. The SDK's client reconnects, also if Slack is unreachable at first."""

    def __init__(self, bolt: AsyncApp, app_token: str) -> None:
        self._bolt, self._app_token = bolt, app_token
        self._handler: AsyncSocketModeHandler | None = None

    async def listen(self) -> None:
        """Listen until cancelled."""
        self._handler = AsyncSocketModeHandler(self._bolt, self._app_token)
        try:
            await self._handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt annotates no results there
            await asyncio.Event().wait()
        finally:
            await self._handler.close_async()  # type: ignore[no-untyped-call]

    async def is_connected(self) -> bool:
        """Tell whether the connection is open now."""
        return self._handler is not None and await self._handler.client.is_connected()

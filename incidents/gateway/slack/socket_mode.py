"""Socket Mode: Slack's requests over a WebSocket that this process opens, so no public address is needed."""

import asyncio

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp


async def listen(bolt: AsyncApp, app_token: str) -> None:
    """Listen until cancelled. The SDK's client reconnects, also if Slack is unreachable at first."""
    handler = AsyncSocketModeHandler(bolt, app_token)
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt annotates no results there
        await asyncio.Event().wait()
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]

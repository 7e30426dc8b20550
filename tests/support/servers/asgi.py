"""An ASGI application that listens on this machine, for what needs a real server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from sandbox.temporal_server import free_port


class Server(uvicorn.Server):
    """uvicorn that says when it listens, and when it has ended. It leaves the signals to its caller."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready, self.stopped = asyncio.Event(), asyncio.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://localhost:{self.config.port}"

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: Any = None) -> None:
        await super().shutdown(sockets)
        self.stopped.set()


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[Server]:
    """Let the application listen at `url` of the server that is yielded, on a free port unless one is given."""
    config = uvicorn.Config(
        app, port=port or free_port(), log_level="warning", lifespan="off", ws="none", proxy_headers=False
    )
    server = Server(config)
    running = asyncio.create_task(server.serve())
    try:
        await server.ready.wait()
        yield server
    finally:
        server.should_exit = True
        await running

"""The worker's own small HTTP listener: `/metrics`, and nothing else."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from incidents.app.telemetry.exposition import Exposition
from incidents.app.temporal_settings import SettingsError


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the worker has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def bind(address: str) -> socket.socket:
    """Return a socket that listens at `host:port`.

    Raises:
        SettingsError: it cannot be used, such as because another program uses it.
    """
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), int(port)), family=family)
    except (OSError, OverflowError) as error:
        number = error.errno if isinstance(error, OSError) else None
        reason = os.strerror(number) if number and number > 0 else str(error)  # a name without address has its own
        raise SettingsError(
            f"METRICS_ADDRESS {address} cannot be used ({reason}). The worker was not started; choose another port, or"
            " unset METRICS_ADDRESS."
        ) from None


@contextlib.asynccontextmanager
async def serving_metrics(listening: socket.socket, exposition: Exposition) -> AsyncIterator[None]:
    """Serve while the block runs. It shares the worker's event loop: a worker that hangs does not answer."""
    app = Starlette(routes=[Route("/metrics", exposition.respond)])
    config = uvicorn.Config(app, log_level="warning", log_config=None, lifespan="off", ws="none", proxy_headers=False)
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await running

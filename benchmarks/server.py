"""The Temporal server that is measured: the embedded one, or its own server on PostgreSQL (POSTGRESQL=1)."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from sandbox.temporal_server import connected, running_temporal
from tests.chaos.lifecycle.postgresql import PostgreSql, missing, passable_folder

ON_POSTGRESQL = bool(os.environ.get("POSTGRESQL"))
NAME = "Temporal's own server on PostgreSQL, 64 shards" if ON_POSTGRESQL else "the embedded server"


@contextlib.asynccontextmanager
async def server() -> AsyncIterator[str]:
    """A fresh server, and its address.

    Raises:
        SystemExit: a program that it needs is not there.
    """
    if not ON_POSTGRESQL:
        with running_temporal() as (address, _):
            await connected(address)
            yield address
        return
    if absent := missing():
        raise SystemExit(f"POSTGRESQL=1 needs {absent} (tests/chaos/lifecycle/postgresql.py)")
    with passable_folder() as folder:
        async with on_postgresql(folder) as address:
            yield address


@contextlib.asynccontextmanager
async def on_postgresql(home: Path) -> AsyncIterator[str]:
    """Temporal's own server on a new database, and its address."""
    database = PostgreSql(home)
    postgres = await asyncio.to_thread(database.prepare)
    temporal = database.temporal()
    try:
        postgres.start()
        await postgres.ready()
        await asyncio.to_thread(database.make_schemas)
        temporal.start()
        await temporal.ready()
        await asyncio.to_thread(database.make_namespace)
        await connected(database.address)
        yield database.address
    finally:
        temporal.kill()
        postgres.kill()

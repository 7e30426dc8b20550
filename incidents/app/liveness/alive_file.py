"""The worker's sign of life: a file that it touches, so that whoever runs it sees that it has not hung.

It says that the process runs and its event loop turns, and nothing of Temporal: a worker that waits for Temporal is not
made better by a restart.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

EVERY = 5.0
"""Seconds between two touches. A file that is older than six of them is a worker that has hung."""


@contextlib.asynccontextmanager
async def alive_file(path: Path | None) -> AsyncIterator[None]:
    """Keep the file fresh while the block runs, and remove it at its end. None: no file.

    Raises:
        OSError: it cannot be written at all.
    """
    if path is None:
        yield
        return
    path.touch()  # noqa: ASYNC240 - one inode
    touching = asyncio.create_task(_touch(path))
    try:
        yield
    finally:
        touching.cancel()
        await asyncio.gather(touching, return_exceptions=True)
        path.unlink(missing_ok=True)  # noqa: ASYNC240 - one inode


async def _touch(path: Path) -> None:
    while True:
        await asyncio.sleep(EVERY)
        with contextlib.suppress(OSError):  # such as a full disk: an old file is what tells it
            path.touch()  # noqa: ASYNC240 - one inode

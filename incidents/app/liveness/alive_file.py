"""The worker's sign of life: a file that it touches, so that whoever runs it sees that it has not hung.

It says that the process runs and its event loop turns, and nothing of Temporal: a worker that waits for Temporal is not
made better by a restart.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from incidents.app.temporal_settings import SettingsError

NEXT = "name a file in a folder that the worker may write to, such as /tmp/worker-alive, or leave it unset"
EVERY = 5.0
"""Seconds between two touches. A file that is older than six of them is a worker that has hung."""
_log = logging.getLogger("worker")


@contextlib.asynccontextmanager
async def alive_file(path: Path | None) -> AsyncIterator[None]:
    """Keep the file fresh while the block runs, and remove it at its end. None: no file.

    Raises:
        SettingsError: it cannot be written at all.
    """
    if path is None:
        yield
        return
    try:
        path.touch()  # noqa: ASYNC240 - one inode
    except OSError as error:
        raise SettingsError(f"WORKER_ALIVE_FILE cannot be written ({error.strerror}): {NEXT}") from None
    touching = asyncio.create_task(_touch(path))
    try:
        yield
    finally:
        touching.cancel()
        await asyncio.gather(touching, return_exceptions=True)
        path.unlink(missing_ok=True)  # noqa: ASYNC240 - one inode


async def _touch(path: Path) -> None:
    failing = False
    while True:
        await asyncio.sleep(EVERY)
        try:
            path.touch()  # noqa: ASYNC240 - one inode
        except OSError as error:  # such as a read-only file system: the old file tells it, and the log tells why
            if not failing:
                _log.error("The sign of life cannot be written (%s), so this worker will be restarted", error.strerror)
            failing = True
        else:
            failing = False

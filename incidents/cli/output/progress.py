"""What a command waits for, shown while it takes long."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from rich.console import Console

AFTER = 2.0
"""Seconds from which a command takes long."""
_EVERY = 0.25


@contextlib.asynccontextmanager
async def shown_progress(screen: Console, text: Callable[[], str]) -> AsyncIterator[None]:
    """Show a line that changes while the block runs, once it takes long; nothing where no person watches.

    `screen`: of standard error, so that it mixes with no result.
    """
    if not screen.is_terminal:
        yield
        return
    showing = asyncio.create_task(_show(screen, text))
    try:
        yield
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)


async def _show(screen: Console, text: Callable[[], str]) -> None:
    await asyncio.sleep(AFTER)
    with screen.status(text()) as status:
        while True:
            await asyncio.sleep(_EVERY)
            status.update(text())

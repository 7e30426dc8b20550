"""End a worker that no longer asks Temporal for workflow tasks, so that it is started anew.

Seen when hundreds of incidents are queried at once (docs/temporal-notes.md#polls): the SDK's core asks for activities,
but for no workflow task any more, without a word. The process lives, so nothing restarts it, and if it is the only
worker, every incident stands still. Temporal knows: it has when a worker last asked for tasks of either kind.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from incidents.app.liveness.task_queues import POLL, describe_queue

EVERY = timedelta(minutes=1)
MISSES = 3
"""Looks in a row that find it so, until the worker is ended."""
_TIMEOUT = timedelta(seconds=10)
_log = logging.getLogger("worker")


class PollWatch:
    """Looks at the polls of this process's worker on one task queue."""

    def __init__(self, client: Client, task_queue: str) -> None:
        """Watch the worker that has the client's identity."""
        self._client, self._task_queue = client, task_queue
        self._misses = 0

    async def has_stopped(self) -> bool:
        """Look once, and tell whether the worker has stopped asking for workflow tasks, though it asks for activities.

        False while Temporal does not answer: then a new start would not help.
        """
        try:
            activity, workflow = [await self._last_poll(kind) for kind in ("activity", "workflow")]
        except (RPCError, RuntimeError):
            self._misses = 0
            return False
        self._misses = self._misses + 1 if activity - workflow > POLL.total_seconds() else 0
        return self._misses >= MISSES

    async def _last_poll(self, kind: str) -> int:
        """Return when the worker last asked for a task, in seconds of the server's clock; 0: not for minutes."""
        pollers = (await describe_queue(self._client, self._task_queue, kind, _TIMEOUT)).pollers
        own = (poller for poller in pollers if poller.identity == self._client.identity)
        return max((poller.last_access_time.ToSeconds() for poller in own), default=0)


def _end_process() -> None:
    """End at once: a worker in this state may not be able to shut down, and all that it did is safe in Temporal."""
    os._exit(1)


@contextlib.asynccontextmanager
async def watching_polls(
    client: Client, task_queues: Sequence[str], end: Callable[[], None] = _end_process
) -> AsyncIterator[None]:
    """Call `end` as soon as the worker on one of the queues has stopped asking for workflow tasks."""
    watches = [asyncio.create_task(_watch(PollWatch(client, queue), queue, end)) for queue in task_queues]
    try:
        yield
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)


async def _watch(watch: PollWatch, task_queue: str, end: Callable[[], None]) -> None:
    while True:
        if await watch.has_stopped():
            break
        await asyncio.sleep(EVERY.total_seconds())
    _log.critical(
        "This worker has stopped asking for workflow tasks of task queue %s. Nothing is lost: incidents go on when it"
        " has been started again, or in another worker. It ends now, with status 1.",
        task_queue,
    )
    end()

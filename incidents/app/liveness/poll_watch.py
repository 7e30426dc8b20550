"""Exit a worker that no longer polls Temporal for workflow tasks, so that it is restarted.

Seen when hundreds of incidents are queried at once (docs/temporal-notes.md#polls): the SDK's core polls for activities,
but not for workflow tasks, and reports no error. The process lives, so nothing restarts it, and if it is the only
worker, every incident stands still. Temporal records when a worker last polled for tasks of each kind.
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
"""Time between two checks."""
MISSES = 3
"""Consecutive checks without a poll after which the worker exits."""
_TIMEOUT = timedelta(seconds=10)
_log = logging.getLogger("worker")


class PollWatch:
    """Checks the polls of this process's worker on one task queue."""

    def __init__(self, client: Client, task_queue: str) -> None:
        """Watch the worker that has the client's identity."""
        self._client, self._task_queue = client, task_queue
        self._misses = 0

    async def has_stopped(self) -> bool:
        """Check once; return whether the worker has stopped polling for workflow tasks, though it polls for activities.

        False while Temporal does not answer: a restart would not help then.
        """
        try:
            activity, workflow = [await self._last_poll(kind) for kind in ("activity", "workflow")]
        except (RPCError, RuntimeError):
            self._misses = 0
            return False
        self._misses = self._misses + 1 if activity - workflow > POLL.total_seconds() else 0
        return self._misses >= MISSES

    async def _last_poll(self, kind: str) -> int:
        """Return when the worker last polled, in seconds of the server's clock; 0: not within five minutes."""
        pollers = (await describe_queue(self._client, self._task_queue, kind, _TIMEOUT)).pollers
        own = (poller for poller in pollers if poller.identity == self._client.identity)
        return max((poller.last_access_time.ToSeconds() for poller in own), default=0)


def _end_process() -> None:
    """Exit without a graceful shutdown, which may hang in this state. All that the worker has done is in Temporal."""
    os._exit(1)


@contextlib.asynccontextmanager
async def watching_polls(
    client: Client, task_queues: Sequence[str], end: Callable[[], None] = _end_process
) -> AsyncIterator[None]:
    """Call `end` as soon as the worker on one of the queues has stopped polling for workflow tasks."""
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
        "This worker no longer polls for workflow tasks on task queue %s. Nothing is lost: incidents continue in"
        " another worker, or when this one has been restarted. It exits now with status 1.",
        task_queue,
    )
    end()

"""The slots of the workers that set channels up: all together they hold the pace of `chat` in runbook.yaml."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import CustomSlotSupplier, FixedSizeSlotSupplier

from incidents.app.liveness.task_queues import recent_pollers
from incidents.app.pace.paced_slots import PacedSlots
from incidents.app.pace.token_bucket import TokenBucket
from incidents.domain.config.communication import Chat

SETUP_THREADS = 10
"""Concurrent calls of one kind, whatever the pace. They wait for Slack."""
_COUNTING = timedelta(seconds=2)
"""How long counting the workers may take. Calls that set channels up wait for it."""


def setup_slots(
    client: Client, queue: str, chat: Chat, calls: int, clock: Callable[[], float]
) -> CustomSlotSupplier | FixedSizeSlotSupplier:
    """Return the slots of a worker of that queue. `calls`: how many a new channel takes at once."""
    if not chat.setup_per_minute:
        return FixedSizeSlotSupplier(SETUP_THREADS)
    bucket = TokenBucket(chat.setup_burst * calls, chat.setup_per_minute / 60, clock())
    return PacedSlots(bucket, SETUP_THREADS, clock, _counting_workers(client, queue))


def _counting_workers(client: Client, queue: str) -> Callable[[], Awaitable[int]]:
    """Return what counts the workers of the queue, this one included, which may not have polled yet."""

    async def count() -> int:
        try:
            return len(await recent_pollers(client, queue, "activity", _COUNTING) | {client.identity})
        except (RPCError, RuntimeError):
            return 0

    return count

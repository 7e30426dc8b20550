"""What a process reads of Temporal, the workers and the vendors. A source that cannot tell returns nothing."""

import logging
from datetime import datetime, timedelta
from typing import Protocol

from temporalio.api.workflowservice.v1 import GetClusterInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.connection import check_connection
from incidents.app.liveness.task_queues import KINDS, POLL, describe_queue, takes_new_work
from incidents.domain.operators.outage import OutageKind, Reading
from incidents.vendors import call_results
from incidents.vendors.names import DISPLAY_NAMES

_TIMEOUT = timedelta(seconds=5)
_NOT_FOR_US = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED)
"""Of a call that only asks whether there is an answer: this is one."""
_AWAY = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
_log = logging.getLogger("outage")


class Source(Protocol):
    """One thing that is watched."""

    async def read(self, at: datetime) -> list[Reading]:
        """Return what is known at that time, aware UTC."""
        ...


class TemporalSource:
    """Whether Temporal answers, and its database: the server reports itself healthy without one, too."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._failing_since: datetime | None = None

    async def read(self, at: datetime) -> list[Reading]:
        """Ask Temporal."""
        self._failing_since = None if await self._answers() else self._failing_since or at
        return [Reading(kind=OutageKind.TEMPORAL, failing_since=self._failing_since, failed_until=at)]

    async def _answers(self) -> bool:
        try:
            await check_connection(self._client, _TIMEOUT)
            await self._client.workflow_service.get_cluster_info(GetClusterInfoRequest(), timeout=_TIMEOUT)
        except RPCError as error:
            return error.status in _NOT_FOR_US
        return True


class PollerSource:
    """Whether workers poll the task queue that get new work, for workflows and for activities.

    Where workers have versions, that is those of the current one: without them, new incidents wait.

    Temporal remembers a poller for minutes, so what counts is that its last poll changes; that is timed by this
    process's clock, which may differ from the server's.
    """

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client, self._queue = client, task_queue
        self._changed: dict[str, tuple[int, datetime]] = {}
        self._said = False

    async def read(self, at: datetime) -> list[Reading]:
        """Ask Temporal for the newest polls; while it is unreachable nothing is known of the workers."""
        try:
            polled = await self._newest_polls()
        except (RPCError, RuntimeError) as error:  # RuntimeError: a lazy client that is not connected yet
            self._say_why(error)
            self._changed = {}
            return []
        self._said = False
        for kind in KINDS:
            newest = polled.get(kind, 0)
            if kind not in self._changed or self._changed[kind][0] != newest:
                self._changed[kind] = newest, at
        away = [since for newest, since in self._changed.values() if not newest or at - since > POLL]
        since = min(away, default=None)
        return [Reading(kind=OutageKind.WORKERS, subject=self._queue, failing_since=since, failed_until=at)]

    def _say_why(self, error: Exception) -> None:
        """Log once that the workers cannot be watched, unless Temporal is unreachable: that is watched, too."""
        if isinstance(error, RPCError) and error.status not in _AWAY and not self._said:
            _log.warning("Whether workers poll is not watched: Temporal answered %s", error.status.name)
            self._said = True

    async def _newest_polls(self) -> dict[str, int]:
        """Return when the newest poll of each kind was, in nanoseconds, of workers that get new work."""
        newest: dict[str, int] = {}
        for kind in KINDS:
            queue = await describe_queue(self._client, self._queue, kind, _TIMEOUT)
            polls = (each.last_access_time.ToNanoseconds() for each in queue.pollers if takes_new_work(each, queue))
            newest[kind] = max(polls, default=0)
        return newest


class VendorSource:
    """Which vendors answer this process's calls."""

    async def read(self, at: datetime) -> list[Reading]:
        """Return a reading of each vendor that was called."""
        return [
            Reading(
                kind=OutageKind.VENDOR,
                subject=vendor,
                name=DISPLAY_NAMES.get(vendor, vendor),
                failing_since=result.failing_since,
                failed_until=result.at,
            )
            for vendor, result in call_results.CALLS.newest().items()
        ]

"""What Temporal knows of all incidents and of the task queues. No worker is asked.

Every process reads the same, so dashboards take the maximum over processes, not the sum.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from incidents import metrics, search_attributes
from incidents.app.liveness.task_queues import KINDS, describe_queue
from incidents.app.telemetry.sources import Sample
from incidents.contracts import drill_queue, setup_queues
from incidents.domain.core.status import Status
from incidents.names import INCIDENT_WORKFLOW

FRESH = 10.0
"""Seconds for which a reading serves further scrapes: visibility has a rate limit that responders need."""
_WITHIN = 8.0
"""Seconds that a reading may take; Prometheus waits 10 s."""
_TIMEOUT = timedelta(seconds=4)
_OPEN = (Status.INVESTIGATING, Status.MONITORING)
_log = logging.getLogger("metrics")


class Fleet:
    """Counts incidents by severity, and asks how long tasks wait."""

    def __init__(
        self,
        connected: Callable[[], Awaitable[Client]],
        severities: tuple[str, ...],
        task_queue: str,
    ) -> None:
        """Read nothing yet.

        Args:
            connected: returns the client; raises RPCError while Temporal is unreachable.
            severities: as runbook.yaml names them.
            task_queue: the incidents'; those of channel set-up and of drills are read with it.
        """
        self._connected, self._severities = connected, severities
        both = (task_queue, drill_queue(task_queue))
        self._queues = (*both, *(setup for queue in both for setup in setup_queues(queue)))
        self._lock, self._said = asyncio.Lock(), ""
        self._read_at, self._samples = float("-inf"), [Sample(metrics.TEMPORAL_UP, 0)]

    async def read(self) -> list[Sample]:
        """Return what Temporal says, at most `FRESH` seconds old; if it does not answer, only that."""
        async with self._lock:
            if time.monotonic() - self._read_at > FRESH:
                self._samples = await self._read()
                self._read_at = time.monotonic()
            return self._samples

    async def _read(self) -> list[Sample]:
        try:
            async with asyncio.timeout(_WITHIN):
                client = await self._connected()
                found = [*await self._count_incidents(client), *await self._ask_queues(client)]
        except (RPCError, RuntimeError, TimeoutError) as error:  # RuntimeError: a lazy client that is not connected
            self._say_why(error)
            return [Sample(metrics.TEMPORAL_UP, 0)]
        self._said = ""
        return [*found, Sample(metrics.TEMPORAL_UP, 1)]

    def _say_why(self, error: Exception) -> None:
        """Log once why the gauges are absent: it may be a permission that is missing, and not an outage."""
        why = f"Temporal answered {error.status.name}" if isinstance(error, RPCError) else "Temporal did not answer"
        if why != self._said:
            _log.warning("The metrics of incidents and queues are absent: %s", why)
        self._said = why

    async def _count_incidents(self, client: Client) -> list[Sample]:
        overdue = f"{search_attributes.UPDATE_OVERDUE_AT.name} <= '{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}'"
        # An incident that waits in a maintenance window has no number, and pages nobody.
        unacknowledged = f"{search_attributes.ACK_SECONDS.name} IS NULL AND {search_attributes.NUMBER.name} IS NOT NULL"
        found: list[Sample] = []
        for severity in self._severities:
            label = {"severity": severity}
            counts = [await _count(client, severity, f"{search_attributes.STATUS.name} = '{each}'") for each in _OPEN]
            labelled = zip(_OPEN, counts, strict=True)
            found += [Sample(metrics.OPEN, count, {**label, "status": str(status)}) for status, count in labelled]
            found += [
                Sample(
                    metric, await _count(client, severity, f"{_is_open()} AND {condition}") if any(counts) else 0, label
                )
                for metric, condition in ((metrics.UNACKNOWLEDGED, unacknowledged), (metrics.UPDATES_OVERDUE, overdue))
            ]
        return found

    async def _ask_queues(self, client: Client) -> list[Sample]:
        """Return how many tasks wait in each queue, of all versions of workers, and how long the oldest does."""

        async def ask(queue: str, kind: str) -> list[Sample]:
            stats = (await describe_queue(client, queue, kind, _TIMEOUT)).stats
            label = {"queue": queue, "type": kind}
            age = stats.approximate_backlog_age.ToTimedelta().total_seconds()
            return [
                Sample(metrics.QUEUE_AGE, age, label),
                Sample(metrics.QUEUE_SIZE, stats.approximate_backlog_count, label),
            ]

        found = await asyncio.gather(*(ask(queue, kind) for queue in self._queues for kind in KINDS))
        return [sample for samples in found for sample in samples]


def always(client: Client) -> Callable[[], Awaitable[Client]]:
    """Return what returns a client that is connected, for `Fleet`."""

    async def connected() -> Client:
        return client

    return connected


def _is_open() -> str:
    listed = ", ".join(f"'{status}'" for status in _OPEN)
    return f"{search_attributes.STATUS.name} IN ({listed})"


async def _count(client: Client, severity: str, condition: str) -> int:
    """Return how many running incidents of a severity, without drills, meet a condition of visibility."""
    name = severity.replace("'", "''")
    query = (
        f"WorkflowType = '{INCIDENT_WORKFLOW}' AND ExecutionStatus = 'Running' AND"
        f" {search_attributes.DRILL.name} = false AND {search_attributes.SEVERITY.name} = '{name}' AND {condition}"
    )
    return (await client.count_workflows(query, rpc_timeout=_TIMEOUT)).count

"""Reads of incidents, shared by all viewers: a query costs the worker a task, and many endanger the history."""

import asyncio
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionDescription

from incidents.client.lookup import find, list_closed, list_incidents, list_postmortems
from incidents.client.watching.retries import Retry, RetryReader
from incidents.client.watching.watched_run import WatchedRun, state
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation

_KEPT = 200
"""Incidents whose last read is kept."""
_PROCESS = secrets.token_hex(4)
"""Begins every version: another gateway, or this one after a restart, counts changes anew."""
_FRESH = 1.0
"""Seconds for which a read serves other viewers without a look at Temporal."""


@dataclass(frozen=True)
class Reading:
    """An incident as last read. `incident` is None if no worker has answered yet; `warning`: why it may be stale.

    `version` changes with all that a page shows of it.
    """

    run: WorkflowExecutionDescription
    incident: Incident | None
    obligations: tuple[Obligation, ...]
    retries: tuple[Retry, ...]
    warning: str
    version: str


class IncidentReader:
    """Reads one incident for all its viewers, one read at a time."""

    def __init__(self, client: Client, run: WorkflowExecutionDescription) -> None:
        self._watched, self._retries = WatchedRun(client, run), RetryReader(client)
        self._lock = asyncio.Lock()
        self._read_at: float | None = None
        self._incident: Incident | None = None
        self._obligations: tuple[Obligation, ...] = ()
        self._retrying: tuple[Retry, ...] = ()
        self._shown: object = None
        self._changes = 0

    @property
    def pause(self) -> float:
        """Seconds until the next read makes sense; longer while there is no answer."""
        return self._watched.pause

    async def read(self, max_age: float = _FRESH) -> Reading:
        """Return the incident as it stood within the last `max_age` seconds.

        It is queried only if its history has grown since the last read.

        Raises:
            NotFound: there is no such run any more.
            RPCError: Temporal refused the request.
        """
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if self._watched.problem:  # as seldom for many viewers as for one
                max_age = max(max_age, self._watched.pause)
            if self._read_at is None or now - self._read_at >= max_age:
                await self._refresh()
                self._read_at = asyncio.get_running_loop().time()
        warning = self._watched.warning(datetime.now(UTC))
        shown = (self._incident, self._obligations, self._retrying, bool(warning))
        if shown != self._shown:
            self._shown, self._changes = shown, self._changes + 1
        version = f"{_PROCESS}-{self._watched.run.run_id}-{self._changes}"
        return Reading(self._watched.run, self._incident, self._obligations, self._retrying, warning, version)

    async def _refresh(self) -> None:
        if (found := await self._watched.refresh(state)) is not None:
            self._incident, self._obligations = found[0], tuple(found[1])
        if not self._watched.problem:
            self._retrying = await self._retries.read(self._watched.run)

    def expire(self) -> None:
        """Let the next read look at Temporal again: a command was sent."""
        self._read_at = None


class IncidentReaders:
    """The readers of the incidents that are looked at, the latest `_KEPT`."""

    def __init__(self) -> None:
        self._readers: OrderedDict[str, IncidentReader] = OrderedDict()

    async def reader(self, client: Client, name: str) -> IncidentReader:
        """Return the reader of the incident with that number or workflow id.

        Raises:
            NotFound: there is none.
        """
        return self.reader_of(client, await find(client, name))

    def reader_of(self, client: Client, run: WorkflowExecutionDescription) -> IncidentReader:
        """Return the reader of the incident that has this run."""
        key = run.raw_info.first_run_id or run.run_id or run.id
        found = self._readers.setdefault(key, IncidentReader(client, run))
        self._readers.move_to_end(key)
        while len(self._readers) > _KEPT:
            self._readers.popitem(last=False)
        return found


@dataclass(frozen=True)
class Lists:
    """What the front page is made of, from visibility alone. `version`: as of a `Reading`."""

    running: tuple[WorkflowExecution, ...]
    closed: tuple[WorkflowExecution, ...]
    postmortems: tuple[WorkflowExecution, ...]
    version: str


class ListReader:
    """Reads the lists for all viewers, one read at a time. `recent`: how many closed incidents."""

    pause = 5.0
    """Seconds until the next read makes sense."""

    def __init__(self, recent: int) -> None:
        self._recent = recent
        self._lock = asyncio.Lock()
        self._read_at: float | None = None
        self._lists = Lists((), (), (), "")
        self._changes = 0

    async def read(self, client: Client, max_age: float = _FRESH) -> Lists:
        """Return the lists as they stood within the last `max_age` seconds.

        Raises:
            RPCError: Temporal did not answer.
        """
        clock = asyncio.get_running_loop().time
        async with self._lock:
            if self._read_at is None or clock() - self._read_at >= max_age:
                await self._refresh(client)
                self._read_at = clock()
        return self._lists

    async def _refresh(self, client: Client) -> None:
        running, closed, postmortems = await asyncio.gather(
            list_incidents(client, everything=False), list_closed(client, self._recent), list_postmortems(client)
        )
        shown = [_shown(execution) for execution in (*running, *closed, *postmortems)]
        if shown != [_shown(e) for e in (*self._lists.running, *self._lists.closed, *self._lists.postmortems)]:
            self._changes += 1
        version = f"{_PROCESS}-{self._changes}"
        self._lists = Lists(tuple(running), tuple(closed), tuple(postmortems), version)


def _shown(execution: WorkflowExecution) -> tuple[object, ...]:
    """Return all of an execution that a line shows."""
    attributes = sorted((pair.key.name, str(pair.value)) for pair in execution.typed_search_attributes)
    return (execution.id, execution.run_id, execution.close_time, attributes)

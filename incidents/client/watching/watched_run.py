"""Read a run again and again at a pace that costs it little."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from incidents.client.asking import ask
from incidents.client.lookup import current, handle_of, label
from incidents.client.problems import NoAnswer
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.names import AGENDA_QUERY, INCIDENT_QUERY

_EVERY = 2.0
"""Seconds between two reads of the run's description."""
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0
"""Seconds between two reads while there is no answer: the first pause, doubled each time, and the longest."""
STALE = timedelta(seconds=15)
"""Age from which the view shows a warning that it is stale. Shorter interruptions are not shown."""
_SILENT = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.RESOURCE_EXHAUSTED)

T = TypeVar("T")
Read = Callable[[WorkflowHandle[Any, Any], str], Awaitable[T]]
"""Reads from a run by queries; the text is the run's label for errors."""


async def state(handle: WorkflowHandle[Any, Any], name: str) -> tuple[Incident, list[Obligation]]:
    """Return the incident and its agenda."""
    incident: Incident = await ask(handle, INCIDENT_QUERY, Incident, name)
    # One after the other: while a task is pending, Temporal buffers one query of a workflow and rejects the next.
    obligations: list[Obligation] = await ask(handle, AGENDA_QUERY, list[Obligation], name)
    return incident, obligations


class WatchedRun:
    """A run that is queried only when its history has grown. Survives worker and server restarts and continue-as-new.

    A query costs the worker a task, and many of them endanger the history; a description costs little.
    `problem`: why the last read failed; "" if it did not. `pause`: seconds until the next read.
    """

    def __init__(self, client: Client, run: WorkflowExecutionDescription) -> None:
        """Start from the run's description."""
        self._client = client
        self.run = run
        self.problem = ""
        self._seen: tuple[str, int] | None = None
        self.pause = _EVERY
        self._current_at: datetime | None = None

    async def refresh(self, read: Read[T]) -> T | None:
        """Read again; return a new answer of `read`, or None if nothing changed or there is no answer (`problem`)."""
        try:
            self.run = await current(self._client, self.run)
            seen = (self.run.run_id, self.run.raw_info.history_length)
            answer = await read(handle_of(self._client, self.run), label(self.run)) if seen != self._seen else None
        except NoAnswer as problem:
            self._fail(str(problem))
            return None
        except RPCError as error:
            if error.status not in _SILENT:
                raise
            self._fail("Temporal is not answering; retrying. The incident itself is not affected.")
            return None
        self._seen, self.pause, self.problem = seen, _EVERY, ""
        self._current_at = datetime.now(UTC)
        return answer

    def _fail(self, problem: str) -> None:
        self.pause = min(self.pause * 2, _LONGEST_PAUSE) if self.problem else _FIRST_PAUSE
        self.problem = problem

    def warning(self, now: datetime) -> str:
        """Return a warning with the age of the data; "" while it is younger than `STALE`."""
        if not self.problem or self._current_at is None:
            return self.problem
        age = now - self._current_at
        return f"As of {in_words(age)} ago. {self.problem}" if age > STALE else ""

"""`incident watch`: an incident live; and what reads a run again only when it has changed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from rich.console import Console, RenderableType
from rich.live import Live
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from incidents.cli.output.list_views import incidents_table
from incidents.cli.output.screen import IncidentScreen
from incidents.client.asking import ask
from incidents.client.lookup import current, handle_of, is_open, label
from incidents.client.problems import NoAnswer
from incidents.client.retries import Retry, RetryReader
from incidents.client.rows import incident_row, title_of
from incidents.domain.core.status import Status
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

UNTIL: dict[str, tuple[Status, ...]] = {
    "monitoring": (Status.MONITORING, Status.RESOLVED, Status.CANCELLED),
    "resolved": (Status.RESOLVED, Status.CANCELLED),
    "cancelled": (Status.CANCELLED,),
}
"""Values of --until, and the statuses that end the wait (also those after which it can no longer happen)."""


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


class Look:
    """The incident as last read, and the age of that read."""

    def __init__(self, client: Client, run: WorkflowExecutionDescription, console: Console) -> None:
        """Start from the run's description."""
        self._watched = WatchedRun(client, run)
        self._retry_reader = RetryReader(client)
        self._console = console
        self.retries: tuple[Retry, ...] = ()
        self.incident: Incident | None = None
        self.obligations: list[Obligation] = []
        self._title = ""

    @property
    def run(self) -> WorkflowExecutionDescription:
        """Return the run's description."""
        return self._watched.run

    @property
    def problem(self) -> str:
        """Return why the last read failed; "" if it did not."""
        return self._watched.problem

    @property
    def pause(self) -> float:
        """Return the seconds until the next read."""
        return self._watched.pause

    async def refresh(self) -> None:
        """Read again. `problem` has the reason if there was no answer."""
        if (found := await self._watched.refresh(state)) is not None:
            self.incident, self.obligations = found
        self._title = await title_of(self.run)
        self.retries = await self._retry_reader.read(self.run)

    def over(self, until: str | None) -> bool:
        """Tell whether the incident is closed or has reached `until`."""
        if not is_open(self.run):
            return True
        return self.incident is not None and (
            self.incident.closed or (until is not None and self.incident.status in UNTIL[until])
        )

    def view(self, rows: int | None = None) -> RenderableType:
        """Return the current view."""
        now = datetime.now(UTC)
        if self.incident is None:
            return incidents_table([incident_row(self.run, now, self._title)], now, self._console.width)
        note = self._watched.warning(now)
        return IncidentScreen(self.incident, self.obligations, now, retries=self.retries, rows=rows, note=note)

    def fitted(self) -> RenderableType:
        """Return the view that fits this terminal, with a line for the prompt; the full view without a terminal."""
        return self.view(self._console.height - 1 if self._console.is_terminal else None)


async def wait(look: Look, until: str | None) -> None:
    """Read until the incident is closed or has reached `until`."""
    while not look.over(until):
        await asyncio.sleep(look.pause)
        await look.refresh()


async def watch(look: Look, console: Console, until: str | None) -> None:
    """Show the incident until it is closed; countdowns keep running while there is no answer."""
    with Live(console=console, refresh_per_second=1, vertical_overflow="crop", get_renderable=look.fitted) as live:
        await look.refresh()
        live.refresh()
        await wait(look, until)

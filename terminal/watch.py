"""Watching an incident: the screen and the timeline that go with it while it lives."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from runbook.duties import Obligation
from runbook.incident import Incident
from runbook.incident_parts import Status
from runbook.timeline import Entry
from terminal.finding import NoAnswer, ask, current, handle_of, is_open, label
from terminal.views import incident_view, incidents_table, timeline_line

_EVERY = 1.0
_SILENT = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED)

UNTIL: dict[str, tuple[Status, ...]] = {
    "monitoring": (Status.MONITORING, Status.RESOLVED, Status.CANCELLED),
    "resolved": (Status.RESOLVED, Status.CANCELLED),
    "cancelled": (Status.CANCELLED,),
}
"""What can be waited for, and the statuses in which that, or all hope of it, has come."""


async def state(handle: WorkflowHandle[Any, Any], name: str) -> tuple[Incident, list[Obligation]]:
    """Return the incident and its agenda."""
    incident: Incident = await ask(handle, "incident", Incident, name)
    duties: list[Obligation] = await ask(handle, "agenda", list[Obligation], name)
    return incident, duties


class Look:
    """The incident as it was last seen, and why that may be old. It outlasts workers, servers and continue-as-new."""

    def __init__(self, client: Client, run: WorkflowExecutionDescription, console: Console) -> None:
        """Begin with what Temporal knows by itself."""
        self._client = client
        self._console = console
        self.run = run
        self.incident: Incident | None = None
        self.duties: list[Obligation] = []
        self.problem = ""

    async def refresh(self) -> None:
        """Look again. Whoever does not answer is named in `problem`."""
        try:
            self.run = await current(self._client, self.run)
            self.incident, self.duties = await state(handle_of(self._client, self.run), label(self.run))
            self.problem = ""
        except NoAnswer as problem:
            self.problem = str(problem)
        except RPCError as error:
            if error.status not in _SILENT:
                raise
            self.problem = "Temporal does not answer. The incident is kept by it; trying again."

    def over(self, until: str | None) -> bool:
        """Tell whether the incident has ended for good, or has come to what was waited for."""
        if not is_open(self.run):
            return True
        return self.incident is not None and (
            self.incident.closed or (until is not None and self.incident.status in UNTIL[until])
        )

    def view(self, rows: int | None = None) -> RenderableType:
        """Return what is to be seen now."""
        now = datetime.now(UTC)
        if self.incident is None:
            return incidents_table([self.run], now)
        return incident_view(self.incident, self.duties, now, rows=rows, note=self.problem)

    def live_view(self) -> RenderableType:
        """Return what is to be seen now on this terminal; all of it, if it is none."""
        return self.view(self._console.height - 1 if self._console.is_terminal else None)


async def wait(look: Look, until: str | None) -> None:
    """Look again each second until the incident is over or has come to what was waited for."""
    while not look.over(until):
        await asyncio.sleep(_EVERY)
        await look.refresh()


async def watch(look: Look, console: Console, until: str | None) -> None:
    """Show the incident until it is over, with the countdowns running also while nobody answers."""
    with Live(console=console, refresh_per_second=1, vertical_overflow="crop", get_renderable=look.live_view) as live:
        await look.refresh()
        live.refresh()
        await wait(look, until)


async def follow(client: Client, run: WorkflowExecutionDescription, console: Console, said: Console) -> None:
    """Print the timeline line by line as it grows, until the incident is over. `said` is told who does not answer."""
    printed, problem = 0, ""
    while True:
        run, trouble, entries = await _entries(client, run)
        for entry in entries[printed:]:
            console.print(timeline_line(entry), soft_wrap=True)
        printed = max(printed, len(entries))
        if trouble and trouble != problem:
            said.print(trouble, style="yellow", soft_wrap=True)
        problem = trouble
        if not is_open(run) and not trouble:
            return
        await asyncio.sleep(_EVERY)


async def _entries(
    client: Client, run: WorkflowExecutionDescription
) -> tuple[WorkflowExecutionDescription, str, tuple[Entry, ...]]:
    try:
        run = await current(client, run)
        return run, "", await ask(handle_of(client, run), "timeline", tuple[Entry, ...], label(run))
    except NoAnswer as problem:
        return run, str(problem), ()
    except RPCError as error:
        if error.status not in _SILENT:
            raise
        return run, "Temporal does not answer. The incident is kept by it; trying again.", ()

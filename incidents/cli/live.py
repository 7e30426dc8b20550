"""`incident watch`: an incident live."""

import asyncio
from datetime import UTC, datetime

from rich.console import Console, RenderableType
from rich.live import Live
from temporalio.client import Client, WorkflowExecutionDescription

from incidents.cli.output.list_views import incidents_table
from incidents.cli.output.screen import IncidentScreen
from incidents.client.lookup import is_open
from incidents.client.rows import incident_row, title_of
from incidents.client.watching.retries import Retry, RetryReader
from incidents.client.watching.watched_run import WatchedRun, state
from incidents.domain.core.status import Status
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation

UNTIL: dict[str, tuple[Status, ...]] = {
    "monitoring": (Status.MONITORING, Status.RESOLVED, Status.CANCELLED),
    "resolved": (Status.RESOLVED, Status.CANCELLED),
    "cancelled": (Status.CANCELLED,),
}
"""Values of --until, and the statuses that end the wait (also those after which it can no longer happen)."""


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

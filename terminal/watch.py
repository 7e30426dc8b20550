"""Watching an incident: the screen that goes with it while it lives."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.live import Live
from temporalio.client import Client, WorkflowHandle

from runbook.agenda import Obligation
from runbook.incident import Incident, Status
from terminal.finding import NoAnswer, ask, find
from terminal.views import incident_view

_EVERY = 1.0


async def state(handle: WorkflowHandle[Any, Any], name: str) -> tuple[Incident, list[Obligation]]:
    """Return the incident and its agenda."""
    incident: Incident = await ask(handle, "incident", Incident, name)
    duties: list[Obligation] = await ask(handle, "agenda", list[Obligation], name)
    return incident, duties


def is_until(until: str | None) -> Callable[[Incident], bool]:
    """Return the test for the end of the watch: closed for good, or a status that was asked for."""
    wanted = Status(until) if until else None
    return lambda incident: incident.closed or (wanted is not None and incident.status == wanted)


async def watch(client: Client, name: str, console: Console, *, once: bool, until: str | None) -> None:
    """Show the incident, anew each second, until it is closed or has the status asked for. A missing worker is said."""
    handle = client.get_workflow_handle(await find(client, name))
    ended = is_until(until)
    incident, duties = await state(handle, name)
    if once:
        console.print(incident_view(incident, duties, datetime.now(UTC)))
        return
    with Live(console=console, refresh_per_second=4, vertical_overflow="crop") as live:
        while True:
            live.update(incident_view(incident, duties, datetime.now(UTC)))
            if ended(incident):
                return
            await asyncio.sleep(_EVERY)
            try:
                incident, duties = await state(handle, name)
            except NoAnswer as problem:
                live.console.print(f"[yellow]{problem}[/yellow]")

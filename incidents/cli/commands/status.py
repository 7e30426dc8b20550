"""`incident status`: how each open incident stands, and what is due next, in four lines."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.text import Text
from temporalio.client import Client, WorkflowExecutionDescription

from incidents.cli.finding import find
from incidents.cli.help import Subcommands
from incidents.cli.live import Look
from incidents.cli.options import Json
from incidents.cli.output.screen import status_lines
from incidents.cli.runner import console, run, say
from incidents.client.lookup import describe, list_incidents
from incidents.client.problems import NoAnswer
from incidents.client.rows import incident_rows
from incidents.domain.incident.display.glance import up_next_rows

app = Subcommands()
_MOST = 10
"""Incidents whose workers are asked. `incident list` has all of them, and asks no worker."""


@app.command()
def status(
    number: Annotated[
        str,
        typer.Argument(metavar="INCIDENT", help="Only this one; default: each open incident", show_default=False),
    ] = "",
    as_json: Json = False,
) -> None:
    """Show how each open incident stands, and what is due next."""

    async def work(client: Client) -> None:
        looks = [Look(client, each, console()) for each in await _named(client, number)]
        for look in looks:
            await look.refresh()
        if as_json:
            say(json.dumps([await _row(look) for look in looks], indent=1))
        else:
            _print(looks)
        if any(look.incident is None for look in looks):
            raise NoAnswer(next(look.problem for look in looks if look.incident is None))

    run(work)


async def _named(client: Client, number: str) -> list[WorkflowExecutionDescription]:
    if number:
        return [await find(client, number)]
    found = await list_incidents(client, everything=False)
    return [await describe(client, run.id, run.run_id) for run in found[:_MOST]]


def _print(looks: list[Look]) -> None:
    now, screen = datetime.now(UTC), console()
    if not looks:
        say("No open incidents.")
    for look in looks:
        if look.incident is None:
            screen.print(look.view())
        else:
            screen.print(Group(*status_lines(look.incident, look.obligations, now)))
    if len(looks) == _MOST:
        screen.print(Text(f"Only the newest {_MOST} are shown; `incident list` has all."))


async def _row(look: Look) -> dict[str, Any]:
    """Return an incident as `incident list` has it, with what is due next (`next`) where a worker answered."""
    now = datetime.now(UTC)
    coming = up_next_rows(look.obligations, now)
    due = {"summary": coming[0].summary, "due": coming[0].due.isoformat()} if coming else None
    [row] = await incident_rows([look.run], now)
    return {**row, "next": due, "partial": look.incident is None}

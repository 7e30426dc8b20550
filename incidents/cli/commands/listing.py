"""The subcommand that every shift begins with: list. It imports no models, so that it starts at once."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from temporalio.client import Client, WorkflowExecution

from incidents.cli.finding import find
from incidents.cli.help import Subcommands
from incidents.cli.options import Json, Number
from incidents.cli.runner import console, run, say
from incidents.client.lookup import MOST, list_incidents, overdue
from incidents.client.rows import incident_rows, postmortem_row
from incidents.client.similar import list_similar

app = Subcommands()


@app.command("list")
def print_incidents(
    everything: Annotated[bool, typer.Option("--all", help="Include closed incidents")] = False,
    late: Annotated[bool, typer.Option("--overdue", help="Only overdue post-mortems")] = False,
    as_json: Json = False,
) -> None:
    """List open incidents, newest first. Works without a worker."""

    async def work(client: Client) -> None:
        if late:
            _print_overdue(await overdue(client), as_json)
            return
        now = datetime.now(UTC)
        found = await incident_rows(await list_incidents(client, everything=everything), now)
        if as_json:
            say(json.dumps(found, indent=1))
        elif found:
            from incidents.cli.output.list_views import incidents_table  # Rich is slow to import

            screen = console()
            screen.print(incidents_table(found, now, screen.width))
            if len(found) == MOST:
                say(f"Showing the newest {MOST}; there may be more.")
        else:
            say("No incidents." if everything else "No open incidents.")

    run(work, models=False)


@app.command("similar")
def print_similar(number: Number, as_json: Json = False) -> None:
    """List incidents with the same alert, bad release or service. Works without a worker."""

    async def work(client: Client) -> None:
        similar = await list_similar(client, await find(client, number))
        rows = await incident_rows([execution for execution, _ in similar], datetime.now(UTC))
        found = [row | {"why": why} for row, (_, why) in zip(rows, similar, strict=True)]
        if as_json:
            say(json.dumps(found, indent=1))
        elif found:
            from incidents.cli.output.list_views import similar_table

            console().print(similar_table(found))
        else:
            say("No similar incidents.")

    run(work, models=False)


def _print_overdue(found: list[WorkflowExecution], as_json: bool) -> None:
    if as_json:
        say(json.dumps([postmortem_row(run) for run in found], indent=1))
    elif found:
        from incidents.cli.output.list_views import overdue_table

        console().print(overdue_table(found, datetime.now(UTC)))
    else:
        say("No overdue post-mortems.")

"""The subcommand that every shift begins with: list. It imports no models, so that it starts at once."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from temporalio.client import Client, WorkflowExecution

from incidents.cli.options import PLAIN, Json
from incidents.cli.rows import incident_row, overdue_row
from incidents.cli.runner import console, run, say
from incidents.client.lookup import MOST, list_incidents, overdue

app = typer.Typer(**PLAIN)


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
        found = await list_incidents(client, everything=everything)
        if as_json:
            say(json.dumps([incident_row(execution) for execution in found], indent=1))
        elif found:
            from incidents.cli.list_views import incidents_table  # Rich is slow to import

            console().print(incidents_table(found, datetime.now(UTC)))
            if len(found) == MOST:
                say(f"Showing the newest {MOST}; there may be more.")
        else:
            say("No incidents." if everything else "No open incidents.")

    run(work, models=False)


def _print_overdue(found: list[WorkflowExecution], as_json: bool) -> None:
    if as_json:
        say(json.dumps([overdue_row(run) for run in found], indent=1))
    elif found:
        from incidents.cli.list_views import overdue_table

        console().print(overdue_table(found, datetime.now(UTC)))
    else:
        say("No overdue post-mortems.")

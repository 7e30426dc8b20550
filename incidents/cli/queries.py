"""The subcommands that change nothing: show, watch, timeline, check."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from temporalio.client import Client

from incidents.app.connection import run_and_exit
from incidents.app.settings import load_settings
from incidents.cli import views
from incidents.cli.options import PLAIN, Json, Number
from incidents.cli.rows import incident_row
from incidents.cli.runner import (
    console,
    dump,
    run,
    say,
)
from incidents.cli.watch import (
    UNTIL,
    Look,
    follow,
    wait,
    watch,
)
from incidents.client.lookup import (
    NoAnswer,
    ask,
    find,
    handle_of,
    label,
)
from incidents.contracts import TIMELINE_QUERY
from incidents.domain.core.base import RunbookError
from incidents.domain.core.timeline import Entry

app = typer.Typer(**PLAIN)


async def _first_look(client: Client, name: str, as_json: bool) -> Look:
    """Return the incident as it stands.

    Raises:
        NoAnswer: no worker answered; what Temporal knows by itself has been printed.
    """
    look = Look(client, await find(client, name), console())
    await look.refresh()
    if look.incident is None:
        _print_known(look, as_json)
        raise NoAnswer(look.problem)
    return look


def _print_known(look: Look, as_json: bool) -> None:
    if as_json:
        say(json.dumps({**incident_row(look.run), "partial": True}, indent=1))
    else:
        console().print(look.view())


@app.command()
def show(number: Number, as_json: Json = False) -> None:
    """Show an incident: people, checklist, next obligations, timeline."""

    async def work(client: Client) -> None:
        look = await _first_look(client, number, as_json)
        if as_json and look.incident is not None:
            say(dump(look.incident))
        else:
            console().print(look.view())

    run(work)


@app.command("watch")
def watch_incident(
    number: Number,
    once: Annotated[bool, typer.Option("--once", help="One look")] = False,
    until: Annotated[str | None, typer.Option(help="End when it is monitoring, resolved or cancelled")] = None,
    as_json: Json = False,
) -> None:
    """Watch an incident live, with countdowns. Ctrl-C ends the watching, not the incident.

    With --json: one look, or with --until the look at the end, as {"incident": ..., "agenda": [...]}.
    """
    if until is not None and until not in UNTIL:
        raise typer.BadParameter(f"--until takes {', '.join(UNTIL)}")
    if once and until is not None:
        raise typer.BadParameter("--once or --until, not both")

    async def work(client: Client) -> None:
        try:
            if as_json or once:
                look = await _first_look(client, number, as_json)
                if until is not None:
                    await wait(look, until)
                _print_look(look, as_json)
            else:
                screen = console()
                await watch(Look(client, await find(client, number), screen), screen, until)
        except asyncio.CancelledError:  # Ctrl-C
            return

    run(work)


def _print_look(look: Look, as_json: bool) -> None:
    if as_json and look.incident is not None:
        seen: dict[str, Any] = {"incident": look.incident.model_dump(mode="json")}
        say(
            json.dumps(
                seen | {"agenda": [obligation.model_dump(mode="json") for obligation in look.obligations]}, indent=1
            )
        )
    else:
        console().print(look.view())


@app.command()
def timeline(
    number: Number,
    following: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows, until Ctrl-C")] = False,
    as_json: Json = False,
) -> None:
    """Print what happened, in order; times are UTC."""
    if following and as_json:
        raise typer.BadParameter("--follow or --json, not both: JSON is one document")

    async def work(client: Client) -> None:
        found = await find(client, number)
        if following:
            try:
                await follow(client, found, console(), Console(stderr=True, markup=False, highlight=False))
            except asyncio.CancelledError:  # Ctrl-C
                return
            return
        try:
            entries = await ask(handle_of(client, found), TIMELINE_QUERY, tuple[Entry, ...], label(found))
        except NoAnswer:
            _print_known(Look(client, found, console()), as_json)
            raise
        if as_json:
            say(json.dumps([entry.model_dump(mode="json") for entry in entries], indent=1))
        else:
            console().print(views.timeline_table(entries))

    run(work)


@app.command()
def check(
    file: Annotated[Path | None, typer.Option(help="Instead of RUNBOOK_FILE")] = None, as_json: Json = False
) -> None:
    """Check the runbook file: every fault with file, line and field."""
    from incidents.app.runbook_file import (
        RunbookSource,
        read_runbook,
        runbook_source,
    )  # YAML is slow to import, and no other command needs it

    async def main() -> int:
        settings = load_settings()
        source = RunbookSource(file, str(file), "--file") if file else runbook_source(settings)
        faults: list[str] = []
        try:
            read_runbook(source, settings)
        except RunbookError as error:
            faults = str(error).splitlines()
        if as_json:
            say(json.dumps({"file": source.name, "valid": not faults, "faults": faults}, indent=1))
        elif faults:
            print(*faults, sep="\n", file=sys.stderr)
        else:
            say(f"{source.name} makes sense.")
        return 1 if faults else 0

    run_and_exit(main())

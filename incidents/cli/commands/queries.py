"""The read-only subcommands: show, watch, timeline, check."""

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
from incidents.cli.live import (
    UNTIL,
    Look,
    follow,
    wait,
    watch,
)
from incidents.cli.options import PLAIN, Json, Number
from incidents.cli.rows import incident_row
from incidents.cli.runner import (
    console,
    dump,
    run,
    say,
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


async def _read_once(client: Client, name: str, as_json: bool) -> Look:
    """Return the incident's current state.

    Raises:
        NoAnswer: no worker answered; the search attributes have been printed.
    """
    look = Look(client, await find(client, name), console())
    await look.refresh()
    if look.incident is None:
        _print_search_attributes(look, as_json)
        raise NoAnswer(look.problem)
    return look


def _print_search_attributes(look: Look, as_json: bool) -> None:
    if as_json:
        say(json.dumps({**incident_row(look.run), "partial": True}, indent=1))
    else:
        console().print(look.view())


@app.command()
def show(number: Number, as_json: Json = False) -> None:
    """Show people, checklist, what is up next, and timeline."""

    async def work(client: Client) -> None:
        look = await _read_once(client, number, as_json)
        if as_json and look.incident is not None:
            say(dump(look.incident))
        else:
            console().print(look.view())

    run(work)


@app.command("watch")
def watch_incident(
    number: Number,
    once: Annotated[bool, typer.Option("--once", help="Print once and exit")] = False,
    until: Annotated[str | None, typer.Option(help="Exit when monitoring, resolved or cancelled")] = None,
    as_json: Json = False,
) -> None:
    """Watch an incident live, with countdowns. Ctrl-C stops watching; the incident continues.

    With --json, prints {"incident": ..., "agenda": [...]} once, or at the end of --until.
    """
    if until is not None and until not in UNTIL:
        raise typer.BadParameter(f"--until must be one of {', '.join(UNTIL)}")
    if once and until is not None:
        raise typer.BadParameter("use --once or --until, not both")

    async def work(client: Client) -> None:
        try:
            if as_json or once:
                look = await _read_once(client, number, as_json)
                if until is not None:
                    await wait(look, until)
                _print_watch(look, as_json)
            else:
                screen = console()
                await watch(Look(client, await find(client, number), screen), screen, until)
        except asyncio.CancelledError:  # Ctrl-C
            return

    run(work)


def _print_watch(look: Look, as_json: bool) -> None:
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
    following: Annotated[bool, typer.Option("--follow", "-f", help="Follow new entries until Ctrl-C")] = False,
    as_json: Json = False,
) -> None:
    """Print the timeline (UTC), oldest first."""
    if following and as_json:
        raise typer.BadParameter("use --follow or --json, not both")

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
            _print_search_attributes(Look(client, found, console()), as_json)
            raise
        if as_json:
            say(json.dumps([entry.model_dump(mode="json") for entry in entries], indent=1))
        else:
            console().print(views.timeline_table(entries))

    run(work)


@app.command()
def check(
    file: Annotated[Path | None, typer.Option(help="File to check; default: RUNBOOK_FILE")] = None,
    as_json: Json = False,
) -> None:
    """Validate runbook.yaml; lists each error with line and field."""
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
            say(f"{source.name} is valid")
        return 1 if faults else 0

    run_and_exit(main())

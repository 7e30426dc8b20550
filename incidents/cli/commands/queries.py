"""The read-only subcommands: show and watch."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from temporalio.client import Client

from incidents.app.evidence.archive import complete
from incidents.cli.finding import find
from incidents.cli.help import Subcommands
from incidents.cli.live import (
    UNTIL,
    Look,
    wait,
    watch,
)
from incidents.cli.options import Json, Number
from incidents.cli.runner import (
    console,
    run,
    say,
)
from incidents.client.problems import NoAnswer
from incidents.client.rows import incident_rows

app = Subcommands()


async def _read_once(client: Client, name: str, as_json: bool) -> Look:
    """Return the incident's current state.

    Raises:
        NoAnswer: no worker answered; the search attributes have been printed.
    """
    look = Look(client, await find(client, name), console())
    await look.refresh()
    if look.incident is None:
        await _print_search_attributes(look, as_json)
        raise NoAnswer(look.problem)
    return look


async def _print_search_attributes(look: Look, as_json: bool) -> None:
    if as_json:
        [row] = await incident_rows([look.run], datetime.now(UTC))
        say(json.dumps({**row, "partial": True}, indent=1))
    else:
        console().print(look.view())


@app.command()
def show(
    number: Number,
    full: Annotated[bool, typer.Option("--full", help="Show everything, though it is longer than the screen")] = False,
    as_json: Json = False,
) -> None:
    """Show people, checklist, what is up next, and timeline."""

    async def work(client: Client) -> None:
        look = await _read_once(client, number, as_json)
        if as_json and look.incident is not None:
            say(json.dumps({**complete(look.incident).model_dump(mode="json"), **_retrying(look)}, indent=1))
        else:
            console().print(look.view() if full else look.fitted())

    run(work)


@app.command("watch")
def watch_incident(
    number: Number,
    once: Annotated[bool, typer.Option("--once", help="Print once and exit")] = False,
    until: Annotated[str | None, typer.Option(help="Exit when monitoring, resolved or cancelled")] = None,
    as_json: Json = False,
) -> None:
    """Watch an incident live, with countdowns. Ctrl-C stops watching; the incident continues.

    With --json, prints an object of incident, agenda and retrying: once, or at the end of --until.
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
        seen: dict[str, Any] = {"incident": complete(look.incident).model_dump(mode="json")}
        agenda = [obligation.model_dump(mode="json") for obligation in look.obligations]
        say(json.dumps(seen | {"agenda": agenda} | _retrying(look), indent=1))
    else:
        console().print(look.view())


def _retrying(look: Look) -> dict[str, Any]:
    return {"retrying": [retry.model_dump(mode="json") for retry in look.retries]}

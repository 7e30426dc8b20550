"""`incident timeline`: the whole timeline or a part of it, once or as it grows."""

import asyncio
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from temporalio.client import Client, WorkflowExecutionDescription

from incidents.app.evidence.archive import public_timeline, timeline_after
from incidents.cli.commands.auditing import VerifyFirst, verify_timeline
from incidents.cli.finding import find
from incidents.cli.help import Subcommands
from incidents.cli.options import Json, Number, instant
from incidents.cli.output.list_views import incidents_table
from incidents.cli.output.plain_console import PlainConsole
from incidents.cli.output.views import timeline_line, timeline_table
from incidents.cli.runner import console, run, say
from incidents.client.lookup import handle_of, is_open, label
from incidents.client.problems import NoAnswer
from incidents.client.rows import incident_rows
from incidents.client.watching.watched_run import Read, WatchedRun
from incidents.domain.core.time.duration import parse_duration
from incidents.domain.core.timeline import Entry
from incidents.domain.incident.display.timeline_filter import Part, machine_actors, select_entries

app = Subcommands()


class EntryFilter:
    """Chooses entries of a timeline that is read piece by piece, from its beginning."""

    def __init__(self, part: Part, since: datetime | None) -> None:
        """Choose that part from that time on."""
        self.part, self._since = part, since
        self._machines = machine_actors(())

    def read(self, known: int = 0) -> Read[tuple[Entry, ...]]:
        """Return what reads the entries after that number."""
        return partial(public_timeline if self.part is Part.PUBLIC else timeline_after, known=known)

    def choose(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """Return those of the next entries that are wanted."""
        self._machines |= machine_actors(entries)
        return select_entries(entries, self.part, self._since, self._machines)


@app.command(cls=VerifyFirst)
def timeline(
    number: Number,
    people: Annotated[bool, typer.Option("--people", help="Only what people did")] = False,
    public: Annotated[bool, typer.Option("--public", help="Only what customers read: the status updates")] = False,
    since: Annotated[
        str,
        typer.Option(metavar="WHEN", help="Only from then on: 30m, 14:05 or ISO 8601 (UTC)", show_default=False),
    ] = "",
    following: Annotated[bool, typer.Option("--follow", "-f", help="Follow new entries until Ctrl-C")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Verify its hash chain; also: timeline verify 42")] = False,
    head: Annotated[
        str, typer.Option(metavar="HEAD", help="Verify that it has this head, as posted", show_default=False)
    ] = "",
    url: Annotated[str, typer.Option(help="Evidence store to verify it by", show_default=False)] = "",
    as_json: Json = False,
) -> None:
    """Print the timeline (UTC), oldest first."""
    if verify or head:
        if people or public or since or following:
            raise typer.BadParameter("--verify is of the whole timeline: no --people, --public, --since or --follow")
        verify_timeline(number, head, url, as_json)
        return
    if following and as_json:
        raise typer.BadParameter("use --follow or --json, not both")
    if people and public:
        raise typer.BadParameter("use --people or --public, not both")
    part = Part.PEOPLE if people else Part.PUBLIC if public else Part.ALL
    _show(number, EntryFilter(part, _since(since, datetime.now(UTC)) if since else None), following, as_json)


def _show(number: str, chosen: EntryFilter, following: bool, as_json: bool) -> None:
    async def work(client: Client) -> None:
        found = await find(client, number)
        if following:
            try:
                await follow(client, found, console(), chosen)
            except asyncio.CancelledError:  # Ctrl-C
                return
        else:
            _print(await _read(client, found, chosen, as_json), as_json)

    run(work)


async def _read(
    client: Client, found: WorkflowExecutionDescription, chosen: EntryFilter, as_json: bool
) -> tuple[Entry, ...]:
    """Return the entries.

    Raises:
        NoAnswer: no worker answered; the search attributes have been printed.
    """
    try:
        return chosen.choose(await chosen.read()(handle_of(client, found), label(found)))
    except NoAnswer:
        now, screen = datetime.now(UTC), console()
        [row] = await incident_rows([found], now)
        if as_json:
            say(json.dumps({**row, "partial": True}, indent=1))
        else:
            screen.print(incidents_table([row], now, screen.width))
        raise


def _print(entries: Sequence[Entry], as_json: bool) -> None:
    if as_json:
        say(json.dumps([entry.model_dump(mode="json") for entry in entries], indent=1))
    elif entries:
        console().print(timeline_table(entries))
    else:
        say("No such entries.")


async def follow(client: Client, found: WorkflowExecutionDescription, screen: Console, chosen: EntryFilter) -> None:
    """Print entries as they are added, until the incident is closed. Warnings go to standard error."""
    warnings = PlainConsole(stderr=True, markup=False, highlight=False)
    watched, known, warned = WatchedRun(client, found), 0, False
    while True:
        entries = await watched.refresh(chosen.read(known)) or ()
        for entry in chosen.choose(entries):
            screen.print(timeline_line(entry), soft_wrap=True)
        known = entries[-1].sequence if entries else known
        warning = watched.warning(datetime.now(UTC))
        if warning and not warned:
            warnings.print(warning, style="yellow", soft_wrap=True)
        warned = bool(warning)
        if not is_open(watched.run) and not watched.problem:
            return
        await asyncio.sleep(watched.pause)


def _since(typed: str, now: datetime) -> datetime:
    """Return the time that was typed: so long ago, a time of the last 24 hours (UTC), or an ISO 8601 time.

    Raises:
        typer.BadParameter: it is none of them.
    """
    if re.fullmatch(r"[012]\d:[0-5]\d", typed) and typed < "24":
        today = datetime.combine(now.date(), time.fromisoformat(typed), UTC)
        return today if today <= now else today - timedelta(days=1)
    try:
        length = parse_duration(typed)
        return now - length if isinstance(length, timedelta) else instant(typed)
    except OverflowError:
        raise typer.BadParameter(f"--since: {typed[:40]} is too long") from None
    except ValueError:
        return instant(typed)

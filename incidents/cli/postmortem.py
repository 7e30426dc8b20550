"""The subcommands of an incident's post-mortem."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from temporalio.client import Client

from incidents.cli.options import (
    PLAIN,
    By,
    Json,
    Number,
    Reason,
    Timeout,
)
from incidents.cli.runner import (
    console,
    dump,
    made,
    run,
    say,
    tell,
)
from incidents.cli.views import postmortem_view
from incidents.client.lookup import ask, find_postmortem, handle_of
from incidents.contracts import POSTMORTEM_QUERY
from incidents.domain.incident.commands import Command, StartPostmortem
from incidents.domain.postmortem import commands
from incidents.domain.postmortem.document import Cause, ItemState
from incidents.domain.postmortem.postmortem import Postmortem

app = typer.Typer(**PLAIN, no_args_is_help=True, help="The post-mortem of an incident.")

Text = Annotated[str, typer.Argument(help="One sentence or more", show_default=False)]
Written = Annotated[str | None, typer.Option(show_default=False)]
Lines = Annotated[list[str] | None, typer.Option(help="Once for each line", show_default=False)]


def _tell(number: str, command: Command, as_json: bool, timeout: float) -> None:
    tell(number, command, as_json, timeout, find_postmortem)


@app.command()
def show(number: Number, as_json: Json = False) -> None:
    """Show where the post-mortem stands, what it lacks, and its action items."""

    async def work(client: Client) -> None:
        handle = handle_of(client, await find_postmortem(client, number))
        found: Postmortem = await ask(handle, POSTMORTEM_QUERY, Postmortem, f"the post-mortem of {number}")
        if as_json:
            say(dump(found))
        else:
            console().print(postmortem_view(found, datetime.now(UTC)))

    run(work)


@app.command()
def start(number: Number, by: By, as_json: Json = False, timeout: Timeout = 5) -> None:
    """Begin it before the incident is resolved, or though none is owed."""
    tell(number, made(StartPostmortem, by=by), as_json, timeout)


@app.command()
def edit(
    number: Number,
    by: By,
    file: Annotated[Path | None, typer.Option(help="All sections, from a file in the draft's form")] = None,
    summary: Written = None,
    cause: Annotated[Cause | None, typer.Option(show_default=False)] = None,
    why: Lines = None,
    root_cause: Written = None,
    well: Lines = None,
    better: Lines = None,
    no_items_because: Written = None,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Write or replace sections. A list that is given replaces the whole list."""
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"--file: {file} cannot be read: {error}") from None
        _tell(number, made(commands.ReplaceDocument, by=by, markdown=text), as_json, timeout)
    given: dict[str, Any] = {"summary": summary, "cause": cause, "root_cause": root_cause}
    given |= {"no_items_because": no_items_because}
    given |= {name: lines and tuple(lines) for name, lines in (("whys", why), ("well", well), ("better", better))}
    _tell(number, made(commands.EditDocument, by=by, **given), as_json, timeout)


@app.command()
def why(
    number: Number,
    text: Text,
    by: By,
    root_cause: Annotated[bool, typer.Option("--root-cause", help="This is where the whys end")] = False,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Add a why, or say the root cause."""
    if root_cause:
        _tell(number, made(commands.EditDocument, by=by, root_cause=text), as_json, timeout)
    _tell(number, made(commands.AddLine, by=by, section=commands.Section.WHYS, text=text), as_json, timeout)


@app.command()
def well(number: Number, text: Text, by: By, as_json: Json = False, timeout: Timeout = 5) -> None:
    """Add something that went well."""
    _tell(number, made(commands.AddLine, by=by, section=commands.Section.WELL, text=text), as_json, timeout)


@app.command()
def better(number: Number, text: Text, by: By, as_json: Json = False, timeout: Timeout = 5) -> None:
    """Add something that could be better."""
    _tell(number, made(commands.AddLine, by=by, section=commands.Section.BETTER, text=text), as_json, timeout)


@app.command()
def action(
    number: Number,
    by: By,
    title: Annotated[str, typer.Argument(help="What will be done", show_default=False)] = "",
    item: Annotated[int, typer.Option(help="Change that item", show_default=False, min=0)] = 0,
    owner: Annotated[
        str, typer.Option(help="A contact of the runbook, an address, or @login", show_default=False)
    ] = "",
    due: Annotated[str, typer.Option(metavar="DATE", help="Its last day, 2026-12-31", show_default=False)] = "",
    outcome: Annotated[str, typer.Option(help="How one sees that it is done", show_default=False)] = "",
    done: Annotated[int, typer.Option(metavar="ITEM", help="That item is done", show_default=False)] = 0,
    wont_do: Annotated[int, typer.Option(metavar="ITEM", help="It will not be done", show_default=False)] = 0,
    reopen: Annotated[int, typer.Option(metavar="ITEM", help="It is open again", show_default=False)] = 0,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Add an action item, change one, or settle one."""
    settling = {ItemState.DONE: done, ItemState.WONT_DO: wont_do, ItemState.OPEN: reopen}
    for state, settled in settling.items():
        if settled:
            command = made(commands.SettleActionItem, by=by, number=settled, state=state, reason=reason)
            _tell(number, command, as_json, timeout)
    fields = {"number": item, "title": title, "owner": owner, "due": _day(due), "outcome": outcome}
    _tell(number, made(commands.SetActionItem, by=by, **fields), as_json, timeout)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"--due: {text!r} is no date, such as 2026-12-31") from None


@app.command()
def assign(
    number: Number,
    by: By,
    person: Annotated[str, typer.Argument(help="The new owner", show_default=False)] = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Make somebody its owner; nobody: the commander, or else the manager."""
    _tell(number, made(commands.AssignPostmortem, by=by, person=person), as_json, timeout)


@app.command()
def submit(number: Number, by: By, as_json: Json = False, timeout: Timeout = 5) -> None:
    """Say that it is complete and to be read. What is missing is listed."""
    _tell(number, made(commands.SubmitPostmortem, by=by), as_json, timeout)


@app.command()
def publish(
    number: Number,
    by: By,
    url: Annotated[str, typer.Argument(help="Where it can be read, if not where we put it", show_default=False)] = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Publish it: the deadline is met; its action items and its review are followed from now on."""
    _tell(number, made(commands.PublishPostmortem, by=by, url=url), as_json, timeout)


@app.command()
def waive(number: Number, by: By, reason: Reason = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Do without a post-mortem, with a reason."""
    _tell(number, made(commands.WaivePostmortem, by=by, reason=reason), as_json, timeout)


@app.command()
def review(
    number: Number,
    by: By,
    outcome: Annotated[str, typer.Option(help="What came of it", show_default=False)],
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Record what came of the review at the all-hands."""
    _tell(number, made(commands.RecordReview, by=by, outcome=outcome), as_json, timeout)

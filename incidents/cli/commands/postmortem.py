"""`incident postmortem`: write, publish and follow up an incident's post-mortem."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from temporalio.client import Client

from incidents.cli.finding import find_postmortem
from incidents.cli.help import Subcommands
from incidents.cli.options import By, Json, Number, Reason, Timeout
from incidents.cli.output.views import postmortem_view
from incidents.cli.runner import (
    console,
    dispatch,
    dump,
    parse_command,
    run,
    say,
)
from incidents.client.asking import ask
from incidents.client.lookup import handle_of
from incidents.domain.core.command import Command
from incidents.domain.incident.commands import StartPostmortem
from incidents.domain.postmortem import commands
from incidents.domain.postmortem.document.sections import Cause, ItemState
from incidents.domain.postmortem.postmortem import Postmortem
from incidents.names import POSTMORTEM_QUERY

app = Subcommands(no_args_is_help=True, help="Write, publish and follow up the post-mortem.")

Text = Annotated[str, typer.Argument(help="Text", show_default=False)]
Written = Annotated[str | None, typer.Option(show_default=False)]
Lines = Annotated[list[str] | None, typer.Option(help="Repeat for each line", show_default=False)]


def _dispatch(number: str, command: Command, as_json: bool, timeout: float) -> None:
    dispatch(number, command, as_json, timeout, find_postmortem)


@app.command()
def show(number: Number, as_json: Json = False) -> None:
    """Show status, missing sections and action items."""

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
    """Start a post-mortem early, or for an incident whose severity requires none."""
    dispatch(number, parse_command(StartPostmortem, by=by), as_json, timeout)


@app.command()
def edit(
    number: Number,
    by: By,
    file: Annotated[
        Path | None, typer.Option(help="Replace all sections from this file (same format as the draft)")
    ] = None,
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
    """Write or replace sections. A list option replaces the whole list."""
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"--file: cannot read {file} ({error})") from None
        _dispatch(number, parse_command(commands.ReplaceDocument, by=by, markdown=text), as_json, timeout)
    given: dict[str, Any] = {"summary": summary, "cause": cause, "root_cause": root_cause}
    given |= {"no_items_because": no_items_because}
    given |= {name: lines and tuple(lines) for name, lines in (("whys", why), ("well", well), ("better", better))}
    _dispatch(number, parse_command(commands.EditDocument, by=by, **given), as_json, timeout)


@app.command()
def why(
    number: Number,
    text: Text,
    by: By,
    root_cause: Annotated[bool, typer.Option("--root-cause", help="Set the root cause instead")] = False,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Add a why, or set the root cause."""
    if root_cause:
        _dispatch(number, parse_command(commands.EditDocument, by=by, root_cause=text), as_json, timeout)
    _dispatch(
        number, parse_command(commands.AddLine, by=by, section=commands.Section.WHYS, text=text), as_json, timeout
    )


@app.command()
def well(number: Number, text: Text, by: By, as_json: Json = False, timeout: Timeout = 5) -> None:
    """Add to "What went well"."""
    _dispatch(
        number, parse_command(commands.AddLine, by=by, section=commands.Section.WELL, text=text), as_json, timeout
    )


@app.command()
def better(number: Number, text: Text, by: By, as_json: Json = False, timeout: Timeout = 5) -> None:
    """Add to "What could be better"."""
    _dispatch(
        number, parse_command(commands.AddLine, by=by, section=commands.Section.BETTER, text=text), as_json, timeout
    )


@app.command()
def action(
    number: Number,
    by: By,
    title: Annotated[str, typer.Argument(help="Title of a new item", show_default=False)] = "",
    item: Annotated[int, typer.Option(help="Item to change", show_default=False, min=0)] = 0,
    owner: Annotated[
        str, typer.Option(help="Contact in runbook.yaml, e-mail address, or @login", show_default=False)
    ] = "",
    due: Annotated[str, typer.Option(metavar="DATE", help="Due date, such as 2026-12-31", show_default=False)] = "",
    outcome: Annotated[str, typer.Option(help="Acceptance criterion", show_default=False)] = "",
    done: Annotated[int, typer.Option(metavar="ITEM", help="Mark this item done", show_default=False)] = 0,
    wont_do: Annotated[
        int, typer.Option(metavar="ITEM", help="Mark this item as won't do (needs --reason)", show_default=False)
    ] = 0,
    reopen: Annotated[int, typer.Option(metavar="ITEM", help="Reopen this item", show_default=False)] = 0,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Add, change, complete or reopen an action item."""
    settling = {ItemState.DONE: done, ItemState.WONT_DO: wont_do, ItemState.OPEN: reopen}
    for state, settled in settling.items():
        if settled:
            command = parse_command(commands.SettleActionItem, by=by, number=settled, state=state, reason=reason)
            _dispatch(number, command, as_json, timeout)
    fields = {"number": item, "title": title, "owner": owner, "due": _day(due), "outcome": outcome}
    _dispatch(number, parse_command(commands.SetActionItem, by=by, **fields), as_json, timeout)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"--due: {text!r} is not a date, such as 2026-12-31") from None


@app.command()
def assign(
    number: Number,
    by: By,
    person: Annotated[str, typer.Argument(help="New owner", show_default=False)] = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Assign the owner. Without a name: the commander, or else the manager."""
    _dispatch(number, parse_command(commands.AssignPostmortem, by=by, person=person), as_json, timeout)


@app.command()
def submit(number: Number, by: By, as_json: Json = False, timeout: Timeout = 5) -> None:
    """Submit for review. Rejected with the list of missing sections if incomplete."""
    _dispatch(number, parse_command(commands.SubmitPostmortem, by=by), as_json, timeout)


@app.command()
def publish(
    number: Number,
    by: By,
    url: Annotated[
        str, typer.Argument(help="Published URL; default: the pull request or draft", show_default=False)
    ] = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Publish the post-mortem and start following its action items."""
    _dispatch(number, parse_command(commands.PublishPostmortem, by=by, url=url), as_json, timeout)


@app.command()
def waive(number: Number, by: By, reason: Reason, as_json: Json = False, timeout: Timeout = 5) -> None:
    """Waive the post-mortem, with a reason."""
    _dispatch(number, parse_command(commands.WaivePostmortem, by=by, reason=reason), as_json, timeout)


@app.command()
def review(
    number: Number,
    by: By,
    outcome: Annotated[str, typer.Option(help="Outcome of the review", show_default=False)],
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Record the outcome of the review at the all-hands."""
    _dispatch(number, parse_command(commands.RecordReview, by=by, outcome=outcome), as_json, timeout)

"""`incident merge` and `incident unmerge`."""

from typing import Annotated

import typer
from temporalio.client import Client

from incidents.cli.help import Subcommands
from incidents.cli.options import By, Json, Number, Reason, Timeout
from incidents.cli.runner import dispatch, parse_command
from incidents.client.merging import build_merge
from incidents.domain.core.command import Command
from incidents.domain.incident import commands

app = Subcommands()


@app.command()
def merge(
    number: Number,
    into: Annotated[str, typer.Option("--into", metavar="INCIDENT", help="The incident to merge into")],
    by: By,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Merge this incident into another; its later alerts follow."""
    named = parse_command(commands.Unmerge, by=by, reason=reason)  # the same two fields, as the directory names people

    async def target(client: Client) -> Command:
        return await build_merge(client, into, named.by, named.reason)

    dispatch(number, target, as_json, timeout)


@app.command()
def unmerge(number: Number, by: By, reason: Reason = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Undo a merge; the incident is reopened."""
    dispatch(number, parse_command(commands.Unmerge, by=by, reason=reason), as_json, timeout)

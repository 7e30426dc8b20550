"""The subcommands of an incident's post-mortem."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from temporalio.client import Client

from runbook.postmortem import Postmortem, PublishPostmortem, WaivePostmortem
from terminal.finding import ask, find_postmortem, handle_of
from terminal.options import PLAIN, By, Json, Number, Reason, Timeout
from terminal.running import console, dump, made, run, say, tell
from terminal.views import postmortem_view

app = typer.Typer(**PLAIN, no_args_is_help=True, help="The post-mortem of an incident.")


@app.command()
def show(number: Number, as_json: Json = False) -> None:
    """Show where the post-mortem stands."""

    async def work(client: Client) -> None:
        handle = handle_of(client, await find_postmortem(client, number))
        found: Postmortem = await ask(handle, "postmortem", Postmortem, f"the post-mortem of {number}")
        if as_json:
            say(dump(found))
        else:
            console().print(postmortem_view(found, datetime.now(UTC)))

    run(work)


@app.command()
def publish(
    number: Number,
    url: Annotated[str, typer.Argument(help="Where it can be read", show_default=False)],
    by: By,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Say that the post-mortem is published."""
    tell(number, made(PublishPostmortem, by=by, url=url), as_json, timeout, find_postmortem)


@app.command()
def waive(number: Number, by: By, reason: Reason = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Do without a post-mortem, with a reason."""
    tell(number, made(WaivePostmortem, by=by, reason=reason), as_json, timeout, find_postmortem)

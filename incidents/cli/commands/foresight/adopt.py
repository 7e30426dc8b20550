"""`incident adopt`: move a running incident to the runbook as it is now."""

from datetime import timedelta

from temporalio.client import Client

from incidents.app.people import load_permissions
from incidents.app.runbook_file import read_runbook_file, runbook_source
from incidents.app.settings import load_settings
from incidents.cli.finding import find
from incidents.cli.help import Subcommands
from incidents.cli.options import By, Json, Number, RunbookOption, Timeout
from incidents.cli.runner import parse_command, run, say
from incidents.client.commands import send
from incidents.domain.adoption.adoption import AdoptRunbook

app = Subcommands()


@app.command("adopt")
def adopt_runbook(
    number: Number,
    by: By,
    file: RunbookOption = None,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Move a running incident to the runbook as it is now.

    What is done stays done. What the new runbook owes is owed from now on, and the timeline says what changed. A
    post-mortem that has started keeps the runbook, and so the deadline, that it was started with.
    """

    async def work(client: Client) -> None:
        settings = load_settings()
        source = runbook_source(settings, file)
        command = parse_command(AdoptRunbook, by=by, runbook=read_runbook_file(source, settings).runbook)
        permissions = load_permissions()
        found = await find(client, number)
        sent = await send(client, found, command, timedelta(seconds=timeout), permissions)
        say(sent.model_dump_json() if as_json else sent.message)

    run(work)

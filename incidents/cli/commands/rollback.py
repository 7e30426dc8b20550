"""The rollback subcommands: rollback, approve, decline, verdict, flag, candidates."""

import json
from typing import Annotated

import typer
from temporalio.client import Client

from incidents.cli.finding import find
from incidents.cli.help import Subcommands
from incidents.cli.options import By, Cluster, Json, Number, Reason, Timeout
from incidents.cli.output.views import candidates_table
from incidents.cli.runner import (
    console,
    dispatch,
    parse_command,
    run,
    say,
)
from incidents.client.asking import ask
from incidents.client.lookup import handle_of, label
from incidents.domain.incident.incident import Incident
from incidents.domain.rollback import commands
from incidents.names import INCIDENT_QUERY

app = Subcommands()


@app.command()
def rollback(
    number: Number,
    by: By,
    cluster: Cluster = "",
    forward: Annotated[bool, typer.Option("--forward", help="Roll forward: undo a rollback that did not help")] = False,
    insist: Annotated[
        bool, typer.Option("--insist", help="Roll back despite a newer deployment or a recovered region")
    ] = False,
    to: Annotated[str, typer.Option(metavar="VERSION", help="Another known-good version than the newest")] = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Roll back now: the offered rollback, or a new candidate. Needs no approval, or one more if two people decide."""
    fields = {"cluster": cluster, "forward": forward, "insist": insist, "version": to}
    command = parse_command(commands.RequestRollback, by=by, **fields)
    dispatch(number, command, as_json, timeout)


@app.command()
def approve(number: Number, by: By, cluster: Cluster = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Approve the offered rollback."""
    dispatch(number, parse_command(commands.ApproveRollback, by=by, cluster=cluster), as_json, timeout)


@app.command()
def decline(
    number: Number, by: By, reason: Reason, cluster: Cluster = "", as_json: Json = False, timeout: Timeout = 5
) -> None:
    """Decline the offered rollback, or leave a failed one as it is."""
    dispatch(number, parse_command(commands.DeclineRollback, by=by, reason=reason, cluster=cluster), as_json, timeout)


@app.command()
def verdict(
    number: Number,
    word: Annotated[str, typer.Argument(help="healthy or unhealthy", show_default=False)],
    by: By,
    reason: Reason = "",
    cluster: Cluster = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Decide an inconclusive rollback as healthy or unhealthy."""
    if word not in ("healthy", "unhealthy"):
        raise typer.BadParameter(f"{word!r} is not a verdict; use healthy or unhealthy")
    command = parse_command(commands.JudgeRollback, by=by, healthy=word == "healthy", reason=reason, cluster=cluster)
    dispatch(number, command, as_json, timeout)


@app.command()
def flag(
    number: Number,
    version: Annotated[str, typer.Argument(help="Version to flag", show_default=False)],
    by: By,
    reason: Reason,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Flag a release as bad. No incident rolls back to it again."""
    dispatch(number, parse_command(commands.FlagRelease, by=by, version=version, reason=reason), as_json, timeout)


@app.command()
def candidates(number: Number, as_json: Json = False) -> None:
    """Show rollback candidates, selected and skipped, with reasons."""

    async def work(client: Client) -> None:
        found = await find(client, number)
        incident: Incident = await ask(handle_of(client, found), INCIDENT_QUERY, Incident, label(found))
        if as_json:
            say(json.dumps([state.model_dump(mode="json") for state in incident.rollback.clusters], indent=1))
        elif incident.rollback.clusters:
            console().print(candidates_table(incident))
        else:
            say(f"No rollback offered. `incident timeline {number}` has the reason.")

    run(work)

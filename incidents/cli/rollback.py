"""The subcommands of rollbacks: ask, approve, decline, judge, flag, and see what was considered."""

import json
from typing import Annotated

import typer
from temporalio.client import Client

from incidents.cli.options import (
    PLAIN,
    By,
    Cluster,
    Json,
    Number,
    Reason,
    Timeout,
)
from incidents.cli.runner import (
    console,
    made,
    run,
    say,
    tell,
)
from incidents.cli.views import candidates_table
from incidents.client.lookup import (
    ask,
    find,
    handle_of,
    label,
)
from incidents.contracts import INCIDENT_QUERY
from incidents.domain.incident import commands
from incidents.domain.incident.incident import Incident

app = typer.Typer(**PLAIN)


@app.command()
def rollback(
    number: Number,
    by: By,
    cluster: Cluster = "",
    forward: Annotated[bool, typer.Option("--forward", help="Undo a rollback that did not help")] = False,
    insist: Annotated[
        bool, typer.Option("--insist", help="Although somebody deployed, or the region recovered by itself")
    ] = False,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Roll back what is offered, or look again and roll back what is found. Your request is the approval."""
    command = made(commands.RequestRollback, by=by, cluster=cluster, forward=forward, insist=insist)
    tell(number, command, as_json, timeout)


@app.command()
def approve(number: Number, by: By, cluster: Cluster = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Approve the rollback that is offered."""
    tell(number, made(commands.ApproveRollback, by=by, cluster=cluster), as_json, timeout)


@app.command()
def decline(
    number: Number, by: By, reason: Reason = "", cluster: Cluster = "", as_json: Json = False, timeout: Timeout = 5
) -> None:
    """Decline the rollback that is offered, or leave things as they are after one that did not help."""
    tell(number, made(commands.DeclineRollback, by=by, reason=reason, cluster=cluster), as_json, timeout)


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
    """Judge a rollback that the probes cannot judge."""
    if word not in ("healthy", "unhealthy"):
        raise typer.BadParameter(f"{word!r} is no verdict: say healthy or unhealthy")
    command = made(commands.JudgeRollback, by=by, healthy=word == "healthy", reason=reason, cluster=cluster)
    tell(number, command, as_json, timeout)


@app.command()
def flag(
    number: Number,
    version: Annotated[str, typer.Argument(help="The release", show_default=False)],
    by: By,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Flag a release as bad: nothing is rolled back to it, in this incident or a later one."""
    tell(number, made(commands.FlagRelease, by=by, version=version, reason=reason), as_json, timeout)


@app.command()
def candidates(number: Number, as_json: Json = False) -> None:
    """Show which deployments were considered for a rollback, and why each was taken or passed over."""

    async def work(client: Client) -> None:
        found = await find(client, number)
        incident: Incident = await ask(handle_of(client, found), INCIDENT_QUERY, Incident, label(found))
        if as_json:
            say(json.dumps([state.model_dump(mode="json") for state in incident.rollbacks], indent=1))
        elif incident.rollbacks:
            console().print(candidates_table(incident))
        else:
            say("No rollback was offered; `incident timeline` says why.")

    run(work)

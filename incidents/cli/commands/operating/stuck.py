"""The subcommands for stuck workflows: stuck, reset."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from temporalio.client import Client, WorkflowExecutionDescription

from incidents.app.liveness.run_readings import open_runs, reading, stuck_run
from incidents.cli.finding import find, find_postmortem
from incidents.cli.help import Subcommands
from incidents.cli.options import By, Json, Number
from incidents.cli.output.list_views import one_line, text
from incidents.cli.runner import console, run, say
from incidents.client.lookup import describe, is_open, reference_to
from incidents.client.problems import CommandFailed, NotFound
from incidents.domain.standstill import Reason, Standstill, held_by_operator, how_long, remedy, what_happened
from incidents.names import WATCHED

app = Subcommands()


@app.command()
def stuck(as_json: Json = False) -> None:
    """List workflows that are stuck or have a paused activity. Works without a worker."""

    async def work(client: Client) -> None:
        found = [each async for each in open_runs(client)]
        rows = [
            stuck for each in found if (stuck := await stuck_run(client, each) or held_by_operator(each)) is not None
        ]
        rows.sort(key=lambda row: row.since)
        if as_json:
            say(json.dumps([_row(row) for row in rows], indent=1))
        elif rows:
            console().print(_table(rows, datetime.now(UTC)))
        else:
            say("No stuck workflows.")

    run(work)


def _row(stuck: Standstill) -> dict[str, Any]:
    return {
        "number": stuck.number,
        "workflow_id": stuck.workflow_id,
        "run_id": stuck.run_id,
        "reason": str(stuck.reason),
        "since": stuck.since.isoformat(),
        "attempt": stuck.attempt,
        "failure": stuck.failure,
        "remedy": remedy(stuck),
    }


def _table(rows: list[Standstill], at: datetime) -> Table:
    table = Table("stuck", "for", "attempt", "failure and remedy", box=None, pad_edge=False)
    for row in rows:
        failure = row.failure or (
            what_happened(row) if row.reason is Reason.PAUSED else "Workflow task is waiting for a worker"
        )
        table.add_row(text(row.name, "bold red"), how_long(row, at), f"{row.attempt or ''}", one_line(failure))
        table.add_row("", "", "", text(remedy(row), "dim"))
    return table


@app.command()
def reset(
    name: Number,
    by: By,
    reason: Annotated[str, typer.Option(help="Reason, for the record")] = "stuck",
    postmortem: Annotated[bool, typer.Option("--postmortem", help="Reset its post-mortem instead")] = False,
    force: Annotated[bool, typer.Option("--force", help="Reset even if not stuck")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation")] = False,
    as_json: Json = False,
) -> None:
    """Reset a stuck workflow to the last replayable point. Keeps signals and updates."""
    if as_json and not yes:
        raise typer.BadParameter("--json needs --yes (it cannot prompt)")

    async def work(client: Client) -> None:
        found = await (find_postmortem(client, name) if postmortem else _find(client, name))
        answer = await _reset(client, found, f"{reason} (by {by})", force=force, yes=yes)
        say(json.dumps(answer, indent=1) if as_json else answer["message"])

    run(work)


async def _find(client: Client, name: str) -> WorkflowExecutionDescription:
    """Return the incident's run, or that of a post-mortem, a rollback or the number counter by its workflow id.

    Raises:
        NotFound: there is none, or workflows of its type are never reset.
    """
    reference = reference_to(name)
    if not reference.workflow_id:
        return await find(client, name)
    found = await describe(client, reference.workflow_id)
    if found.workflow_type not in WATCHED:
        raise NotFound(f"{name} is a {found.workflow_type}, which cannot be reset")
    return found


async def _reset(
    client: Client, found: WorkflowExecutionDescription, reason: str, *, force: bool, yes: bool
) -> dict[str, Any]:
    """Reset the run, and return the result.

    Raises:
        CommandFailed: it has ended, is not stuck, or has no task that this code can replay.
    """
    from incidents.cli.commands.operating.resetting import last_good_task, reset  # imports all workflows

    known = reading(found)
    label = f"INC-{known.number}" if known.number is not None else found.id
    if not is_open(found):
        raise CommandFailed(f"{label} is closed. Nothing was changed.")
    if not force and await stuck_run(client, known) is None:
        raise CommandFailed(
            f"{label} is not stuck. Nothing was changed. `incident stuck` lists stuck workflows; --force resets anyway."
        )
    handle = client.get_workflow_handle(found.id, run_id=found.run_id)
    history = await handle.fetch_history()
    to = await last_good_task(history, client.data_converter)
    if to is None:
        raise CommandFailed(
            f"{label} cannot be reset: its first workflow task fails with this code. Nothing was changed. Deploy a fix."
        )
    at, after = to.event_time.ToDatetime(UTC), len(history.events) - to.event_id
    point = f"event {to.event_id} ({at:%Y-%m-%d %H:%M:%S} UTC)"
    if not yes and not _confirmed(f"Reset {label} to {point}? Later signals and updates are kept."):
        raise CommandFailed(f"{label} was not reset.")
    new = await reset(client, found.id, found.run_id, to, reason)
    message = (
        f"{label} was reset to {point} and continues as run {new}. Its number, its state at that point and all later"
        f" signals and updates are kept. Steps in the {after} events after that point may run again."
    )
    return {"message": message, "workflow_id": found.id, "run_id": new, "event_id": to.event_id, "events_after": after}


def _confirmed(question: str) -> bool:
    """Ask for confirmation on the terminal. Without a terminal, as in a script, the answer is no."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        return False

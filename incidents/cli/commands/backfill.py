"""`incident backfill`: record a past incident."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from incidents.app.runbook_file import load_runbook
from incidents.app.settings import load_settings
from incidents.cli.help import Subcommands
from incidents.cli.options import By, Json
from incidents.cli.runner import run, say
from incidents.client.problems import CommandFailed
from incidents.contracts import IncidentInput
from incidents.cutting import cut_bytes
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.payload import first_fault
from incidents.domain.core.severity import Severity
from incidents.domain.core.time.instants import parse_instant
from incidents.domain.incident.backfill import Backfill, build_backfilled_incident, build_opening
from incidents.domain.incident.display.severity_guide import parse_severity
from incidents.names import INCIDENT_WORKFLOW, TITLE_MEMO
from incidents.priority import LAST_RANK, priority_of
from incidents.search_attributes import at_start

app = Subcommands()
Instant = Annotated[str, typer.Option(metavar="ISO", help="ISO 8601; UTC without an offset", show_default=False)]


@app.command()
def backfill(
    title: Annotated[str, typer.Option(show_default=False)],
    service: Annotated[str, typer.Option(show_default=False)],
    severity: Annotated[str, typer.Option(help="A severity of runbook.yaml, such as P0", show_default=False)],
    started: Instant,
    resolved: Instant,
    by: By,
    acknowledged: Instant = "",
    mitigated: Instant = "",
    note: Annotated[str, typer.Option(help="Timeline note")] = "",
    postmortem: Annotated[bool, typer.Option("--postmortem", help="Require a post-mortem, due from now")] = False,
    as_json: Json = False,
) -> None:
    """Record a past incident. It gets a number and counts in reports; nobody is notified."""
    settings = load_settings()
    runbook = load_runbook(settings)
    given = {"started": started, "acknowledged": acknowledged, "mitigated": mitigated, "resolved": resolved}
    times = {f"{option}_at": _instant(option, typed) for option, typed in given.items()}
    known = _parse_backfill(
        title=title,
        service=service,
        severity=_severity(severity, runbook),
        by=by,
        note=note,
        postmortem=postmortem,
        **times,
    )
    now = datetime.now(UTC)
    if known.resolved_at > now:
        raise typer.BadParameter("--resolved is in the future. For an open incident, send an alert or use starter.py")

    async def work(client: Client) -> None:
        workflow_id = await _start(client, settings.temporal_task_queue, known, runbook, now)
        say(f'{{"workflow_id": "{workflow_id}"}}' if as_json else f"Recorded as {workflow_id}.")

    run(work)


async def _start(client: Client, task_queue: str, known: Backfill, runbook: RunbookConfig, now: datetime) -> str:
    """Start the workflow of a past incident; return its ID. An incident is recorded once."""
    workflow_id, opening = f"incident-{known.key}", build_opening(known)
    start = IncidentInput(
        opening=opening,
        runbook=runbook,
        incident=build_backfilled_incident(known, runbook, workflow_id, now),
        history_limit=runbook.durability.history_events,
    )
    try:
        await client.start_workflow(
            INCIDENT_WORKFLOW,
            start,
            id=workflow_id,
            task_queue=task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=at_start(opening),
            memo={TITLE_MEMO: opening.title},
            static_summary=cut_bytes(f"Backfilled: {known.title}", 200),
            priority=priority_of(LAST_RANK),  # it is over: open incidents come first
        )
    except WorkflowAlreadyStartedError:
        raise CommandFailed(f"Already recorded as {workflow_id}. Nothing was changed.") from None
    return workflow_id


def _severity(typed: str, runbook: RunbookConfig) -> Severity:
    try:
        return parse_severity(typed, runbook)
    except ValueError as error:
        raise typer.BadParameter(f"--severity: {error}") from None


def _instant(option: str, typed: str) -> datetime | None:
    try:
        return parse_instant(typed) if typed else None
    except ValueError as error:
        raise typer.BadParameter(f"--{option}: {error}") from None


def _parse_backfill(**fields: Any) -> Backfill:
    try:
        return Backfill(**fields)
    except ValidationError as error:
        raise typer.BadParameter(first_fault(error)) from None

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
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.untrusted import cut_bytes
from incidents.domain.incident.backfill import Backfill, build_backfilled_incident, build_opening
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
    given = {"started_at": started, "acknowledged_at": acknowledged, "mitigated_at": mitigated, "resolved_at": resolved}
    times = {name: _instant(name, typed) for name, typed in given.items()}
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


def _severity(typed: str, runbook: RunbookConfig) -> str:
    known = runbook.severity_named(typed)
    if known is None:
        raise typer.BadParameter(
            f"--severity: no severity {typed!r}: the runbook has {', '.join(runbook.severity_names)}"
        )
    return known


def _instant(name: str, typed: str) -> datetime | None:
    if not typed:
        return None
    try:
        instant = datetime.fromisoformat(typed)
    except ValueError:
        option = name.removesuffix("_at")
        raise typer.BadParameter(
            f"--{option}: {typed!r} is not an ISO 8601 time, such as 2026-11-23T14:02:00Z"
        ) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _parse_backfill(**fields: Any) -> Backfill:
    try:
        return Backfill(**fields)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise typer.BadParameter(f"{place or 'times'}: {fault['msg'].removeprefix('Value error, ')}") from None

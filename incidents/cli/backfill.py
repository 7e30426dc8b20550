"""Incidents that are written down after they were over."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from incidents.app.runbook_file import load_runbook
from incidents.app.settings import load_settings
from incidents.cli.options import PLAIN, By, Json
from incidents.cli.runner import run, say
from incidents.client.commands import Refusal
from incidents.contracts import INCIDENT_WORKFLOW, IncidentInput
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text import cut_bytes
from incidents.domain.incident.backfill import Backfill, backfilled, opening_of
from incidents.priority import LAST_RANK, priority_of
from incidents.search_attributes import at_start

app = typer.Typer(**PLAIN)
Instant = Annotated[str, typer.Option(metavar="ISO", help="UTC if it names no zone", show_default=False)]


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
    note: Annotated[str, typer.Option(help="For the timeline")] = "",
    postmortem: Annotated[bool, typer.Option("--postmortem", help="Have one written, due from now on")] = False,
    as_json: Json = False,
) -> None:
    """Write an incident down that was over before: it gets a number and counts in reports; nobody is told of it."""
    settings = load_settings()
    runbook = load_runbook(settings)
    given = {"started_at": started, "acknowledged_at": acknowledged, "mitigated_at": mitigated, "resolved_at": resolved}
    times = {name: _instant(name, typed) for name, typed in given.items()}
    known = _made(
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
        raise typer.BadParameter("--resolved lies in the future: an incident that is open is started by an alert")

    async def work(client: Client) -> None:
        workflow_id = f"incident-{known.key}"
        opening = opening_of(known)
        start = IncidentInput(
            opening=opening,
            runbook=runbook,
            incident=backfilled(known, runbook, workflow_id, now),
            history_limit=runbook.durability.history_events,
        )
        try:
            await client.start_workflow(
                INCIDENT_WORKFLOW,
                start,
                id=workflow_id,
                task_queue=settings.temporal_task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=at_start(opening),
                static_summary=cut_bytes(f"Written down afterwards: {known.title}", 200),
                priority=priority_of(LAST_RANK),  # it is over: what goes on comes first
            )
        except WorkflowAlreadyStartedError:
            raise Refusal(f"It is written down already, as {workflow_id}: nothing was changed.") from None
        said = f'{{"workflow_id": "{workflow_id}"}}' if as_json else f"Written down as {workflow_id}."
        say(said)

    run(work)


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
        moment = datetime.fromisoformat(typed)
    except ValueError:
        option = name.removesuffix("_at")
        raise typer.BadParameter(f"--{option}: {typed!r} is no ISO time, such as 2026-11-23T14:02:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _made(**fields: Any) -> Backfill:
    try:
        return Backfill(**fields)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise typer.BadParameter(f"{place or 'times'}: {fault['msg'].removeprefix('Value error, ')}") from None

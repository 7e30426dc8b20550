"""The subcommands that change an incident. Each sends one command of `incidents.domain.incident.commands`."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from temporalio.client import Client, WorkflowExecutionDescription

from incidents.cli.options import (
    PLAIN,
    By,
    Json,
    Number,
    Reason,
    Timeout,
    Words,
)
from incidents.cli.runner import dispatch, parse_command
from incidents.client.lookup import find, find_postmortem, is_open
from incidents.domain.incident import commands
from incidents.domain.incident.commands import Publication

app = typer.Typer(**PLAIN)


@app.command()
def ack(
    number: Number,
    by: By,
    at: Annotated[
        str | None, typer.Option(metavar="ISO", help="When you acknowledged, if earlier (UTC without an offset)")
    ] = None,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Acknowledge and stop paging."""
    dispatch(number, parse_command(commands.Acknowledge, by=by, at=_instant(at) if at else None), as_json, timeout)


@app.command()
def correct(
    number: Number,
    which: Annotated[commands.Mark, typer.Argument(help="Time to correct", show_default=False)],
    to: Annotated[
        str, typer.Argument(metavar="ISO", help="Correct time, ISO 8601; UTC without an offset", show_default=False)
    ],
    by: By,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Correct a recorded time. Both values are kept; reports use the new one."""
    command = parse_command(commands.CorrectTime, by=by, which=which, to=_instant(to), reason=reason)
    dispatch(number, command, as_json, timeout, _find_incident_or_postmortem)


async def _find_incident_or_postmortem(client: Client, name: str) -> WorkflowExecutionDescription:
    """Return the incident's run or, if it has closed, its post-mortem's run."""
    run = await find(client, name)
    return run if is_open(run) else await find_postmortem(client, name)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not an ISO 8601 time, such as 2026-11-23T14:02:00Z") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


@app.command()
def assess(
    number: Number,
    impact: Words,
    by: By,
    customers: Annotated[str, typer.Option(help="Affected customers, comma-separated")] = "",
    services: Annotated[str, typer.Option(help="Affected services, comma-separated")] = "",
    complete: Annotated[bool, typer.Option("--complete", help="Complete outage")] = False,
    title: Annotated[str | None, typer.Option(help="Public incident title")] = None,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Record the customer impact (blast radius)."""
    command = parse_command(
        commands.Assess,
        by=by,
        impact=impact,
        complete_outage=complete,
        customers=_split(customers),
        services=_split(services),
        title=title,
    )
    dispatch(number, command, as_json, timeout)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


@app.command()
def severity(
    number: Number,
    level: Annotated[str, typer.Argument(help="A severity of the incident's runbook, such as P0", show_default=False)],
    by: By,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Set or confirm the severity."""
    dispatch(
        number,
        parse_command(commands.DeclareSeverity, by=by, severity=level.strip().upper(), reason=reason),
        as_json,
        timeout,
    )


@app.command()
def update(
    number: Number,
    text: Words,
    by: By,
    next_one: Annotated[bool, typer.Option("--next", help="Use this text for the next scheduled update")] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Save as a draft; it is never published as it is")] = False,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Publish a status update now, or save it for the next one."""
    if next_one and draft:
        raise typer.BadParameter("use --next or --draft, not both")
    when = Publication.NEXT if next_one else Publication.DRAFT if draft else Publication.NOW
    dispatch(number, parse_command(commands.PostUpdate, by=by, text=text, when=when), as_json, timeout)


@app.command()
def hold(
    number: Number,
    minutes: Annotated[int, typer.Argument(help="Minutes to hold it after it is due", show_default=False)],
    by: By,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Hold the next status update, once."""
    dispatch(number, parse_command(commands.HoldUpdate, by=by, minutes=minutes, reason=reason), as_json, timeout)


@app.command()
def escalate(number: Number, by: By, reason: Reason = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Escalate to the next rung of the ladder now."""
    dispatch(number, parse_command(commands.Escalate, by=by, reason=reason), as_json, timeout)


@app.command()
def role(
    number: Number,
    name: Annotated[commands.Role, typer.Argument(help="Role", show_default=False)],
    by: By,
    person: Annotated[str, typer.Argument(help="Assignee; empty to unassign")] = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Assign, hand over or unassign a role."""
    dispatch(number, parse_command(commands.AssignRole, by=by, role=name, person=person), as_json, timeout)


@app.command()
def private(number: Number, by: By, reason: Reason = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Make the incident private: no more public updates."""
    dispatch(number, parse_command(commands.MakePrivate, by=by, reason=reason), as_json, timeout)


@app.command()
def note(
    number: Number,
    text: Annotated[str, typer.Argument(help="Note for responders", show_default=False)],
    by: By,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Add a note to the timeline and the channel."""
    dispatch(number, parse_command(commands.AddNote, by=by, text=text), as_json, timeout)


@app.command()
def step(
    number: Number,
    name: Annotated[str, typer.Argument(help="Checklist step, or key of a failed obligation", show_default=False)],
    by: By,
    retry: Annotated[bool, typer.Option("--retry", help="Retry it")] = False,
    skip: Annotated[str | None, typer.Option(metavar="REASON", help="Skip it, with the reason")] = None,
    done: Annotated[bool, typer.Option("--done", help="Mark it as done by hand")] = False,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Retry, skip or complete a failed step."""
    if sum((retry, skip is not None, done)) != 1:
        raise typer.BadParameter("use exactly one of --retry, --skip REASON, --done")
    how = "retry" if retry else "done" if done else "skip"
    dispatch(number, parse_command(commands.SettleStep, by=by, step=name, how=how, reason=skip or ""), as_json, timeout)


@app.command()
def confirm(
    number: Number,
    by: By,
    customer: Annotated[str, typer.Option(help="Customer who confirmed; default: you")] = "",
    not_restored: Annotated[bool, typer.Option("--not-restored", help="Service is not restored yet")] = False,
    note: Annotated[str, typer.Option(help="What they reported")] = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Record whether service is restored for a customer, or for you."""
    command = parse_command(commands.ConfirmRecovery, by=by, customer=customer, restored=not not_restored, note=note)
    dispatch(number, command, as_json, timeout)


@app.command()
def monitor(number: Number, by: By, text: Words = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Mark as mitigated and start the stability window."""
    dispatch(number, parse_command(commands.Monitor, by=by, text=text), as_json, timeout)


@app.command()
def resolve(
    number: Number,
    by: By,
    text: Words = "",
    force: Annotated[
        bool,
        typer.Option("--force", help="Resolve although an alert is still firing"),
    ] = False,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Resolve the incident."""
    dispatch(number, parse_command(commands.Resolve, by=by, text=text, force=force, reason=reason), as_json, timeout)


@app.command()
def reopen(number: Number, by: By, reason: Reason = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Reopen a resolved incident."""
    dispatch(number, parse_command(commands.Reopen, by=by, reason=reason), as_json, timeout)


@app.command()
def cancel(number: Number, by: By, reason: Reason = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Cancel as a false alarm."""
    dispatch(number, parse_command(commands.Cancel, by=by, reason=reason), as_json, timeout)

"""The subcommands that change an incident: each is one command of `runbook.commands`."""

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
from incidents.cli.runner import made, tell
from incidents.client.lookup import find, find_postmortem, is_open
from incidents.domain.incident import commands
from incidents.domain.incident.commands import Publication

app = typer.Typer(**PLAIN)


@app.command()
def ack(
    number: Number,
    by: By,
    at: Annotated[
        str | None, typer.Option(metavar="ISO", help="When you took it, if earlier; UTC if it names no zone")
    ] = None,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Take the incident: paging stops."""
    tell(number, made(commands.Acknowledge, by=by, at=_instant(at) if at else None), as_json, timeout)


@app.command()
def correct(
    number: Number,
    which: Annotated[commands.Mark, typer.Argument(help="Which time", show_default=False)],
    to: Annotated[str, typer.Argument(metavar="ISO", help="UTC if it names no zone", show_default=False)],
    by: By,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Correct a time that was written down wrongly. Both values are kept; figures use the new one."""
    command = made(commands.CorrectTime, by=by, which=which, to=_instant(to), reason=reason)
    tell(number, command, as_json, timeout, _whoever_keeps_it)


async def _whoever_keeps_it(client: Client, name: str) -> WorkflowExecutionDescription:
    """Return the incident's process, or, when that has ended, its post-mortem's."""
    run = await find(client, name)
    return run if is_open(run) else await find_postmortem(client, name)


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no ISO time, such as 2026-11-23T14:02:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@app.command()
def assess(
    number: Number,
    impact: Words,
    by: By,
    customers: Annotated[str, typer.Option(help="Names or addresses, comma-separated")] = "",
    services: Annotated[str, typer.Option(help="Comma-separated")] = "",
    complete: Annotated[bool, typer.Option("--complete", help="A complete outage")] = False,
    title: Annotated[str | None, typer.Option(help="The title that customers read")] = None,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """State the blast radius."""
    command = made(
        commands.Assess,
        by=by,
        impact=impact,
        complete_outage=complete,
        customers=_split(customers),
        services=_split(services),
        title=title,
    )
    tell(number, command, as_json, timeout)


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
    """Declare, raise, lower or confirm the severity."""
    tell(number, made(commands.DeclareSeverity, by=by, severity=level.strip().upper(), reason=reason), as_json, timeout)


@app.command()
def update(
    number: Number,
    text: Words,
    by: By,
    next_one: Annotated[bool, typer.Option("--next", help="Keep the words for the next due update")] = False,
    draft: Annotated[bool, typer.Option("--draft", help="A draft that is still being written")] = False,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Publish a status update now, or keep its words for the next one."""
    if next_one and draft:
        raise typer.BadParameter("--next or --draft, not both")
    when = Publication.NEXT if next_one else Publication.DRAFT if draft else Publication.NOW
    tell(number, made(commands.PostUpdate, by=by, text=text, when=when), as_json, timeout)


@app.command()
def hold(
    number: Number,
    minutes: Annotated[int, typer.Argument(help="For how long, after it is due", show_default=False)],
    by: By,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Hold the next status update back, once."""
    tell(number, made(commands.HoldUpdate, by=by, minutes=minutes, reason=reason), as_json, timeout)


@app.command()
def escalate(number: Number, by: By, reason: Reason = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Call the next person of the escalation ladder now."""
    tell(number, made(commands.Escalate, by=by, reason=reason), as_json, timeout)


@app.command()
def role(
    number: Number,
    name: Annotated[commands.Role, typer.Argument(help="Which role", show_default=False)],
    by: By,
    person: Annotated[str, typer.Argument(help="Who has it from now on; nobody if not given")] = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Give a role to somebody, or hand it over."""
    tell(number, made(commands.AssignRole, by=by, role=name, person=person), as_json, timeout)


@app.command()
def private(number: Number, by: By, reason: Reason = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Make it a private incident: nothing of it stands in a public place from now on."""
    tell(number, made(commands.MakePrivate, by=by, reason=reason), as_json, timeout)


@app.command()
def note(
    number: Number,
    text: Annotated[str, typer.Argument(help="What responders read", show_default=False)],
    by: By,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Write a line into the timeline and the channel."""
    tell(number, made(commands.AddNote, by=by, text=text), as_json, timeout)


@app.command()
def step(
    number: Number,
    name: Annotated[
        str, typer.Argument(help="A checklist step, or the key of a failed obligation", show_default=False)
    ],
    by: By,
    retry: Annotated[bool, typer.Option("--retry", help="Try again")] = False,
    skip: Annotated[str | None, typer.Option(metavar="REASON", help="Do without, for this reason")] = None,
    done: Annotated[bool, typer.Option("--done", help="It was done by hand")] = False,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Deal with a step that failed."""
    if sum((retry, skip is not None, done)) != 1:
        raise typer.BadParameter("give one of --retry, --skip REASON, --done")
    how = "retry" if retry else "done" if done else "skip"
    tell(number, made(commands.SettleStep, by=by, step=name, how=how, reason=skip or ""), as_json, timeout)


@app.command()
def confirm(
    number: Number,
    by: By,
    customer: Annotated[str, typer.Option(help="Whose word it is; yours if not given")] = "",
    not_restored: Annotated[bool, typer.Option("--not-restored", help="Service is not restored")] = False,
    note: Annotated[str, typer.Option(help="In their words")] = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Record whether service is restored, as a customer or you see it."""
    command = made(commands.ConfirmRecovery, by=by, customer=customer, restored=not not_restored, note=note)
    tell(number, command, as_json, timeout)


@app.command()
def monitor(number: Number, by: By, text: Words = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Say that the incident is mitigated and watched."""
    tell(number, made(commands.Monitor, by=by, text=text), as_json, timeout)


@app.command()
def resolve(
    number: Number,
    by: By,
    text: Words = "",
    force: Annotated[
        bool,
        typer.Option("--force", help="Though an alert still fires"),
    ] = False,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """End the incident."""
    tell(number, made(commands.Resolve, by=by, text=text, force=force, reason=reason), as_json, timeout)


@app.command()
def reopen(number: Number, by: By, reason: Reason = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Take a resolved incident up again."""
    tell(number, made(commands.Reopen, by=by, reason=reason), as_json, timeout)


@app.command()
def cancel(number: Number, by: By, reason: Reason = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Withdraw a false positive."""
    tell(number, made(commands.Cancel, by=by, reason=reason), as_json, timeout)

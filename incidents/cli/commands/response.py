"""The subcommands that change an incident. Each sends one command of `incidents.domain.incident.commands`."""

import json
from typing import Annotated, NoReturn

import typer
from temporalio.client import Client, WorkflowExecutionDescription

from incidents.cli.finding import find, find_postmortem
from incidents.cli.help import Subcommands
from incidents.cli.options import By, Json, Number, Reason, Timeout, Words, instant
from incidents.cli.resolving import resolve_and_wait
from incidents.cli.runner import dispatch, parse_command, say
from incidents.client.lookup import is_open
from incidents.domain.incident import commands
from incidents.domain.incident.commands import Publication
from incidents.domain.incident.display.severity_guide import severity_guide

app = Subcommands()


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
    dispatch(number, parse_command(commands.Acknowledge, by=by, at=instant(at) if at else None), as_json, timeout)


@app.command()
def correct(
    number: Number,
    which: Annotated[commands.Mark, typer.Argument(help="Time to correct", show_default=False)],
    to: Annotated[
        str, typer.Argument(metavar="ISO", help="Correct time, ISO 8601; UTC without an offset", show_default=False)
    ],
    by: By,
    reason: Reason,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Correct a recorded time. Both values are kept; reports use the new one."""
    command = parse_command(commands.CorrectTime, by=by, which=which, to=instant(to), reason=reason)
    dispatch(number, command, as_json, timeout, _find_incident_or_postmortem)


async def _find_incident_or_postmortem(client: Client, name: str) -> WorkflowExecutionDescription:
    """Return the incident's run or, if it has closed, its post-mortem's run."""
    run = await find(client, name)
    return run if is_open(run) else await find_postmortem(client, name)


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
    by: By,
    level: Annotated[
        str | None, typer.Argument(help="Severity, such as P0; without one, their definitions are shown")
    ] = None,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Set or confirm the severity."""
    if level is None:
        _show_severities(as_json)
    dispatch(
        number,
        parse_command(commands.DeclareSeverity, by=by, severity=level.strip().upper(), reason=reason),
        as_json,
        timeout,
    )


def _show_severities(as_json: bool) -> NoReturn:
    """Print the definition of each severity of this machine's runbook file, and exit."""
    # Slow to import, and no other command here needs them.
    from incidents.app.connection import run_and_exit
    from incidents.app.runbook_file import load_runbook
    from incidents.app.settings import load_settings

    async def main() -> int:
        runbook = load_runbook(load_settings())
        if as_json:
            listed = [
                {"severity": severity, "name": policy.name, "definition": policy.definition}
                for severity, policy in runbook.severities.items()
            ]
            say(json.dumps(listed, indent=1))
        else:
            say("\n".join(severity_guide(runbook)))
        return 0

    run_and_exit(main())


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
    reason: Reason,
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
    person: Annotated[
        str, typer.Argument(help="Assignee, or a contact whose schedule says who it is", show_default=False)
    ] = "",
    unassign: Annotated[bool, typer.Option("--unassign", help="Unassign the role")] = False,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Assign, hand over or unassign a role."""
    if bool(person.strip()) is unassign:
        raise typer.BadParameter("name the assignee, or use --unassign")
    command = parse_command(commands.AssignRole, by=by, role=name, person=person, unassign=unassign)
    dispatch(number, command, as_json, timeout)


@app.command()
def private(number: Number, by: By, reason: Reason, as_json: Json = False, timeout: Timeout = 5) -> None:
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
    now: Annotated[bool, typer.Option("--now", help="Resolve without waiting for a running rollback")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is resolved; exit 1 if it is not")] = False,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Resolve the incident, or once a running rollback is verified."""
    command = parse_command(commands.Resolve, by=by, text=text, force=force, now=now, reason=reason)
    if wait:
        resolve_and_wait(number, command, as_json, timeout)
    dispatch(number, command, as_json, timeout)


@app.command()
def reopen(number: Number, by: By, reason: Reason, as_json: Json = False, timeout: Timeout = 5) -> None:
    """Reopen a resolved incident."""
    dispatch(number, parse_command(commands.Reopen, by=by, reason=reason), as_json, timeout)


@app.command()
def cancel(number: Number, by: By, reason: Reason, as_json: Json = False, timeout: Timeout = 5) -> None:
    """Cancel as a false alarm."""
    dispatch(number, parse_command(commands.Cancel, by=by, reason=reason), as_json, timeout)


@app.command(name="review-drill")
def review_drill(
    number: Number,
    text: Annotated[str, typer.Argument(help="What worked and what did not", show_default=False)],
    by: By,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Record the review of a drill."""
    dispatch(number, parse_command(commands.ReviewDrill, by=by, text=text), as_json, timeout)

"""`incident`: the responders' command line."""

import asyncio
import getpass
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import BaseModel, ValidationError
from rich.console import Console
from temporalio.client import Client

from connection import connect, run_and_exit
from runbook import commands
from runbook.commands import Command, Publication
from runbook.postmortem import Postmortem, PublishPostmortem, WaivePostmortem
from settings import load_settings
from terminal import finding, views
from terminal.sending import Refusal, Sent, send
from terminal.watch import state, watch

PROBLEMS = (finding.NotFound, finding.NoAnswer, Refusal)

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="42, INC-42, or a workflow id")]
By = Annotated[str, typer.Option(help="Who you are", default_factory=getpass.getuser, show_default="your login")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait for a worker", min=0.5, max=60)]
Cluster = Annotated[str, typer.Option(help="One cluster only")]
Reason = Annotated[str, typer.Option(help="Why", show_default=False)]
Words = Annotated[str, typer.Argument(help="What customers read", show_default=False)]

_PLAIN: dict[str, Any] = {"no_args_is_help": True, "rich_markup_mode": None}  # rich help costs a tenth of a second
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__, **_PLAIN)
postmortem_app = typer.Typer(**_PLAIN, help="The post-mortem of an incident.")
app.add_typer(postmortem_app, name="postmortem")
console = Console()


def _run(work: Callable[[Client], Awaitable[None]]) -> NoReturn:
    """Connect, do the work, and end the process."""

    async def main() -> int:
        await work(await connect(load_settings()))
        return 0

    run_and_exit(main(), PROBLEMS)


def _made(kind: type[Command], **fields: Any) -> Command:
    """Return the command; what does not fit is refused before anything is sent."""
    try:
        return kind(**fields)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise typer.BadParameter(f"{place}: {fault['msg']}") from None


def _tell(number: str, command: Command, as_json: bool, timeout: float, process: str = "") -> NoReturn:
    """Send a command to the incident, or to its post-mortem's process, and print what became of it."""

    async def work(client: Client) -> None:
        workflow_id = await (_postmortem_id(client, number) if process else finding.find(client, number))
        sent = await send(client.get_workflow_handle(workflow_id), command, timedelta(seconds=timeout))
        _print_sent(sent, as_json)

    _run(work)


def _print_sent(sent: Sent, as_json: bool) -> None:
    print(sent.model_dump_json() if as_json else sent.message)


async def _postmortem_id(client: Client, number: str) -> str:
    incident = await finding.incident(client, number)
    return f"postmortem-{incident.number}"


def _dump(model: BaseModel) -> str:
    return model.model_dump_json(indent=1)


@app.command("list")
def list_incidents(
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended")] = False, as_json: Json = False
) -> None:
    """List incidents, the newest first. Works without a worker."""

    async def work(client: Client) -> None:
        found = await finding.listed(client, everything=everything)
        if as_json:
            print(json.dumps([views.incident_row(execution) for execution in found], indent=1))
        elif found:
            console.print(views.incidents_table(found, datetime.now(UTC)))
        else:
            console.print("No incidents." if everything else "No open incidents.")

    _run(work)


@app.command()
def show(number: Number, as_json: Json = False) -> None:
    """Show an incident: people, checklist, next duties, timeline."""

    async def work(client: Client) -> None:
        if as_json:
            print(_dump(await finding.incident(client, number)))
        else:
            await watch(client, number, console, once=True, until=None)

    _run(work)


@app.command("watch")
def watch_incident(
    number: Number,
    once: Annotated[bool, typer.Option(help="One look")] = False,
    until: Annotated[str | None, typer.Option(help="End at monitoring, resolved or cancelled")] = None,
    as_json: Json = False,
) -> None:
    """Watch an incident live, with countdowns. Ctrl-C ends the watching, not the incident."""

    async def work(client: Client) -> None:
        if as_json:
            handle = client.get_workflow_handle(await finding.find(client, number))
            incident, duties = await state(handle, number)
            duties_json = [duty.model_dump(mode="json") for duty in duties]
            print(json.dumps({"incident": incident.model_dump(mode="json"), "agenda": duties_json}, indent=1))
            return
        try:
            await watch(client, number, console, once=once, until=until)
        except asyncio.CancelledError:  # Ctrl-C
            return

    if until is not None and until not in ("monitoring", "resolved", "cancelled"):
        raise typer.BadParameter("--until takes monitoring, resolved or cancelled")
    _run(work)


@app.command()
def timeline(number: Number, as_json: Json = False) -> None:
    """Print what happened, in order."""

    async def work(client: Client) -> None:
        incident = await finding.incident(client, number)
        if as_json:
            print(json.dumps([entry.model_dump(mode="json") for entry in incident.timeline], indent=1))
        else:
            console.print(views.timeline_table(list(incident.timeline)))

    _run(work)


@app.command()
def ack(
    number: Number,
    by: By,
    at: Annotated[datetime | None, typer.Option(help="When you took it, in UTC, if that was earlier")] = None,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Take the incident: paging stops."""
    moment = at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
    _tell(number, _made(commands.Acknowledge, by=by, at=moment), as_json, timeout)


@app.command()
def assess(
    number: Number,
    impact: Words,
    by: By,
    customers: Annotated[str, typer.Option(help="Names or addresses, comma-separated")] = "",
    services: Annotated[str, typer.Option(help="Comma-separated")] = "",
    complete: Annotated[bool, typer.Option(help="A complete outage")] = False,
    title: Annotated[str | None, typer.Option(help="The title that customers read")] = None,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """State the blast radius."""
    command = _made(
        commands.Assess,
        by=by,
        impact=impact,
        complete_outage=complete,
        customers=_split(customers),
        services=_split(services),
        title=title,
    )
    _tell(number, command, as_json, timeout)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


@app.command()
def severity(
    number: Number,
    level: Annotated[str, typer.Argument(help="P0, P1, P2 or P3")],
    by: By,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Declare, raise, lower or confirm the severity."""
    _tell(number, _made(commands.DeclareSeverity, by=by, severity=level.upper(), reason=reason), as_json, timeout)


@app.command()
def update(
    number: Number,
    text: Words,
    by: By,
    next_one: Annotated[bool, typer.Option("--next", help="Keep the words for the next due update")] = False,
    draft: Annotated[bool, typer.Option(help="A draft that is still being written")] = False,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Publish a status update now, or keep its words for the next one."""
    if next_one and draft:
        raise typer.BadParameter("--next or --draft, not both")
    when = Publication.NEXT if next_one else Publication.DRAFT if draft else Publication.NOW
    _tell(number, _made(commands.PostUpdate, by=by, text=text, when=when), as_json, timeout)


@app.command()
def note(number: Number, text: str, by: By, as_json: Json = False, timeout: Timeout = 5) -> None:
    """Write a line into the timeline and the channel."""
    _tell(number, _made(commands.AddNote, by=by, text=text), as_json, timeout)


@app.command()
def step(
    number: Number,
    name: Annotated[str, typer.Argument(help="A checklist step, or the key of a failed duty")],
    by: By,
    retry: Annotated[bool, typer.Option(help="Try again")] = False,
    skip: Annotated[str | None, typer.Option(help="Do without, for this reason")] = None,
    done: Annotated[bool, typer.Option(help="It was done by hand")] = False,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Deal with a step that failed."""
    if sum((retry, skip is not None, done)) != 1:
        raise typer.BadParameter("give one of --retry, --skip REASON, --done")
    how = "retry" if retry else "done" if done else "skip"
    _tell(number, _made(commands.SettleStep, by=by, step=name, how=how, reason=skip or ""), as_json, timeout)


@app.command()
def rollback(number: Number, by: By, cluster: Cluster = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Roll the suspect deployment back; your request is the approval."""
    _tell(number, _made(commands.RequestRollback, by=by, cluster=cluster), as_json, timeout)


@app.command()
def approve(number: Number, by: By, cluster: Cluster = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Approve the rollback that is offered."""
    _tell(number, _made(commands.ApproveRollback, by=by, cluster=cluster), as_json, timeout)


@app.command()
def decline(
    number: Number, by: By, reason: Reason = "", cluster: Cluster = "", as_json: Json = False, timeout: Timeout = 5
) -> None:
    """Decline the rollback that is offered."""
    _tell(number, _made(commands.DeclineRollback, by=by, reason=reason, cluster=cluster), as_json, timeout)


@app.command()
def confirm(
    number: Number,
    by: By,
    customer: Annotated[str, typer.Option(help="Whose word it is; yours if not given")] = "",
    not_restored: Annotated[bool, typer.Option(help="Service is not restored")] = False,
    note: Annotated[str, typer.Option(help="In their words")] = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Record whether service is restored, as a customer or you see it."""
    command = _made(commands.ConfirmRecovery, by=by, customer=customer, restored=not not_restored, note=note)
    _tell(number, command, as_json, timeout)


@app.command()
def monitor(number: Number, by: By, text: Words = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Say that the incident is mitigated and watched."""
    _tell(number, _made(commands.Monitor, by=by, text=text), as_json, timeout)


@app.command()
def resolve(
    number: Number,
    by: By,
    text: Words = "",
    force: Annotated[bool, typer.Option(help="Though an alert of a P0 or P1 still fires")] = False,
    reason: Reason = "",
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """End the incident."""
    _tell(number, _made(commands.Resolve, by=by, text=text, force=force, reason=reason), as_json, timeout)


@app.command()
def reopen(number: Number, by: By, reason: Reason = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Take a resolved incident up again."""
    _tell(number, _made(commands.Reopen, by=by, reason=reason), as_json, timeout)


@app.command()
def cancel(number: Number, by: By, reason: Reason = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Withdraw a false positive."""
    _tell(number, _made(commands.Cancel, by=by, reason=reason), as_json, timeout)


@app.command()
def check(
    file: Annotated[Path | None, typer.Option(help="Instead of RUNBOOK_FILE")] = None, as_json: Json = False
) -> None:
    """Check the runbook file: every fault with file, line and field."""
    from runbook_file import load_runbook  # YAML is slow to import, and no other command needs it

    async def main() -> int:
        settings = load_settings()
        path = file or settings.runbook_file
        load_runbook(settings.model_copy(update={"runbook_file": path}))
        print(json.dumps({"file": str(path), "valid": True}) if as_json else f"{path} makes sense.")
        return 0

    run_and_exit(main())


@postmortem_app.command("show")
def show_postmortem(number: Number, as_json: Json = False) -> None:
    """Show where the post-mortem stands."""

    async def work(client: Client) -> None:
        process = await _postmortem_id(client, number)
        handle = client.get_workflow_handle(process)
        found: Postmortem = await finding.ask(handle, "postmortem", Postmortem, f"The post-mortem of {number}")
        if as_json:
            print(_dump(found))
        else:
            console.print(views.postmortem_view(found, datetime.now(UTC)))

    _run(work)


@postmortem_app.command("publish")
def publish_postmortem(
    number: Number,
    url: Annotated[str, typer.Argument(help="Where it can be read")],
    by: By,
    as_json: Json = False,
    timeout: Timeout = 5,
) -> None:
    """Say that the post-mortem is published."""
    _tell(number, _made(PublishPostmortem, by=by, url=url), as_json, timeout, "postmortem")


@postmortem_app.command("waive")
def waive_postmortem(number: Number, by: By, reason: Reason = "", as_json: Json = False, timeout: Timeout = 5) -> None:
    """Do without a post-mortem, with a reason."""
    _tell(number, _made(WaivePostmortem, by=by, reason=reason), as_json, timeout, "postmortem")


def main() -> None:
    """Entry point of the console script `incident`."""
    app()


if __name__ == "__main__":
    main()

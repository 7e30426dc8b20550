"""`incident open`: declare an incident by hand, as the starter does."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from incidents.app.connection import run_and_exit
from incidents.cli.help import Subcommands
from incidents.cli.options import By, Json
from incidents.cli.runner import say
from incidents.client.references import InvalidReference, parse_reference

if TYPE_CHECKING:
    from incidents.app.starter import ByHand

app = Subcommands()


@app.command("open")
def open_incident(
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What is wrong, for responders", show_default=False)],
    service: Annotated[str, typer.Option(metavar="SERVICE", help="Affected service, as in runbook.yaml")],
    severity: Annotated[str, typer.Option(metavar="SEVERITY", help="Such as P0; ? lists them with their definitions")],
    by: By,
    environment: Annotated[str, typer.Option(help="Environment")] = "production",
    private: Annotated[bool, typer.Option("--private", help="A private incident, such as a security incident")] = False,
    drill: Annotated[bool, typer.Option("--drill", help="A drill, marked as such everywhere")] = False,
    repeats: Annotated[
        str, typer.Option(metavar="INCIDENT", help="The earlier incident that it repeats", show_default=False)
    ] = "",
    as_json: Json = False,
) -> None:
    """Open an incident by hand. On-call is paged.

    While Temporal is unreachable, it is kept on disk (ALERT_SPOOL) and on-call is paged directly; exit status 3.
    """
    # The starter imports the runbook's model and the pager: slow, and no other command needs both.
    from incidents.app.starter import ByHand
    from incidents.app.submission_file import InvalidInput

    typed = ByHand(
        title=title,
        service=service,
        severity=severity,
        environment=environment,
        by=by,
        drill=drill,
        private=private,
        repeats=_number(repeats),
    )
    run_and_exit(_open(typed, as_json), problems=(InvalidInput,))


async def _open(typed: "ByHand", as_json: bool) -> int:
    """Open the incident and print it; return the exit status."""
    from incidents.app import starter
    from incidents.app.runbook_file import load_runbook
    from incidents.app.settings import load_settings
    from incidents.client.delivery.submission import Submission

    settings = load_settings()
    runbook = load_runbook(settings)
    declared = starter.declare(typed, runbook)
    results = await starter.deliver(Submission.of_declared(declared, datetime.now(UTC)), settings, runbook)
    [result] = results
    if as_json or result.number is None:
        starter.report(results, as_json)
    else:
        say(f"INC-{result.number} opened: {declared.opening.severity} {typed.service}: {typed.title}")
        say(f"Next: `incident ack {result.number}`, then `incident assess {result.number} IMPACT`.")
    return starter.exit_status(results)


def _number(typed: str) -> int | None:
    """Return the number of the incident that it repeats.

    Raises:
        typer.BadParameter: it is not a number.
    """
    if not typed:
        return None
    try:
        number = parse_reference(typed).number
    except InvalidReference as error:
        raise typer.BadParameter(f"--repeats: {error}") from None
    if not number:
        raise typer.BadParameter(f"--repeats: {typed!r} is not a number such as 42, INC-42 or '#42'")
    return number

"""Open an incident from an alert, or send the alert to the incident that is open.

    python starter.py alert.json        # an alert source's webhook, or our JSON
    python starter.py - < alert.json    # the same from standard input
    python starter.py --title "Slow" --service dashboard --severity P2

Signal-with-start makes this one atomic call, durable even while no worker runs.

While Temporal is unreachable, the alert is kept on disk (ALERT_SPOOL) and on-call is paged directly; the gateway or the
next run of this program sends it.

`incident alert test alert.json` says what it would do, and why.

Exit status: 0 Temporal has it; 3 kept on disk, no incident started yet (do not send it again); 1 not accepted (correct
it, or send it again); 2 usage error.
"""

import getpass
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from temporalio.client import Client

from incidents.app.command_line.usage import OneLineCommand
from incidents.app.composition.pagers import build_paging
from incidents.app.connection import connect, run_and_exit
from incidents.app.pager_check import print_missing_pager
from incidents.app.runbook_file import load_runbook
from incidents.app.settings import Settings, load_settings
from incidents.app.submission_file import InvalidInput, read_submission
from incidents.client.alert_sources.names import is_source_name
from incidents.client.alert_sources.payload import MalformedAlert
from incidents.client.delivery.delivery import Delivery, Kept
from incidents.client.delivery.spool import Spool, SpoolFull, SpoolUnusable
from incidents.client.delivery.submission import Declared, Submission
from incidents.client.intake import Started
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.incident.display.severity_guide import parse_severity
from incidents.domain.incident.state import Opening
from incidents.domain.people.directory import PeopleDirectory

KEPT = 3
"""Exit status: every alert is safe on disk, and at least one has not started its incident."""
_CATCH_UP = timedelta(seconds=10)
"""How long to send what waits in the spool, or to wait for another process that sends it."""


def declared_severity(title: str, service: str, severity: str, runbook: RunbookConfig) -> Severity:
    """Return the severity that a person declared, as the runbook spells it.

    Raises:
        InvalidInput: it has none of that name, or something else is missing.
    """
    if not one_line(title, 200) or not one_line(service, 200) or not severity.strip():
        raise InvalidInput("title, --service and --severity are needed, and must not be empty")
    try:
        return parse_severity(severity, runbook)
    except ValueError as error:
        raise InvalidInput(str(error)) from None


class ByHand(Frozen):
    """An incident as a person declares it. `repeats`: number of the incident that it repeats; `by`: "" is the login."""

    title: str
    service: str
    severity: str
    environment: str = "production"
    by: str = ""
    drill: bool = False
    private: bool = False
    repeats: int | None = None


def declare(typed: ByHand, runbook: RunbookConfig) -> Declared:
    """Return an incident that a person declares, under a workflow id of its own.

    Raises:
        InvalidInput: something is missing, or the runbook has no such severity.
    """
    severity = declared_severity(typed.title, typed.service, typed.severity, runbook)
    by = PeopleDirectory(runbook.people.directory).resolve(typed.by or _login())
    key = str(uuid.uuid4())
    opening = Opening(
        key=key,
        title=one_line(typed.title, 200),
        service=one_line(typed.service, 200),
        environment=one_line(typed.environment, 200),
        severity=severity,
        alerted_at=datetime.now(UTC),
        source="manual",
        reporter=one_line(by, 100),
        drill=typed.drill,
        private=typed.private,
        recurrence_of=typed.repeats,
    )
    return Declared(workflow_id=f"incident-{key}", opening=opening)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        raise InvalidInput("no login name on this machine; use --by NAME") from None


async def deliver(submission: Submission, settings: Settings, runbook: RunbookConfig) -> list[Started]:
    """Deliver a submission, after what waits in the spool.

    Raises:
        InvalidInput: Temporal is unreachable, and the spool did not take it.
    """
    connection: list[Client] = []

    async def connected() -> Client:
        if not connection:
            connection.append(await connect(settings))
        return connection[0]

    send_page = build_paging(settings).send_page
    delivery = Delivery(Spool(settings.alert_spool), connected, runbook, settings.temporal_task_queue, send_page)
    await delivery.catch_up(_CATCH_UP)
    try:
        return await delivery.deliver(submission)
    except (SpoolFull, SpoolUnusable) as error:
        raise InvalidInput(f"Temporal is unreachable and nothing was kept: {error}. Send it again") from None


def report(results: list[Started], as_json: bool) -> None:
    """Print what became of a submission, one line for each incident."""
    for result in results:
        if as_json:
            print(result.model_dump_json())
            continue
        name = f"INC-{result.number}" if result.number is not None else "number pending: no worker answered"
        if isinstance(result, Kept):
            print(f"Not started yet: {result.workflow_id} ({result.detail})")
            continue
        words = {
            "opened": f"Incident opened: {result.workflow_id} ({name})",
            "updated": f"Incident updated: {result.workflow_id} ({name})",
            "ignored": f"Ignored: the alert is resolved and incident {result.workflow_id} is not open",
        }
        print(words[result.action])


def exit_status(results: list[Started]) -> int:
    """Return `KEPT` if an incident waits on disk, or else 0."""
    return KEPT if any(isinstance(result, Kept) for result in results) else 0


def _from_file(path: str, source: str) -> Submission:
    if not is_source_name(source):
        raise InvalidInput("--source: 1 to 40 of a-z, 0-9, - and _")
    return read_submission(path, source)


def _by_hand(typed: ByHand, runbook: RunbookConfig) -> Submission:
    return Submission.of_declared(declare(typed, runbook), datetime.now(UTC))


async def _open(source: str | None, name: str, typed: ByHand | None, as_json: bool) -> int:
    """Send what a file holds, or what was typed, and return the exit status."""
    settings = load_settings()
    runbook = load_runbook(settings)
    if source is not None and typed is None:
        submission = _from_file(source, name)
    elif typed is not None and source is None:
        submission = _by_hand(typed, runbook)
    else:
        raise InvalidInput("pass an alert file (or - for stdin), or --title with --service and --severity")
    results = await deliver(submission, settings, runbook)
    report(results, as_json)
    print_missing_pager(settings, runbook)
    return exit_status(results)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


_DECLARING = ("service", "severity", "environment", "by", "private", "drill", "repeats")
"""Options that describe the incident of --title. With a file they would be ignored in silence."""


def _check_options(context: typer.Context) -> None:
    """Refuse options that do not go with the others.

    Raises:
        typer.BadParameter: there is such an option.
    """
    sources = {name: context.get_parameter_source(name) for name in context.params}
    given = {name for name, source in sources.items() if source is not None and source.name != "DEFAULT"}
    stray = [f"--{name}" for name in _DECLARING if name in given]
    if stray and "title" not in given:
        raise typer.BadParameter(
            f"{', '.join(stray)}: only with --title, to declare an incident. What an alert says is in its file."
        )
    if {"title", "name"} <= given:
        raise typer.BadParameter("--source: only with an alert file, not with --title")


@app.command(cls=OneLineCommand, help=__doc__)
def main(
    context: typer.Context,
    source: Annotated[str | None, typer.Argument(metavar="FILE|-", help="Alert payload as JSON")] = None,
    title: Annotated[str | None, typer.Option(help="Declare an incident manually, with this title")] = None,
    service: Annotated[str | None, typer.Option(help="With --title: service")] = None,
    severity: Annotated[str, typer.Option(help="With --title: severity, such as P0; ? lists them")] = "",
    environment: Annotated[str, typer.Option(help="With --title: environment")] = "production",
    by: Annotated[str, typer.Option(help="With --title: who declares it")] = "",
    private: Annotated[bool, typer.Option(help="With --title: private, for example a security incident")] = False,
    drill: Annotated[bool, typer.Option(help="With --title: a drill, marked as such everywhere")] = False,
    repeats: Annotated[
        int | None, typer.Option(min=1, help="With --title: number of the incident that it repeats")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each incident")] = False,
    name: Annotated[
        str, typer.Option("--source", help="Alert source, such as grafana; default: as the payload says")
    ] = "",
) -> None:
    """Open or update an incident from an alert or by hand."""
    _check_options(context)
    typed = (
        None
        if title is None
        else ByHand(
            title=title,
            service=service or "",
            severity=severity,
            environment=environment,
            by=by,
            drill=drill,
            private=private,
            repeats=repeats,
        )
    )
    run_and_exit(_open(source, name, typed, as_json), problems=(InvalidInput, MalformedAlert))


if __name__ == "__main__":
    app()

"""Open an incident from an alert, or send the alert to the incident that is open.

    python starter.py alert.json            an Alertmanager webhook (version 4), or our own simple JSON
    python starter.py - < alert.json        the same from standard input
    python starter.py --title "Evaluations fail" --service flag-evaluation --severity P0

Signal-with-start makes this one atomic call, durable even while no worker runs.
"""

import getpass
import sys
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from incidents.app.connection import connect, run_and_exit
from incidents.app.runbook_file import load_runbook
from incidents.app.settings import load_settings
from incidents.client.intake import LARGEST, Started, intake, start
from incidents.domain.alerting.alert import (
    Alert,
    MalformedAlert,
    grouped,
    identity,
    parse_alerts,
)
from incidents.domain.config.model import Intake, RunbookConfig
from incidents.domain.core.payload import NotJson, read_json
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.incident.parts import Opening


class InvalidInput(Exception):
    """The input cannot open an incident. The message is one line."""


def read_payload(source: str) -> Any:
    """Read JSON from a file, or from standard input if `source` is `-`.

    Raises:
        InvalidInput: it cannot be read, is too large, or is not JSON.
    """
    name = one_line(source, 200)
    try:
        raw = sys.stdin.buffer.read(LARGEST + 1) if source == "-" else _read(Path(source))
    except OSError as error:
        raise InvalidInput(f"{name}: {error.strerror}") from None
    if len(raw) > LARGEST:
        raise InvalidInput(f"{name}: larger than {LARGEST // 1024} KiB: send the alert without its dumps")
    try:
        return read_json(raw)
    except NotJson as error:
        raise InvalidInput(f"{name}: {error}") from None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def declared_severity(title: str, service: str, severity: str, runbook: RunbookConfig) -> Severity:
    """Return the severity that a person declared, as the runbook spells it.

    Raises:
        InvalidInput: it has none of that name, or something else is missing.
    """
    if not one_line(title, 200) or not one_line(service, 200) or not severity.strip():
        raise InvalidInput("--title needs --service and --severity")
    declared = runbook.severity_named(severity)
    if declared is None:
        typed = one_line(severity, 40)
        raise InvalidInput(f"no severity {typed!r}, the runbook has {', '.join(runbook.severity_names)}")
    return declared


def by_hand(
    title: str, service: str, environment: str, severity: Severity, by: str, drill: bool, private: bool = False
) -> tuple[str, Opening]:
    """Return the workflow id and the opening of an incident that a person declares."""
    key = str(uuid.uuid4())
    return f"incident-{key}", Opening(
        key=key,
        title=one_line(title, 200),
        service=one_line(service, 200),
        environment=one_line(environment, 200),
        severity=severity,
        alerted_at=datetime.now(UTC),
        source="manual",
        reporter=one_line(by, 100),
        drill=drill,
        private=private,
    )


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        raise InvalidInput("no login name on this machine; use --by NAME") from None


def explain(alerts: Iterable[Alert], intake: Intake) -> list[str]:
    """Return which labels select the incident of each alert (behaviour 10)."""
    return [
        f"{alert.title}: incident-{key} from " + ", ".join(f"{k}={v}" for k, v in identity(alert, intake).items())
        for key, group in grouped(alerts, intake).items()
        for alert in group
    ]


def _report(results: list[Started], as_json: bool) -> None:
    for result in results:
        if as_json:
            print(result.model_dump_json())
            continue
        name = f"INC-{result.number}" if result.number is not None else "number pending: no worker answered"
        words = {
            "opened": f"Incident opened: {result.workflow_id} ({name})",
            "updated": f"Incident updated: {result.workflow_id} ({name})",
            "ignored": f"Ignored: the alert is resolved and incident {result.workflow_id} is not open",
        }
        print(words[result.action])


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    source: Annotated[str | None, typer.Argument(metavar="[FILE|-]", help="Alert payload as JSON")] = None,
    title: Annotated[str | None, typer.Option(help="Declare an incident by hand: what is wrong")] = None,
    service: Annotated[str | None, typer.Option(help="By hand: the service")] = None,
    severity: Annotated[str, typer.Option(help="By hand: a severity of runbook.yaml, such as P0")] = "",
    environment: Annotated[str, typer.Option(help="By hand: the environment")] = "production",
    by: Annotated[str, typer.Option(help="By hand: who declares it")] = "",
    private: Annotated[bool, typer.Option(help="By hand: a private incident, such as for security")] = False,
    drill: Annotated[bool, typer.Option(help="By hand: a drill, marked as such everywhere")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each incident")] = False,
    explain_fingerprint: Annotated[bool, typer.Option(help="Only print which labels select the incident")] = False,
) -> None:
    """Open or update an incident from an alert or by hand."""

    async def run() -> int:
        settings = load_settings()
        runbook = load_runbook(settings)
        if (source is None) == (title is None):
            raise InvalidInput("pass an alert file (or - for stdin), or --title with --service and --severity")
        if source is not None:
            alerts = parse_alerts(read_payload(source), datetime.now(UTC))
            if explain_fingerprint:
                print("\n".join(explain(alerts, runbook.intake)))
                return 0
            client = await connect(settings)
            results = await intake(client, alerts, runbook, settings.temporal_task_queue)
        else:
            declared = declared_severity(title or "", service or "", severity, runbook)
            opening = by_hand(title or "", service or "", environment, declared, by or _login(), drill, private)
            client = await connect(settings)
            results = [await start(client, *opening, runbook, settings.temporal_task_queue)]
        _report(results, as_json)
        return 0

    run_and_exit(run(), problems=(InvalidInput, MalformedAlert))


if __name__ == "__main__":
    app()

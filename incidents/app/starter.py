"""Open an incident from an alert, or send the alert to the incident that is open.

    python starter.py alert.json            an Alertmanager webhook (version 4), or our own simple JSON
    python starter.py - < alert.json        the same from standard input
    python starter.py --title "Evaluations fail" --service flag-evaluation --severity P0

Signal-with-start makes this one atomic call, durable even while no worker runs.
"""

import asyncio
import getpass
import sys
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.connection import connect, run_and_exit
from incidents.app.runbook_file import load_runbook
from incidents.app.settings import load_settings
from incidents.contracts import ALERT_FIRED, ALERT_RESOLVED, INCIDENT_WORKFLOW, AlertBatch, IncidentInput
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
from incidents.domain.core.text import cut_bytes, one_line
from incidents.domain.incident.opening import opening_from
from incidents.domain.incident.parts import Opening
from incidents.priority import priority_of
from incidents.search_attributes import NUMBER, at_start

LARGEST = 512 * 1024
"""Largest payload in bytes. An incident's history holds facts, not dumps."""
NUMBER_PATIENCE = timedelta(seconds=5)
"""How long to wait for a worker to number a new incident. The incident is durable without it."""
_ENDED_PATIENCE = timedelta(seconds=1)
"""How long at most to wait for the number of an incident whose alerts ended."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
"""Seconds between two reads of the number: the first pause, and the longest."""
_RPC = timedelta(seconds=10)
_SUMMARY = 200
"""Bytes of a workflow's summary: the server takes 400, with quotes and escapes."""
_HOW_TO = """One incident, from its alert to the end of its reopen window. See **Current Details** for its state.

To act: `incident ack`, `assess`, `severity`, `update`, `approve`, `monitor`, `resolve` … (`incident --help`), or send
the signal of that name from here, with `{"by": "you"}`. Do not cancel or terminate the workflow: `incident cancel`
withdraws a false alarm and notifies everyone who was notified.
"""


class InvalidInput(Exception):
    """The input cannot open an incident. The message is one line."""


class Started(BaseModel):
    """The result for the alerts of one incident.

    `number` is None until a worker has numbered it, or without waiting; so is `run_id` for resolved alerts. `created`
    is the server's answer: false if the answer to a first attempt was lost.
    """

    workflow_id: str
    run_id: str | None
    number: int | None
    created: bool
    action: str


async def intake(
    client: Client,
    alerts: Iterable[Alert],
    runbook: RunbookConfig,
    task_queue: str,
    *,
    patience: timedelta = NUMBER_PATIENCE,
) -> list[Started]:
    """Send alerts to their incidents; return one result per incident, in the order of the alerts.

    Raises:
        RPCError: Temporal did not accept them. Calling again is safe: nothing is duplicated.
    """
    groups = grouped(alerts, runbook.intake)
    return [await _bring(client, key, group, runbook, task_queue, patience) for key, group in groups.items()]


async def _bring(
    client: Client, key: str, alerts: tuple[Alert, ...], runbook: RunbookConfig, task_queue: str, patience: timedelta
) -> Started:
    firing = tuple(alert for alert in alerts if alert.firing)
    ended = tuple(alert for alert in alerts if not alert.firing)
    workflow_id = f"incident-{key}"
    started = None
    if firing:
        opening = opening_from(firing, key, runbook)
        started = await start(client, workflow_id, opening, runbook, task_queue, alerts=firing, patience=patience)
    if ended:
        updated = await _signal_ended(client, workflow_id, ended, min(patience, _ENDED_PATIENCE))
        started = started or updated
    assert started is not None  # a group holds at least one alert, firing or ended
    return started


async def start(
    client: Client,
    workflow_id: str,
    opening: Opening,
    runbook: RunbookConfig,
    task_queue: str,
    *,
    alerts: tuple[Alert, ...] = (),
    patience: timedelta = NUMBER_PATIENCE,
) -> Started:
    """Start the incident, or tell the one that runs, in one atomic call."""
    handle = await client.start_workflow(
        INCIDENT_WORKFLOW,
        IncidentInput(opening=opening, runbook=runbook, history_limit=runbook.durability.history_events),
        id=workflow_id,
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal=ALERT_FIRED,
        start_signal_args=[AlertBatch(alerts=alerts)],
        search_attributes=at_start(opening),
        priority=priority_of(runbook.rank(opening.severity)),
        static_summary=cut_bytes(f"{opening.severity} {opening.service}: {opening.title}", _SUMMARY),
        static_details=_HOW_TO,
        rpc_timeout=_RPC,
    )
    run_id, created = handle.result_run_id, _is_new(handle)
    # That run and no later one of the same id; its search attributes keep the number when it continues as new.
    number = await _number(client.get_workflow_handle(workflow_id, run_id=run_id), patience)
    action = "opened" if created else "updated"
    return Started(workflow_id=workflow_id, run_id=run_id, number=number, created=created, action=action)


def _is_new(handle: WorkflowHandle[Any, Any]) -> bool:
    """Tell whether the start opened a new incident.

    The server's response says so. temporalio 1.35 keeps it on the handle, but not in public; the public way is a
    `describe` after each start, which took 18 % of the gateway's time.
    """
    response = handle._start_workflow_response
    return response is not None and response.started


async def _signal_ended(client: Client, workflow_id: str, alerts: tuple[Alert, ...], patience: timedelta) -> Started:
    """Tell a running incident that its alerts ended; without one, nothing is opened (behaviour 5)."""
    handle = client.get_workflow_handle(workflow_id)
    try:
        await handle.signal(ALERT_RESOLVED, AlertBatch(alerts=alerts), rpc_timeout=_RPC)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return Started(workflow_id=workflow_id, run_id=None, number=None, created=False, action="ignored")
    run = await _numbered(handle, patience)
    run_id, number = (run.run_id, run.typed_search_attributes.get(NUMBER)) if run else (None, None)
    return Started(workflow_id=workflow_id, run_id=run_id, number=number, created=False, action="updated")


async def _number(handle: WorkflowHandle[Any, Any], patience: timedelta) -> int | None:
    """Return the incident's number, once a worker has given it; None if none does in time."""
    run = await _numbered(handle, patience)
    return run.typed_search_attributes.get(NUMBER) if run else None


async def _numbered(handle: WorkflowHandle[Any, Any], patience: timedelta) -> WorkflowExecutionDescription | None:
    """Return what the server knows of the run, once that includes a number, or at the end of `patience`.

    The number is a search attribute, so no worker is asked. None without patience, or if the server does not answer.
    """
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + patience.total_seconds(), _FIRST_PAUSE
    run = None
    while (left := until - loop.time()) > 0:
        try:
            run = await handle.describe(rpc_timeout=timedelta(seconds=left))
        except RPCError:  # it is with Temporal already: only its number is not known here
            return run
        if run.typed_search_attributes.get(NUMBER) is not None or run.status is not WorkflowExecutionStatus.RUNNING:
            return run
        await asyncio.sleep(min(pause, max(until - loop.time(), 0)))
        pause = min(pause * 2, _LONGEST_PAUSE)
    return run


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
        opening = None
        alerts: tuple[Alert, ...] = ()
        if (source is None) == (title is None):
            raise InvalidInput("pass an alert file (or - for stdin), or --title with --service and --severity")
        if title is not None:
            if not one_line(title, 200) or not one_line(service or "", 200) or not severity.strip():
                raise InvalidInput("--title needs --service and --severity")
            declared = runbook.severity_named(severity)
            if declared is None:
                typed = one_line(severity, 40)
                raise InvalidInput(f"no severity {typed!r}, the runbook has {', '.join(runbook.severity_names)}")
            opening = by_hand(title, service or "", environment, declared, by or _login(), drill, private)
        elif source is not None:
            alerts = parse_alerts(read_payload(source), datetime.now(UTC))
        if explain_fingerprint:
            print("\n".join(explain(alerts, runbook.intake)))
            return 0
        client = await connect(settings)
        queue = settings.temporal_task_queue
        results = (
            [await start(client, *opening, runbook, queue)] if opening else await intake(client, alerts, runbook, queue)
        )
        _report(results, as_json)
        return 0

    run_and_exit(run(), problems=(InvalidInput, MalformedAlert))


if __name__ == "__main__":
    app()

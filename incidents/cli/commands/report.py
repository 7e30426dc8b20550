"""`incident report`: the SLA report, from Temporal's visibility and the stored records."""

import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table
from temporalio.client import Client

from incidents.app.runbook_file import load_runbook
from incidents.app.settings import load_settings
from incidents.cli.help import Subcommands
from incidents.cli.output.list_views import text
from incidents.cli.runner import (
    console,
    dump,
    run,
    say,
)
from incidents.client.asking import ask
from incidents.client.lookup import handle_of, is_open, label, list_incidents
from incidents.client.problems import NoAnswer, NotFound
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.errors import RunbookError
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.incident.incident import Incident
from incidents.domain.reporting import pages
from incidents.domain.reporting.record import PostmortemRecord, Record, record_of
from incidents.domain.reporting.report import Report, report
from incidents.names import INCIDENT_QUERY
from incidents.search_attributes import NUMBER

app = Subcommands()


class Format(StrEnum):
    """Output format of the report."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


class Damaged(RunbookError):
    """A stored record cannot be read."""


@app.command("report")
def sla_report(
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="First day, UTC; default: 30 days ago")] = "",
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="Last day, UTC; default: today")] = "",
    service: Annotated[str, typer.Option(help="Only this service")] = "",
    plan: Annotated[str, typer.Option(help="Only this SLA plan")] = "",
    how: Annotated[Format, typer.Option("--format", help="Output format")] = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json")] = False,
    url: Annotated[str, typer.Option(help="Evidence store; default: EVIDENCE_URL", show_default=False)] = "",
) -> None:
    """Report MTTD, MTTA, MTTM, MTTR and SLA attainment for a period."""
    today = datetime.now(UTC).date()
    first, last = _day("--from", since, today - timedelta(days=30)), _day("--to", until, today)
    if first > last:
        raise typer.BadParameter(f"--from {first} is after --to {last}")
    runbook = load_runbook(load_settings())
    if plan and plan.casefold() not in {name.casefold() for name in runbook.sla}:
        raise typer.BadParameter(f"--plan: {plan!r} is not a plan in runbook.yaml (sla: {', '.join(runbook.sla)})")

    async def work(client: Client) -> None:
        at = datetime.now(UTC)
        records, postmortems, unknown = await gather(client, runbook, url or load_settings().evidence_url, at)
        begin, end = (datetime.combine(day, time(), UTC) for day in (first, last + timedelta(days=1)))
        found = report(records, postmortems, runbook, begin, end, at, service=service, plan=plan, unknown=unknown)
        _print(found, Format.JSON if as_json else how)

    run(work)


def _day(option: str, typed: str, default: date) -> date:
    try:
        return date.fromisoformat(typed) if typed else default
    except ValueError:
        raise typer.BadParameter(f"{option}: {typed!r} is not a date, such as 2026-12-31") from None


async def gather(
    client: Client, runbook: RunbookConfig, url: str, at: datetime
) -> tuple[list[Record], list[PostmortemRecord], tuple[int, ...]]:
    """Return the records of all incidents and post-mortems, and the numbers of incidents without data.

    Closed incidents come from the stored records; open ones, and closed ones without a record, are queried.
    """
    records, postmortems = load_records(url)
    numbers = {record.number for record in records}
    unknown = []
    for execution in await list_incidents(client, everything=True):
        number = execution.typed_search_attributes.get(NUMBER)
        if number is None or (number in numbers and not is_open(execution)):
            continue
        try:
            incident: Incident = await ask(handle_of(client, execution), INCIDENT_QUERY, Incident, label(execution))
        except (NoAnswer, NotFound):
            if number not in numbers:
                unknown.append(number)
            continue
        records = [record for record in records if record.number != number]
        records.append(record_of(incident, runbook, at))
    return records, postmortems, tuple(sorted(unknown))


def load_records(url: str) -> tuple[list[Record], list[PostmortemRecord]]:
    """Load the records that are stored beside the evidence.

    Raises:
        Damaged: a record cannot be read.
    """
    from incidents.vendors.storage import FileStore  # fsspec is slow to import, and few commands need it

    store = FileStore(url)
    paths = [path for path in store.list() if path.count("/") == 1]
    records = _read(store, (path for path in paths if path.endswith("/record.json")), Record)
    postmortems = _read(store, (path for path in paths if path.endswith("/postmortem.json")), PostmortemRecord)
    return records, postmortems


def _read(store: Any, paths: Iterable[str], kind: Any) -> list[Any]:
    found = []
    for path in paths:
        try:
            found.append(kind.model_validate_json(store.read(path)))
        except ValueError as error:
            first = str(error).splitlines()[0]
            raise Damaged(f"{store.url_of(path)} is damaged ({first}). Repair it or move it away.") from None
    return found


def _print(found: Report, how: Format) -> None:
    match how:
        case Format.TABLE:
            for part in tables(found):
                console().print(part)
        case Format.JSON:
            say(dump(found))
        case Format.MARKDOWN:
            sys.stdout.write(pages.as_markdown(found))
        case Format.CSV:
            sys.stdout.write(pages.as_csv(found))
        case Format.HTML:
            sys.stdout.write(pages.as_html(found))


def tables(found: Report) -> list[Any]:
    """Return the report for a terminal."""
    title = f"Incidents from {found.since:%Y-%m-%d} to {found.last_day:%Y-%m-%d}"
    figures = Table(title=title, title_justify="left", box=None, show_header=False, pad_edge=False)
    kept = found.postmortems
    rows = {
        "incidents": f"{len(found.lines)} ({_counts(found.by_severity)})",
        "by cause": _counts(found.by_cause),
        "merged": f"{found.merged} into another incident",
        "time to detect (MTTD)": pages.spread(found.detect),
        "time to acknowledge (MTTA)": pages.spread(found.acknowledge),
        "time to mitigate (MTTM)": pages.spread(found.mitigate),
        "time to resolve (MTTR)": pages.spread(found.resolve),
        "acknowledged in time": f"{found.acknowledged.on_time} of {found.acknowledged.of}",
        "status updates in time": f"{found.updates.on_time} of {found.updates.of}",
        "post-mortems": f"{kept.owed} due, {kept.done} done, {kept.open} open, {kept.waived} waived, {kept.late} late",
        "action items": f"{found.items.open} open, {found.items.overdue} overdue, {found.items.done} done",
    }
    for name, value in rows.items():
        figures.add_row(name, text(value))
    uptime = Table("plan", "region", "SLA", "attained", "downtime", "", box=None, pad_edge=False)
    for a in found.attainment:
        style = "" if a.kept else "bold red"
        lost = in_words(a.downtime)
        cells = (a.plan, a.region, f"{a.promised} %", f"{a.shown} %", lost, "met" if a.kept else "breached")
        uptime.add_row(*cells, style=style)
    unknown = ", ".join(f"INC-{number}" for number in found.unknown)
    missing = [text(f"Not counted: {unknown} (no worker answered and no record is stored)", "yellow")]
    return [figures, "", uptime, *(missing if unknown else [])]


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in found.items()) or "none"

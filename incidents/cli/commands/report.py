"""`incident report`: the SLA report, from Temporal's visibility and the stored records."""

import sys
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table
from temporalio.client import Client

from incidents.app.evidence.records import gather
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
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.reporting import pages
from incidents.domain.reporting.report import Report, report

app = Subcommands()


class Format(StrEnum):
    """Output format of the report."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


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

"""The lists of incidents and post-mortems: tables of what visibility knows, which needs no model."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text
from temporalio.client import WorkflowExecution

from incidents.cli.output.plain import plain
from incidents.cli.output.severities import severity_style
from incidents.client.rows import Row, postmortem_row
from incidents.domain.core.time.elapsed import countdown, roughly

STATUS_STYLES = {
    "investigating": "red",
    "monitoring": "yellow",
    "resolved": "green",
    "cancelled": "dim",
    "merged": "dim",
}


def text(words: str, style: str = "") -> Text:
    """Return external text for display."""
    return Text(plain(words), style=style)


def one_line(words: str, style: str = "") -> Text:
    """Return external text as one line, truncated to the width."""
    return Text(plain(" ".join(words.split())), style=style, no_wrap=True, overflow="ellipsis")


def clock(instant: datetime) -> str:
    """Return a time in UTC, without the year."""
    return f"{instant.astimezone(UTC):%m-%d %H:%M:%S}"


_WIDE = 100
"""Cells from which a list shows commander and service, too."""
_NAME = 14
"""Cells of a name in a narrow list, as `[DRILL] INC-42`: the workflow id of one without a number is cut."""


def similar_table(rows: Sequence[Row]) -> Table:
    """Return the table of incidents that resemble one, each with the reason (`why`)."""
    table = _table(("incident", "sev", "status", "opened", "why", "title"), ("why", "title"))
    for row in rows:
        opened = datetime.fromisoformat(str(row["started_at"]))
        table.add_row(*_identity(row), f"{opened:%Y-%m-%d %H:%M}", one_line(str(row["why"])), _title(row))
    return table


def incidents_table(rows: Sequence[Row], now: datetime, width: int) -> Table:
    """Return the table of incidents, one line each: ages of the last update and of the incident, and the title.

    Args:
        rows: as `incident_rows` returns them.
        now: for ages, aware UTC.
        width: cells of a line; a wide one has room for commander and service.
    """
    wide = ("commander", "service") if width >= _WIDE else ()
    table = _table(("incident", "sev", "status", "updated", "open for", *wide, "title"), ("service", "title"))
    table.columns[0].max_width = None if wide else _NAME
    for row in rows:
        until = datetime.fromisoformat(str(row["ended_at"])) if row["ended_at"] else now
        more = (one_line(str(row["commander"] or "unassigned")), one_line(str(row["service"] or ""))) if wide else ()
        open_for = roughly(until - datetime.fromisoformat(str(row["started_at"])))
        table.add_row(*_identity(row), _updated(row, now), open_for, *more, _title(row))
    return table


def _table(names: Sequence[str], shrinking: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=name not in (*shrinking, "incident"))
    return table


def _identity(row: Row) -> tuple[Text, Text, Text]:
    """Return name, severity and status."""
    name = f"INC-{row['number']}" if row["number"] else str(row["workflow_id"])
    severity, status = str(row["severity"] or "?"), str(row["status"] or "?")
    return (
        one_line(f"[DRILL] {name}" if row["drill"] else name),
        text(severity, severity_style(severity)),
        text(status, STATUS_STYLES.get(status, "")),
    )


def _updated(row: Row, now: datetime) -> Text:
    """Return the age of the last status update; in red if the next one is overdue."""
    age = roughly(now - datetime.fromisoformat(str(row["last_update_at"]))) + " ago" if row["last_update_at"] else "-"
    return text("overdue" if row["update_overdue"] else age, "bold red" if row["update_overdue"] else "")


def _title(row: Row) -> Text:
    """Return the title; of an incident that was opened without its memo, the service."""
    return one_line(str(row["title"] or row["service"] or ""))


def overdue_table(executions: Sequence[WorkflowExecution], now: datetime) -> Table:
    """Return the table of overdue post-mortems, one row each."""
    table = Table("incident", "sev", "service", "due", "", box=None, pad_edge=False)
    for execution in executions:
        row = postmortem_row(execution)
        due = datetime.fromisoformat(str(row["due"])) if row["due"] else execution.start_time
        severity = str(row["severity"] or "?")
        styled = text(severity, severity_style(severity))
        late = text(countdown(due, now), "bold red")
        table.add_row(f"INC-{row['number']}", styled, one_line(str(row["service"] or "")), f"{clock(due)} UTC", late)
    return table

"""The lists of incidents and post-mortems: tables of what visibility knows, which needs no model."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text
from temporalio.client import WorkflowExecution

from incidents.cli.output.plain import plain
from incidents.cli.output.severities import severity_style
from incidents.cli.rows import incident_row, overdue_row
from incidents.domain.core.elapsed import in_words

STATUS_STYLES = {"investigating": "red", "monitoring": "yellow", "resolved": "green", "cancelled": "dim"}


def text(words: str, style: str = "") -> Text:
    """Return external text for display."""
    return Text(plain(words), style=style)


def one_line(words: str, style: str = "") -> Text:
    """Return external text as one line, truncated to the width."""
    return Text(plain(" ".join(words.split())), style=style, no_wrap=True, overflow="ellipsis")


def countdown(due: datetime, now: datetime) -> str:
    """Return when something is due: `in 12m`, `now`, `3m overdue`."""
    left = due - now
    if abs(left.total_seconds()) < 1:
        return "now"
    return f"in {in_words(left)}" if left.total_seconds() > 0 else f"{in_words(left)} overdue"


def clock(instant: datetime) -> str:
    """Return a time in UTC, without the year."""
    return f"{instant.astimezone(UTC):%m-%d %H:%M:%S}"


def incidents_table(executions: Sequence[WorkflowExecution], now: datetime) -> Table:
    """Return the table of incidents, one row each, from search attributes."""
    table = Table(box=None, pad_edge=False)
    for name in ("incident", "sev", "status", "service", "commander", "open for"):
        table.add_column(name, no_wrap=name in ("sev", "status", "open for"))
    for execution in executions:
        row = incident_row(execution)
        severity, status = str(row["severity"] or "?"), str(row["status"] or "?")
        until = execution.close_time or now
        name = f"INC-{row['number']}" if row["number"] else execution.id
        table.add_row(
            one_line(f"[DRILL] {name}" if row["drill"] else name),
            text(severity, severity_style(severity)),
            text(status, STATUS_STYLES.get(status, "")),
            one_line(str(row["service"] or "")),
            one_line(str(row["commander"] or "unassigned")),
            in_words(until - execution.start_time),
        )
    return table


def overdue_table(executions: Sequence[WorkflowExecution], now: datetime) -> Table:
    """Return the table of overdue post-mortems, one row each."""
    table = Table("incident", "sev", "service", "due", "", box=None, pad_edge=False)
    for execution in executions:
        row = overdue_row(execution)
        due = datetime.fromisoformat(str(row["due"])) if row["due"] else execution.start_time
        severity = str(row["severity"] or "?")
        styled = text(severity, severity_style(severity))
        late = text(countdown(due, now), "bold red")
        table.add_row(f"INC-{row['number']}", styled, one_line(str(row["service"] or "")), f"{clock(due)} UTC", late)
    return table

"""Tables of plans and differences: the worst severity of a usual runbook fits a screen of 80 by 24."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from incidents.cli.output.list_views import one_line, text
from incidents.cutting import cut
from incidents.domain.foresight.difference import Change, ChangeKind
from incidents.domain.foresight.pages import describe_change
from incidents.domain.foresight.rows import Row

_STYLES = {ChangeKind.ADDED: "green", ChangeKind.GONE: "red", ChangeKind.MOVED: "yellow", ChangeKind.TEXT: "cyan"}
_WHEN = 8
"""Cells of `T+72:00`."""
_NOTE = 120
"""Characters of a note without `texts`."""


def plan_table(rows: Sequence[Row], *, texts: bool = False) -> Table:
    """Return the table of a plan. `texts`: each message in full, below its row. What a fact came to is always there."""
    table = Table(box=None, pad_edge=False, show_header=False, expand=True)
    table.add_column(min_width=_WHEN, no_wrap=True)
    table.add_column(ratio=5)
    table.add_column(ratio=2)
    for row in rows:
        first, _, repeats = row.when.partition(" ")
        lines: list[RenderableType] = [text(row.what)]
        lines += [text(f"  {repeats}", "dim")] if repeats else []
        note = row.note if texts else cut(row.note, _NOTE)
        lines += [Padding(text(note, "yellow"), (0, 0, 0, 2))] if note else []
        lines += [text(f"{each.rstrip()}\n", "dim") for each in row.texts if texts]
        table.add_row(first, Group(*lines), one_line(row.to, "dim"))
    return table


def difference_table(changes: Sequence[Change]) -> Table:
    """Return the table of a difference: what it is about, and how it differs, below each other."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for change in changes:
        to = f" ({change.recipient})" if change.recipient else ""
        what = Group(text(f"{change.obligation}{to}"), text(f"  {describe_change(change)}", "dim"))
        table.add_row(text(change.kind.value, _STYLES[change.kind]), what)
    return table

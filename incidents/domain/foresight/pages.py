"""Render plans and differences as Markdown, a Mermaid diagram, or one self-contained HTML page."""

from collections.abc import Iterator, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from incidents.cutting import cut
from incidents.domain.core.text.escaping import github_line, html_value, mermaid_label
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.foresight.difference import Change, ChangeKind
from incidents.domain.foresight.plan import Plan
from incidents.domain.foresight.rows import Row, plan_rows

_EXCERPT = 120
"""Characters of a text in a table."""
_PAGES = Environment(
    loader=PackageLoader("incidents.domain.foresight"),
    undefined=StrictUndefined,
    autoescape=True,
    finalize=html_value,
)


def heading(plan: Plan) -> str:
    """Return what a plan is of, in one line."""
    region = f" in {plan.region}" if plan.region else ""
    return f"{plan.severity} of {plan.service}{region}, alert at {plan.start:%Y-%m-%d %H:%M} UTC"


def describe_change(change: Change) -> str:
    """Return how something differs, in one line."""
    match change.kind:
        case ChangeKind.ADDED:
            return f"new: {change.after}"
        case ChangeKind.GONE:
            return f"gone: {change.before}"
        case ChangeKind.MOVED:
            return f"{change.before} → {change.after}{_shift(change)}"
        case ChangeKind.TEXT:
            return f"text: {_line(change.before) or 'none'} → {_line(change.after) or 'none'}"


def _shift(change: Change) -> str:
    if change.by is None:
        return ""
    return f" ({in_words(change.by)} {'later' if change.by.total_seconds() > 0 else 'earlier'})"


def _line(text: str) -> str:
    return cut(" ".join(text.split()), _EXCERPT)


def plan_markdown(plan: Plan, *, everything: bool = False) -> str:
    """Return a plan as Markdown with one table."""
    rows = (
        [r.when, r.what, ", ".join(r.channels), r.to, _line(r.excerpt)] for r in plan_rows(plan, everything=everything)
    )
    head = ["When", "What", "Channel", "To", "Text"]
    return "\n".join([f"### {github_line(heading(plan))}", "", *_table(head, rows), ""])


def difference_markdown(plan: Plan, changes: Sequence[Change]) -> str:
    """Return a difference as Markdown with one table. `plan`: of the new runbook."""
    lines = [f"### {github_line(heading(plan))}", ""]
    if not changes:
        return "\n".join([*lines, "No difference.", ""])
    rows = ([c.kind.value, c.obligation, c.channel, c.recipient, describe_change(c)] for c in changes)
    return "\n".join([*lines, *_table(["", "What", "Channel", "To", "Change"], rows), ""])


def _table(head: Sequence[str], rows: Iterator[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(github_line(cell) for cell in row)} |"


def plan_mermaid(plan: Plan, *, everything: bool = False) -> str:
    """Return what a plan sends, and what the scenario states, as a Mermaid sequence diagram."""
    shown = [row for row in plan_rows(plan, everything=everything) if row.recipients or row.is_fact]
    names = list(dict.fromkeys(name for row in shown for name in row.recipients))
    lines = ["sequenceDiagram", "  participant I as Incident"]
    lines += [f"  participant R{number} as {mermaid_label(name)}" for number, name in enumerate(names)]
    for row in shown:
        lines += [f"  Note over I: {_mermaid_message(row)}"] if row.is_fact else []
        lines += [f"  I->>R{names.index(name)}: {_mermaid_message(row)}" for name in row.recipients]
    return "\n".join([*lines, ""])


def _mermaid_message(row: Row) -> str:
    """Return a message without what Mermaid reads as syntax; a time keeps its colon."""
    note = f" ({mermaid_label(row.note)})" if row.note else ""
    return f"{row.when} {mermaid_label(row.what)}{note}"


def plan_html(plan: Plan, *, everything: bool = False) -> str:
    """Return a plan as one self-contained HTML page."""
    rows = plan_rows(plan, everything=everything)
    return _PAGES.get_template("plan.html.j2").render(heading=heading(plan), product=plan.product, rows=rows)


def difference_html(plan: Plan, changes: Sequence[Change]) -> str:
    """Return a difference as one self-contained HTML page."""
    rows = [(change, describe_change(change)) for change in changes]
    return _PAGES.get_template("difference.html.j2").render(heading=heading(plan), product=plan.product, rows=rows)

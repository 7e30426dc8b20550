"""Tables and panels for the terminal, rendered from the incident alone.

Incident text may come from outside, so it is never rendered as markup or control characters.
"""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from incidents.cli.list_views import STATUS_STYLES, clock
from incidents.cli.list_views import countdown as countdown
from incidents.cli.list_views import one_line as one_line
from incidents.cli.list_views import text as text
from incidents.cli.output.severities import severity_style
from incidents.domain.core.time.duration import in_words
from incidents.domain.core.timeline import Entry
from incidents.domain.evidence.manifest import Part
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.summary import links, people_line
from incidents.domain.obligation import Obligation
from incidents.domain.postmortem.current_details import item_line
from incidents.domain.postmortem.document.sections import ActionItem
from incidents.domain.postmortem.postmortem import Postmortem
from incidents.domain.registry import up_next
from incidents.domain.rollback.state import RollbackStatus

_ROLLBACK_STYLES = {
    RollbackStatus.HEALTHY: "green",
    RollbackStatus.UNHEALTHY: "bold red",
    RollbackStatus.FAILED: "bold red",
    RollbackStatus.OFFERED: "yellow",
    RollbackStatus.EXPIRED: "yellow",
    RollbackStatus.HELD: "yellow",
    RollbackStatus.UNDECIDED: "yellow",
    RollbackStatus.INCONCLUSIVE: "yellow",
}
_MARKS = {StepStatus.PENDING: "☐", StepStatus.DONE: "☑", StepStatus.SKIPPED: "–", StepStatus.FAILED: "✗"}
_STEP_STYLES = {StepStatus.DONE: "green", StepStatus.FAILED: "bold red", StepStatus.SKIPPED: "dim"}
_OBLIGATIONS = 6
_ENTRIES = 12
_TALL = 36
"""Terminal rows from which `_OBLIGATIONS` obligations fit; a smaller terminal shows half of them."""


def _columns(table: Table, kinds: str) -> Table:
    """Add columns to a table: `f`ixed ones never wrap, `s`hrinking ones do."""
    for kind in kinds:
        table.add_column(no_wrap=kind == "f")
    return table


def header(incident: Incident) -> Text:
    """Return the incident's headline, colored by severity and status."""
    severity, status = str(incident.severity), str(incident.status)
    parts = (
        text(incident.name),
        text(severity, severity_style(severity)),
        text(status, STATUS_STYLES.get(status, "")),
        text(" ".join(incident.title.split())),
    )
    line = Text(" · ").join(parts)
    line.stylize_before("bold")
    return line


def checklist_table(incident: Incident, *, brief: bool = False) -> Table:
    """Return the checklist; with `brief`, one line per step."""
    table = _columns(Table(box=None, show_header=False, pad_edge=False), "fffs")
    show = one_line if brief else text
    for number, state in enumerate(incident.steps, 1):
        status = StepStatus(state.status)
        style = _STEP_STYLES.get(status, "")
        table.add_row(Text(_MARKS[status], style=style), f"{number}", state.title, show(state.detail, "dim"))
    return table


def agenda_table(obligations: Sequence[Obligation], now: datetime, limit: int = _OBLIGATIONS) -> Table:
    """Return the next obligations with countdowns, one line each."""
    table = _columns(Table(box=None, show_header=False, pad_edge=False), "fs")
    shown = up_next(obligations)[:limit]
    for obligation in shown:
        late = obligation.due < now
        table.add_row(Text(countdown(obligation.due, now), style="red" if late else "cyan"), one_line(obligation.says))
    if not shown:
        table.add_row("", Text("nothing", style="dim"))
    return table


def timeline_table(entries: Sequence[Entry], limit: int | None = None, *, brief: bool = False) -> Table:
    """Return the timeline, newest last; with `brief`, one line per entry."""
    table = _columns(Table(box=None, show_header=False, pad_edge=False), "ffs")
    table.columns[1].max_width = 20
    show = one_line if brief else text
    for entry in entries[-limit:] if limit else entries:
        table.add_row(Text(clock(entry.at), style="dim"), one_line(entry.actor, "magenta"), show(entry.text))
    return table


def timeline_line(entry: Entry) -> Text:
    """Return one timeline entry as a line."""
    words = text(" ".join(entry.text.split()))
    return Text("  ").join((Text(clock(entry.at), style="dim"), text(entry.actor, "magenta"), words))


def rollback_lines(incident: Incident) -> list[Text]:
    """Return one line per rollback."""
    lines = []
    for state in incident.rollbacks:
        offer = state.offer
        versions = f" {offer.suspect.version} → {offer.candidate.version}" if offer.suspect and offer.candidate else ""
        detail = state.detail or state.progress or offer.reason
        style = _ROLLBACK_STYLES.get(state.status, "")
        lines.append(text(f"Rollback {offer.cluster}{versions} · {state.status} · {detail}", style))
    return lines


def candidates_table(incident: Incident) -> Table:
    """Return the rollback candidates by cluster, each with the reason."""
    table = Table("cluster", "version", "deployed", "status", "", "reason", box=None, pad_edge=False)
    for state in incident.rollbacks:
        offer = state.offer
        if offer.suspect is not None:
            suspect = offer.suspect
            cells = (offer.cluster, suspect.version, clock(suspect.started_at), suspect.status, "suspect", offer.reason)
            table.add_row(*(text(cell) for cell in cells), style="yellow")
        for seen in offer.considered:
            row, word = seen.deployment, "selected" if seen.taken else "skipped"
            cells = (offer.cluster, row.version, clock(row.started_at), row.status, word, seen.reason)
            table.add_row(*(text(cell) for cell in cells), style="green" if seen.taken else "dim")
    return table


def evidence_table(parts: Sequence[Part]) -> Table:
    """Return the evidence files and the missing sources."""
    table = Table("file", "source", "bytes", "SHA-256", box=None, pad_edge=False)
    for part in parts:
        size = "" if part.gap else f"{part.bytes:,}"
        proof = text(f"missing ({part.gap})", "yellow") if part.gap else text(part.sha256[:16])
        table.add_row(text(part.name), text(part.source), size, proof)
    return table


def incident_view(
    incident: Incident, obligations: Sequence[Obligation], now: datetime, *, rows: int | None = None, note: str = ""
) -> RenderableType:
    """Return the incident screen. With `rows` (at least 26), it fits a terminal of that height.

    `note`: a warning about the view itself, such as that it is stale.
    """
    brief = rows is not None
    about = _about(incident, now)
    for line in about:
        line.no_wrap, line.overflow = brief, "ellipsis"
    most, entries = _OBLIGATIONS, _ENTRIES
    if rows is not None:
        most = _OBLIGATIONS if rows >= _TALL else _OBLIGATIONS // 2
        shown = len(up_next(obligations))
        fixed = (len(about) + 2) + 9 + (min(max(shown, 1), most) + 2) + 2 + bool(note)
        entries = max(rows - fixed, 1)
    show = one_line if brief else text
    return Group(
        Panel(Group(*about), title=header(incident), title_align="left"),
        Panel(checklist_table(incident, brief=brief), title="First response", title_align="left"),
        Panel(agenda_table(obligations, now, most), title="Up next", title_align="left"),
        Panel(timeline_table(incident.timeline, entries, brief=brief), title="Timeline (UTC)", title_align="left"),
        *([show(note, "yellow")] if note else ()),
    )


def _about(incident: Incident, now: datetime) -> list[Text]:
    since = f"since {clock(incident.started_at)} UTC, {in_words(now - incident.started_at)} ago"
    lines = [text(f"{incident.service} ({incident.environment}) · {since}"), text(people_line(incident))]
    if incident.assessment is not None:
        lines.append(text(f"Impact: {' '.join(incident.assessment.impact.split())}"))
    return [*lines, *rollback_lines(incident), *(text(link, "dim") for link in links(incident))]


def postmortem_view(postmortem: Postmortem, now: datetime) -> RenderableType:
    """Return the post-mortem screen: stage, deadline, missing sections, action items."""
    left = "" if postmortem.over or postmortem.due is None else f" · {countdown(postmortem.due, now)}"
    due = f"{clock(postmortem.due)} UTC" if postmortem.due else "48 h after resolution"
    lines = [
        text(f"Owner {postmortem.owner} · due {due}{left}"),
        text(f"Draft: {postmortem.draft_url or 'not written yet'}"),
    ]
    if postmortem.proposal_url:
        lines.append(text(f"Pull request: {postmortem.proposal_url}"))
    if postmortem.document_url:
        lines.append(text(f"Published: {postmortem.document_url}"))
    if postmortem.review_at and not postmortem.reviewed_at:
        lines.append(text(f"Review: {clock(postmortem.review_at)} UTC"))
    if not postmortem.over:
        lines += [text(f"Missing: {fault}", "yellow") for fault in postmortem.lacks]
    lines += [_item_line(item) for item in postmortem.document.items]
    title = Text(f"Post-mortem of INC-{postmortem.number} · {postmortem.stage}", style="bold")
    return Panel(Group(*lines, timeline_table(postmortem.timeline, _ENTRIES)), title=title, title_align="left")


def _item_line(item: ActionItem) -> Text:
    """Return an action item as a line, colored by its state."""
    return text(f"Action item {item_line(item)}", "green" if item.settled else "yellow" if item.flag else "")

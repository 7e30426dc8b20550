"""Tables and panels for the terminal, rendered from the incident alone.

Incident text may come from outside, so it is never rendered as markup or control characters.
"""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from incidents.cli.output.list_views import clock, one_line, text
from incidents.cli.output.screen import columns
from incidents.domain.core.time.elapsed import countdown
from incidents.domain.core.timeline import Entry
from incidents.domain.evidence.manifest import Part
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem.current_details import item_line
from incidents.domain.postmortem.document.sections import ActionItem
from incidents.domain.postmortem.postmortem import Postmortem

_ENTRIES = 12


def timeline_table(entries: Sequence[Entry]) -> Table:
    """Return the timeline, newest last."""
    table = columns("ffs")
    table.columns[1].max_width = 20
    for entry in entries:
        table.add_row(Text(clock(entry.at), style="dim"), one_line(entry.actor, "magenta"), text(entry.text))
    return table


def timeline_line(entry: Entry) -> Text:
    """Return one timeline entry as a line."""
    words = text(" ".join(entry.text.split()))
    return Text("  ").join((Text(clock(entry.at), style="dim"), text(entry.actor, "magenta"), words))


def candidates_table(incident: Incident) -> Table:
    """Return the rollback candidates by cluster, each with the reason."""
    table = Table("cluster", "version", "deployed", "status", "", "reason", box=None, pad_edge=False)
    for state in incident.rollback.clusters:
        offer = state.offer
        if offer.suspect is not None:
            suspect = offer.suspect
            cells = (offer.cluster, suspect.version, clock(suspect.started_at), suspect.status, "suspect", offer.reason)
            table.add_row(*(text(cell) for cell in cells), style="yellow")
        for seen in offer.considered:
            row, word = seen.deployment, "selected" if seen.selected else "skipped"
            cells = (offer.cluster, row.version, clock(row.started_at), row.status, word, seen.reason)
            table.add_row(*(text(cell) for cell in cells), style="green" if seen.selected else "dim")
    return table


def evidence_table(parts: Sequence[Part]) -> Table:
    """Return the evidence files and the missing sources."""
    table = Table("file", "source", "bytes", "SHA-256", box=None, pad_edge=False)
    for part in parts:
        size = "" if part.gap else f"{part.bytes:,}"
        proof = text(f"missing ({part.gap})", "yellow") if part.gap else text(part.sha256[:16])
        table.add_row(text(part.name), text(part.source), size, proof)
    return table


def postmortem_view(postmortem: Postmortem, now: datetime) -> RenderableType:
    """Return the post-mortem screen: stage, deadline, missing sections, action items."""
    left = "" if postmortem.over or postmortem.due is None else f" · {countdown(postmortem.due, now)}"
    due = f"{clock(postmortem.due)} UTC" if postmortem.due else "set at resolution"
    lines = [
        text(f"Owner {postmortem.owner} · due {due}{left}"),
        text(f"Draft: {postmortem.draft_url or 'not written yet'}"),
    ]
    if postmortem.repository.proposal_url:
        lines.append(text(f"Pull request: {postmortem.repository.proposal_url}"))
    if postmortem.document_url:
        lines.append(text(f"Published: {postmortem.document_url}"))
    if postmortem.review.at and not postmortem.review.reviewed_at:
        lines.append(text(f"Review: {clock(postmortem.review.at)} UTC"))
    if not postmortem.over:
        lines += [text(f"Missing: {fault}", "yellow") for fault in postmortem.lacks]
    lines += [_item_line(item) for item in postmortem.document.items]
    title = Text(f"Post-mortem of INC-{postmortem.number} · {postmortem.stage}", style="bold")
    return Panel(Group(*lines, timeline_table(postmortem.timeline[-_ENTRIES:])), title=title, title_align="left")


def _item_line(item: ActionItem) -> Text:
    """Return an action item as a line, colored by its state."""
    return text(f"Action item {item_line(item)}", "green" if item.settled else "yellow" if item.flag else "")

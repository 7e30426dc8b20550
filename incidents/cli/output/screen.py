"""The screen of one incident, which fits the terminal: header, checklist, what is up next, newest entries.

Incident text may come from outside, so it is never rendered as markup or control characters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Console, ConsoleOptions, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from incidents.cli.output.list_views import STATUS_STYLES, one_line, text
from incidents.cli.output.newest import newest_table
from incidents.cli.output.severities import severity_style
from incidents.client.watching.retries import Retry, retries_title
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.display.glance import (
    StepRow,
    age_line,
    checklist_progress,
    decision_command,
    open_step_rows,
    rollback_parts,
    step_rows,
    up_next_rows,
)
from incidents.domain.incident.display.summary import MARKS, headline_parts, links, people_line, related, warnings
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
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
_STEP_STYLES = {StepStatus.DONE: "green", StepStatus.FAILED: "bold red", StepStatus.SKIPPED: "dim"}
_OBLIGATIONS = 6
_ENTRY_LINES = 24
"""Lines of the timeline on a screen without a height."""
_BRIEF_RETRIES = 1
"""Retries on a screen of limited height."""
_TALL = 36
"""Terminal rows from which `_OBLIGATIONS` obligations fit; a smaller terminal shows half of them."""
_LEAST = 5
"""Rows of the timeline that links give way to."""


def header(incident: Incident) -> Text:
    """Return the incident's headline, colored by severity and status."""
    styles = {
        "severity": severity_style(str(incident.severity)),
        "status": STATUS_STYLES.get(incident.shown_status, ""),
    }
    line = Text(" · ").join(text(words, styles.get(part, "")) for part, words in headline_parts(incident).items())
    line.stylize_before("bold")
    return line


def status_lines(incident: Incident, obligations: Sequence[Obligation], now: datetime) -> list[Text]:
    """Return how the incident stands: headline, what it is about, and what is due next. Each is cut to the width."""
    following = [
        text(f"{'Next ' if row.when.startswith('in ') else ''}{row.when}: {row.summary}", "red" if row.late else "cyan")
        for row in up_next_rows(obligations, now)[:1]
    ]
    lines = [*_about(incident, now), *following]
    return [_cut(header(incident)), *(_cut(Text("  ").append_text(line)) for line in lines)]


def rollback_lines(incident: Incident) -> list[Text]:
    """Return one line per rollback."""
    lines = []
    for state in incident.rollback.clusters:
        parts = rollback_parts(state, decision_command(incident, state))
        lines.append(text(" · ".join(parts), _ROLLBACK_STYLES.get(state.status, "")))
    return lines


def checklist_table(rows: Sequence[StepRow], *, brief: bool = False) -> Table:
    """Return steps of the checklist; with `brief`, one line per step."""
    table = columns("fffs")
    show = one_line if brief else text
    for row in rows:
        mark = Text(MARKS[row.status], style=_STEP_STYLES.get(row.status, ""))
        table.add_row(mark, f"{row.number}", row.title, show(row.detail, "dim"))
    return table


def agenda_table(obligations: Sequence[Obligation], now: datetime, limit: int = _OBLIGATIONS) -> Table:
    """Return the next obligations with countdowns, one line each."""
    table = columns("fs")
    shown = up_next_rows(obligations, now)[:limit]
    for row in shown:
        table.add_row(Text(row.when, style="red" if row.late else "cyan"), one_line(row.summary))
    if not shown:
        table.add_row("", Text("nothing", style="dim"))
    return table


def retries_table(retries: Sequence[Retry], now: datetime, *, brief: bool = False) -> Table:
    """Return what failed and is tried again: when the next attempt is, how many failed, and why the last one did."""
    table = columns("fs")
    show = one_line if brief else text
    for retry in retries:
        table.add_row(Text(retry.when(now), style="yellow"), show(retry.line))
    return table


def columns(kinds: str) -> Table:
    """Return a table without lines: `f`ixed columns never wrap, `s`hrinking ones do."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for kind in kinds:
        table.add_column(no_wrap=kind == "f")
    return table


@dataclass(frozen=True)
class IncidentScreen:
    """The screen of one incident, as wide as the console. With `rows` (at least 16), it fits a terminal of that height.

    `obligations`: the incident's agenda. `now`: for countdowns, aware UTC. `retries`: what failed and is tried again.
    `rows`: the terminal's height; None for no limit. `note`: a warning about the view itself, such as its age.
    """

    incident: Incident
    obligations: Sequence[Obligation]
    now: datetime
    retries: Sequence[Retry] = field(default=(), kw_only=True)
    rows: int | None = field(default=None, kw_only=True)
    note: str = field(default="", kw_only=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the screen from top to bottom."""
        if self.rows is None:
            yield from self._full(console, options.max_width)
        else:
            yield from self._brief(console, self.rows, options.max_width)

    def _full(self, console: Console, width: int) -> Iterator[RenderableType]:
        yield from (header(self.incident), *_about(self.incident, self.now), *_links(self.incident))
        yield from (self._checklist_rule(), checklist_table(step_rows(self.incident)))
        if self.retries:
            yield from (_rule(retries_title(self.retries)), retries_table(self.retries, self.now))
        yield from (_rule("Up next"), agenda_table(self.obligations, self.now))
        newest, shown = newest_table(console, self.incident.timeline, self.now, width, _ENTRY_LINES)
        yield from (self._timeline_rule(shown), newest)
        if self.note:
            yield text(self.note, "yellow")

    def _brief(self, console: Console, rows: int, width: int) -> Iterator[RenderableType]:
        """Yield no more lines than `rows`: the timeline takes what the rest leaves, and links give way to it."""
        open_steps, retries = open_step_rows(self.incident), self.retries[:_BRIEF_RETRIES]
        most = _OBLIGATIONS if rows >= _TALL else _OBLIGATIONS // 2
        coming = min(max(len(up_next_rows(self.obligations, self.now)), 1), most)
        about = [header(self.incident), *_about(self.incident, self.now)]
        others = 1 + len(open_steps) + (1 + len(retries) if retries else 0) + (1 + coming) + 1 + bool(self.note)
        links = _links(self.incident)[: max(rows - len(about) - others - _LEAST, 0)]
        about = about[: max(rows - others - 1, 1)]
        yield from (_cut(line) for line in (*about, *links))
        yield self._checklist_rule()
        if open_steps:
            yield checklist_table(open_steps, brief=True)
        if retries:
            yield from (_rule(retries_title(retries)), retries_table(retries, self.now, brief=True))
        yield from (_rule("Up next"), agenda_table(self.obligations, self.now, most))
        room = max(rows - len(about) - len(links) - others, 1)
        newest, shown = newest_table(console, self.incident.timeline, self.now, width, room)
        yield from (self._timeline_rule(shown), newest)
        if self.note:
            yield one_line(self.note, "yellow")

    def _checklist_rule(self) -> Rule:
        return _rule(f"Checklist: {checklist_progress(self.incident)}")

    def _timeline_rule(self, shown: int) -> Rule:
        older = self.incident.timeline[-1].sequence - shown if self.incident.timeline else 0
        more = f", {older} older: `incident timeline {self.incident.number}`" if older and self.incident.number else ""
        return _rule(f"Timeline (UTC), newest first{more}")


def _rule(title: str) -> Rule:
    return Rule(Text(title, style="bold"), align="left", style="dim")


def _cut(line: Text) -> Text:
    """Return the line, to be cut at the width."""
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _about(incident: Incident, now: datetime) -> list[Text]:
    """Return what responders must know first, one line each: warnings, ages, people, impact, rollbacks."""
    lines = [text(line, "bold red") for line in warnings(incident)]
    lines += [text(age_line(incident, now))]
    waits = incident.acknowledged_at is None and not incident.over
    lines += [text(people_line(incident), "yellow" if waits else ""), *(text(line) for line in related(incident))]
    if incident.assessment is not None:
        lines.append(text(f"Impact: {' '.join(incident.assessment.impact.split())}"))
    return [*lines, *rollback_lines(incident)]


def _links(incident: Incident) -> list[Text]:
    return [text(link, "dim") for link in links(incident)]

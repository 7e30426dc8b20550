"""What the terminal shows: tables and panels, made of the incident and of nothing else."""

from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from temporalio.client import WorkflowExecution

from runbook.agenda import HOUSEKEEPING, Obligation
from runbook.checklist import StepStatus
from runbook.duration import in_words
from runbook.incident import Incident
from runbook.postmortem import Postmortem
from runbook.summary import headline, links, people_line
from runbook.timeline import Entry
from workflows import attributes

_SEVERITY_STYLES = {"P0": "bold white on red", "P1": "bold red", "P2": "yellow", "P3": "cyan"}
_STATUS_STYLES = {"investigating": "red", "monitoring": "yellow", "resolved": "green", "cancelled": "dim"}
_MARKS = {StepStatus.PENDING: "☐", StepStatus.DONE: "☑", StepStatus.SKIPPED: "–", StepStatus.FAILED: "✗"}
_STEP_STYLES = {StepStatus.DONE: "green", StepStatus.FAILED: "bold red", StepStatus.SKIPPED: "dim"}
_DUTIES = 6
_ENTRIES = 12


def countdown(due: datetime, now: datetime) -> str:
    """Say when something is due: `in 12m`, `now`, `3m overdue`."""
    left = due - now
    if abs(left.total_seconds()) < 1:
        return "now"
    return f"in {in_words(left)}" if left.total_seconds() > 0 else f"{in_words(left)} overdue"


def _clock(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%m-%d %H:%M:%S}"


def incidents_table(executions: list[WorkflowExecution], now: datetime) -> Table:
    """Return the list of incidents, from what visibility knows."""
    table = Table("incident", "sev", "status", "service", "commander", "open for", box=None, pad_edge=False)
    for execution in executions:
        row = incident_row(execution)
        severity, status = str(row["severity"] or "?"), str(row["status"] or "?")
        until = execution.close_time or now
        table.add_row(
            f"INC-{row['number']}" if row["number"] else execution.id,
            Text(severity, style=_SEVERITY_STYLES.get(severity, "")),
            Text(status, style=_STATUS_STYLES.get(status, "")),
            str(row["service"] or ""),
            str(row["commander"] or "nobody yet"),
            in_words(until - execution.start_time),
        )
    return table


def incident_row(execution: WorkflowExecution) -> dict[str, str | int | bool | None]:
    """Return what visibility knows of an incident, as plain values."""
    known = {pair.key.name: pair.value for pair in execution.typed_search_attributes}
    return {
        "number": known.get(attributes.NUMBER.name),
        "workflow_id": execution.id,
        "run_id": execution.run_id,
        "severity": known.get(attributes.SEVERITY.name),
        "status": known.get(attributes.STATUS.name),
        "service": known.get(attributes.SERVICE.name),
        "commander": known.get(attributes.COMMANDER.name),
        "started_at": execution.start_time.isoformat(),
        "closed_at": execution.close_time.isoformat() if execution.close_time else None,
        "drill": bool(known.get(attributes.DRILL.name, False)),
    }


def header(incident: Incident) -> Text:
    """Return the incident's headline, coloured by severity and status."""
    text = Text(headline(incident), style="bold")
    text.highlight_words([str(incident.severity)], _SEVERITY_STYLES.get(str(incident.severity), ""))
    text.highlight_words([str(incident.status)], _STATUS_STYLES.get(str(incident.status), ""))
    return text


def checklist_table(incident: Incident) -> Table:
    """Return the seven steps."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for number, state in enumerate(incident.steps, 1):
        status = StepStatus(state.status)
        style = _STEP_STYLES.get(status, "")
        table.add_row(Text(_MARKS[status], style=style), f"{number}", state.title, Text(state.detail, style="dim"))
    return table


def agenda_table(duties: list[Obligation], now: datetime, limit: int = _DUTIES) -> Table:
    """Return what is due next, with countdowns."""
    table = Table(box=None, show_header=False, pad_edge=False)
    shown = [duty for duty in duties if duty.duty not in HOUSEKEEPING][:limit]
    for duty in shown:
        late = duty.due < now
        table.add_row(Text(countdown(duty.due, now), style="red" if late else "cyan"), duty.says)
    if not shown:
        table.add_row("", Text("nothing", style="dim"))
    return table


def timeline_table(entries: list[Entry], limit: int | None = None) -> Table:
    """Return the timeline, the newest last."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for entry in entries[-limit:] if limit else entries:
        table.add_row(Text(_clock(entry.at), style="dim"), Text(entry.actor, style="magenta"), entry.text)
    return table


def rollback_lines(incident: Incident) -> list[Text]:
    """Return one line for each rollback that was offered."""
    lines = []
    for state in incident.rollbacks:
        offer = state.offer
        versions = f"{offer.suspect.version} → {offer.candidate.version}" if offer.suspect and offer.candidate else ""
        detail = state.detail or state.progress or offer.reason
        lines.append(Text(f"Rollback {offer.cluster} {versions}: {state.status}: {detail}"))
    return lines


def incident_view(incident: Incident, duties: list[Obligation], now: datetime) -> RenderableType:
    """Return everything that matters now, on one screen."""
    about = [Text(people_line(incident)), *rollback_lines(incident)]
    if incident.assessment is not None:
        about.insert(1, Text(f"Impact: {incident.assessment.impact}"))
    about += [Text(link, style="dim") for link in links(incident)]
    return Group(
        Panel(Group(*about), title=header(incident), title_align="left"),
        Panel(checklist_table(incident), title="First response", title_align="left"),
        Panel(agenda_table(duties, now), title="Next duties", title_align="left"),
        Panel(timeline_table(list(incident.timeline), _ENTRIES), title="Timeline (UTC)", title_align="left"),
    )


def postmortem_view(postmortem: Postmortem, now: datetime) -> RenderableType:
    """Return where the post-mortem stands, and how much time is left."""
    left = "" if postmortem.over else f" · {countdown(postmortem.due, now)}"
    lines = [
        Text(f"Owner {postmortem.owner} · due {_clock(postmortem.due)} UTC{left}"),
        Text(f"Draft: {postmortem.draft_url or 'not written yet'}"),
    ]
    if postmortem.document_url:
        lines.append(Text(f"Published: {postmortem.document_url}"))
    title = f"Post-mortem of INC-{postmortem.number} · {postmortem.stage}"
    return Panel(Group(*lines, timeline_table(list(postmortem.timeline), _ENTRIES)), title=title, title_align="left")

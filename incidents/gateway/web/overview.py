"""What the front page and the list of post-mortems show: what visibility knows, so that no worker is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from temporalio.client import WorkflowExecution

from incidents.client.lookup import OVER, is_open
from incidents.client.rows import ended_at, incident_row, postmortem_row, update_overdue_since
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.time.elapsed import countdown, roughly

_DUE = 8
"""Lines of "Due next"."""
_NO_RANK = 9


@dataclass(frozen=True)
class IncidentLine:
    """One incident of a list. `rank`: the severity's, 1 for the worst. `age`: how long it has been or was open."""

    name: str
    href: str
    severity: str
    rank: int
    status: str
    service: str
    commander: str
    age: str
    is_drill: bool
    update_overdue: bool


@dataclass(frozen=True)
class DueLine:
    """Something that is due: `what` of which incident (`name`), at a time."""

    name: str
    href: str
    what: str
    at: datetime
    when: str
    late: bool


@dataclass(frozen=True)
class PostmortemLine:
    """One post-mortem of the list. `at` is None while it has no deadline."""

    name: str
    href: str
    severity: str
    rank: int
    service: str
    stage: str
    at: datetime | None
    when: str
    late: bool
    workflow_id: str
    run_id: str


def incident_href(name: str) -> str:
    """Return the address of an incident's page. `name`: its number or workflow id."""
    return f"/incidents/{quote(name, safe='')}"


def incident_line(execution: WorkflowExecution, runbook: RunbookConfig, now: datetime) -> IncidentLine:
    """Return an incident as a line of a list."""
    row = incident_row(execution, now)
    severity = str(row["severity"] or "?")
    return IncidentLine(
        name=_name(row["number"], execution.id),
        href=incident_href(str(row["number"] or execution.id)),
        severity=severity,
        rank=_rank(severity, runbook),
        status=str(row["status"] or "?"),
        service=str(row["service"] or ""),
        commander=str(row["commander"] or ""),
        age=_age(execution, now),
        is_drill=bool(row["drill"]),
        update_overdue=bool(row["update_overdue"]),
    )


def split(executions: Sequence[WorkflowExecution], now: datetime) -> tuple[list[WorkflowExecution], ...]:
    """Return the executions whose incidents are live, and those that are over, in their order."""
    over = [execution for execution in executions if incident_row(execution, now)["status"] in OVER]
    return [execution for execution in executions if execution not in over], over


def due_lines(
    incidents: Sequence[WorkflowExecution],
    postmortems: Sequence[WorkflowExecution],
    runbook: RunbookConfig,
    now: datetime,
) -> list[DueLine]:
    """Return what is due next of all incidents: status updates and post-mortems, the earliest first."""
    grace = runbook.updates.overdue_after or timedelta()
    updates = [
        (execution, "status update", since - grace)
        for execution in incidents
        if is_open(execution) and (since := update_overdue_since(execution)) is not None
    ]
    documents = [
        (execution, "post-mortem", datetime.fromisoformat(str(due)))
        for execution in postmortems
        if (due := postmortem_row(execution)["due"])
    ]
    found = sorted((*updates, *documents), key=lambda line: line[2])
    return [_due_line(execution, what, at, now) for execution, what, at in found[:_DUE]]


def postmortem_line(execution: WorkflowExecution, runbook: RunbookConfig, now: datetime) -> PostmortemLine:
    """Return a post-mortem as a line of the list."""
    row = postmortem_row(execution)
    severity, stage = str(row["severity"] or "?"), str(row["stage"] or "?")
    at = datetime.fromisoformat(str(row["due"])) if row["due"] else None
    pending = at is not None and stage in ("owed", "overdue")
    return PostmortemLine(
        name=_name(row["number"], execution.id),
        href=incident_href(str(row["number"] or execution.id)),
        severity=severity,
        rank=_rank(severity, runbook),
        service=str(row["service"] or ""),
        stage=stage,
        at=at,
        when=countdown(at, now) if at is not None and pending else "",
        late=pending and at is not None and at < now,
        workflow_id=execution.id,
        run_id=execution.run_id or "",
    )


def _age(execution: WorkflowExecution, now: datetime) -> str:
    ended = ended_at(execution)
    return f"{'lasted' if ended else 'open for'} {roughly((ended or now) - execution.start_time)}"


def _due_line(execution: WorkflowExecution, what: str, at: datetime, now: datetime) -> DueLine:
    row = postmortem_row(execution)
    name, href = _name(row["number"], execution.id), incident_href(str(row["number"] or execution.id))
    return DueLine(name, href, what, at, countdown(at, now), at < now)


def _name(number: str | int | bool | None, workflow_id: str) -> str:
    return f"INC-{number}" if number else workflow_id


def _rank(severity: str, runbook: RunbookConfig) -> int:
    return runbook.rank(severity) if severity in runbook.severities else _NO_RANK

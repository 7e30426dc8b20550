"""An incident at a glance, as plain rows: what every screen shows of it, in the terminal or on a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from incidents.domain.core.time.elapsed import clock_at, countdown, roughly
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.display.summary import step_detail
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.registry import up_next
from incidents.domain.rollback.state import RollbackState, RollbackStatus

_USUAL = "production"
"""The environment that is not named."""
_SETTLED = (StepStatus.DONE, StepStatus.SKIPPED)


@dataclass(frozen=True)
class UpNextRow:
    """One obligation with its countdown. `when`: `in 12m`, `now`, `3m overdue` or `running`. `due`: aware UTC."""

    when: str
    summary: str
    due: datetime
    late: bool = False


@dataclass(frozen=True)
class StepRow:
    """One step of the checklist. `detail`: who did it; of a failed one, why it failed and what to type."""

    number: int
    title: str
    status: StepStatus
    detail: str


def up_next_rows(obligations: Sequence[Obligation], now: datetime) -> list[UpNextRow]:
    """Return what a responder looks for among the next obligations, the earliest first."""
    return [_up_next_row(obligation, now) for obligation in up_next(obligations)]


def _up_next_row(obligation: Obligation, now: datetime) -> UpNextRow:
    due = obligation.until or obligation.due
    late = due < now
    if obligation.until is None or late:
        return UpNextRow(countdown(due, now), obligation.summary, due, late)
    return UpNextRow("running", f"{obligation.summary} (ends by {due:%H:%M:%S} UTC)", due)


def step_rows(incident: Incident) -> list[StepRow]:
    """Return the checklist."""
    return [
        StepRow(number, state.title, StepStatus(state.status), step_detail(state, incident))
        for number, state in enumerate(incident.steps, 1)
    ]


def open_step_rows(incident: Incident) -> list[StepRow]:
    """Return the steps that are neither done nor skipped; none of a finished checklist."""
    return [row for row in step_rows(incident) if row.status not in _SETTLED]


def checklist_progress(incident: Incident) -> str:
    """Return how far the checklist is: `5 of 7 done`, and how many were skipped or failed."""
    counts = {status: sum(row.status is status for row in step_rows(incident)) for status in StepStatus}
    others = (f", {counts[status]} {status}" for status in (StepStatus.SKIPPED, StepStatus.FAILED) if counts[status])
    return f"{counts[StepStatus.DONE]} of {len(incident.steps)} done{''.join(others)}"


def rollback_parts(state: RollbackState, decision: str = "") -> tuple[str, ...]:
    """Return a cluster's rollback in parts: versions, status, the first of two approvals, `decision`, latest step.

    `decision`: what to type to decide it.
    """
    offer = state.offer
    versions = f" {offer.suspect.version} → {offer.candidate.version}" if offer.suspect and offer.candidate else ""
    detail = state.detail or state.progress or offer.reason
    waits = state.approved_by and state.status is RollbackStatus.OFFERED
    first = f"approved by {state.approved_by}, a second person has to" if waits else ""
    parts = (f"Rollback {offer.cluster}{versions}", str(state.status), first, decision, detail)
    return tuple(part for part in parts if part)


def decision_command(incident: Incident, state: RollbackState) -> str:
    """Return what to type to decide on a rollback that waits for a person; "" if it does not."""
    if incident.over or incident.number is None:
        return ""
    cluster = f" --cluster {state.offer.cluster}" if len(incident.rollback.clusters) > 1 else ""
    match state.status:
        case RollbackStatus.OFFERED:
            return f"`incident approve {incident.number}{cluster}`"
        case RollbackStatus.UNDECIDED | RollbackStatus.INCONCLUSIVE:
            return f"`incident verdict {incident.number} healthy{cluster}`"
        case RollbackStatus.HELD | RollbackStatus.UNHEALTHY | RollbackStatus.FAILED:
            return f"`incident rollback {incident.number}{cluster}`"
        case (
            RollbackStatus.DECLINED
            | RollbackStatus.EXPIRED
            | RollbackStatus.APPROVED
            | RollbackStatus.RUNNING
            | RollbackStatus.HEALTHY
        ):
            return ""
        case _:
            assert_never(state.status)


def last_update_at(incident: Incident) -> datetime | None:
    """Return when the newest status update was published; None if none was."""
    return incident.updates.published[-1].at if incident.updates.published else None


def age_line(incident: Incident, now: datetime) -> str:
    """Return how long the incident is or was open, since when (UTC), the age of its last status update, and where."""
    ended = incident.resolved_at if incident.over and incident.resolved_at else now
    open_for = f"{'lasted' if incident.over else 'open for'} {roughly(ended - incident.started_at)}"
    updated = last_update_at(incident)
    update = f"last update {roughly(now - updated)} ago" if updated else "no update yet"
    where = incident.service if incident.environment == _USUAL else f"{incident.service} ({incident.environment})"
    return f"{open_for}, since {clock_at(incident.started_at, now).removesuffix(':00')} UTC · {update} · {where}"

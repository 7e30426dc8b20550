"""What visibility knows of incidents and post-mortems, as plain values: neither models nor Rich are needed."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from temporalio.client import WorkflowExecution

from incidents import search_attributes as attributes
from incidents.names import TITLE_MEMO

Row = dict[str, str | int | bool | None]


async def incident_rows(executions: Iterable[WorkflowExecution], now: datetime) -> list[Row]:
    """Return incidents as plain values, with their titles."""
    return [incident_row(execution, now, await title_of(execution)) for execution in executions]


def incident_row(execution: WorkflowExecution, now: datetime, title: str = "") -> Row:
    """Return what visibility knows of an incident as plain values.

    Args:
        execution: the incident's run.
        now: decides whether an update is overdue.
        title: as `title_of` returns it.
    """
    known = {pair.key.name: pair.value for pair in execution.typed_search_attributes}
    updated = known.get(attributes.LAST_UPDATE_AT.name)
    return {
        "number": known.get(attributes.NUMBER.name),
        "title": title or None,
        "workflow_id": execution.id,
        "run_id": execution.run_id,
        "severity": known.get(attributes.SEVERITY.name),
        "status": known.get(attributes.STATUS.name),
        "service": known.get(attributes.SERVICE.name),
        "commander": known.get(attributes.COMMANDER.name),
        "started_at": execution.start_time.isoformat(),
        "ended_at": ended.isoformat() if (ended := ended_at(execution)) else None,
        "closed_at": execution.close_time.isoformat() if execution.close_time else None,
        "drill": bool(known.get(attributes.DRILL.name, False)),
        "last_update_at": updated.isoformat() if isinstance(updated, datetime) else None,
        "update_overdue": (since := update_overdue_since(execution)) is not None and since <= now,
    }


async def title_of(execution: WorkflowExecution) -> str:
    """Return the title that the incident was opened with; "" of one opened without its memo."""
    title: str = await execution.memo_value(TITLE_MEMO, "", type_hint=str)
    return title


def ended_at(execution: WorkflowExecution) -> datetime | None:
    """Return when an incident was resolved, or else closed; None if it is open."""
    known = execution.typed_search_attributes
    seconds = known.get(attributes.RESOLVE_SECONDS)
    if known.get(attributes.STATUS) == "resolved" and seconds is not None:
        return execution.start_time + timedelta(seconds=seconds)
    return execution.close_time


def update_overdue_since(execution: WorkflowExecution) -> datetime | None:
    """Return from when a status update of an open incident is overdue unless it goes out; None if none can be."""
    return None if execution.close_time else execution.typed_search_attributes.get(attributes.UPDATE_OVERDUE_AT)


def postmortem_row(execution: WorkflowExecution) -> dict[str, str | int | None]:
    """Return a post-mortem's search attributes as plain values."""
    known = {pair.key.name: pair.value for pair in execution.typed_search_attributes}
    due = known.get(attributes.POSTMORTEM_DUE.name)
    return {
        "number": known.get(attributes.NUMBER.name),
        "workflow_id": execution.id,
        "severity": known.get(attributes.SEVERITY.name),
        "service": known.get(attributes.SERVICE.name),
        "stage": known.get(attributes.POSTMORTEM.name),
        "due": due.isoformat() if isinstance(due, datetime) else None,
    }

"""What visibility knows of incidents and post-mortems, as plain values: neither models nor Rich are needed."""

from datetime import datetime

from temporalio.client import WorkflowExecution

from incidents import search_attributes as attributes


def incident_row(execution: WorkflowExecution) -> dict[str, str | int | bool | None]:
    """Return an incident's search attributes as plain values."""
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


def overdue_row(execution: WorkflowExecution) -> dict[str, str | int | None]:
    """Return an overdue post-mortem's search attributes as plain values."""
    known = {pair.key.name: pair.value for pair in execution.typed_search_attributes}
    due = known.get(attributes.POSTMORTEM_DUE.name)
    return {
        "number": known.get(attributes.NUMBER.name),
        "workflow_id": execution.id,
        "severity": known.get(attributes.SEVERITY.name),
        "service": known.get(attributes.SERVICE.name),
        "due": due.isoformat() if isinstance(due, datetime) else None,
    }

"""What the workflows and their queries are called. No model is imported here: `incident list` would wait for it."""

INCIDENT_WORKFLOW = "IncidentWorkflow"
POSTMORTEM_WORKFLOW = "PostmortemWorkflow"
ROLLBACK_WORKFLOW = "RollbackWorkflow"
NUMBERS_WORKFLOW = "IncidentNumbersWorkflow"
STANDSTILL_WORKFLOW = "StandstillWorkflow"
HEARTBEAT_WORKFLOW = "HeartbeatWorkflow"
MAINTENANCE_WORKFLOW = "MaintenanceWorkflow"
OUTAGE_WORKFLOW = "OutageWorkflow"
DRILL_WORKFLOW = "DrillWorkflow"
MAINTENANCE_ID = "maintenance-windows"
NUMBERS_ID = "incident-numbers"
WATCHED = (
    INCIDENT_WORKFLOW,
    POSTMORTEM_WORKFLOW,
    ROLLBACK_WORKFLOW,
    NUMBERS_WORKFLOW,
    HEARTBEAT_WORKFLOW,
    MAINTENANCE_WORKFLOW,
)
"""The workflows whose standing still operators are notified of."""

TITLE_MEMO = "title"
"""In the memo of an incident, which is read without a worker: the title that it was opened with."""

INCIDENT_QUERY = "incident"
"""Of an incident: the `Incident`."""
POSTMORTEM_QUERY = "postmortem"
"""Of a post-mortem: the `Postmortem`."""
TIMELINE_QUERY = "timeline"
"""Of an incident and of a post-mortem: its entries, in order."""
AGENDA_QUERY = "agenda"
"""Of an incident and of a post-mortem: what is due, the earliest first."""
ROLLBACK_STEPS_QUERY = "progress"
"""Of a rollback: the steps taken, one line each."""
FIND_NUMBER_QUERY = "find"
"""Of the incident numbers: the incident of a number, if it is among the recent ones."""
ALLOCATE_NUMBER = "allocate"
"""An update of the incident numbers: the number of an `Allocation`."""

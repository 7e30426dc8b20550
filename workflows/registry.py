"""The workflows that a worker runs, and the sandbox that it runs them in."""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from workflows.alerting.heartbeat import HeartbeatWorkflow
from workflows.alerting.maintenance import MaintenanceWorkflow
from workflows.baseline_recorder import RecorderWorkflow
from workflows.drill import DrillWorkflow
from workflows.incident import IncidentWorkflow
from workflows.numbering import IncidentNumbersWorkflow
from workflows.operators.outage import OutageWorkflow
from workflows.operators.standstill import StandstillWorkflow
from workflows.postmortem import PostmortemWorkflow
from workflows.rollback import RollbackWorkflow

WORKFLOWS = (
    IncidentWorkflow,
    RollbackWorkflow,
    PostmortemWorkflow,
    IncidentNumbersWorkflow,
    RecorderWorkflow,
    StandstillWorkflow,
    HeartbeatWorkflow,
    MaintenanceWorkflow,
    OutageWorkflow,
    DrillWorkflow,
)


def sandbox_runner() -> SandboxedWorkflowRunner:
    """Return the workflow sandbox with our own modules passed through.

    Otherwise each incident would import them again, which slows its first response, and the same enum member would
    exist twice. What the sandbox would catch in them is caught by ruff (banned clocks and random ids) and by the replay
    tests, which run them sandboxed.
    """
    passed = ("incidents", "activities", "workflows", "dateutil", "icalendar", "pygal")
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*passed))

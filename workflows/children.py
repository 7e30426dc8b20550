"""The workflows that an incident hands duties to."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

from runbook.agenda import Obligation
from runbook.effects import Outcome
from runbook.incident import Incident
from runbook.policy import Runbook
from runbook.rollback import order
from workflows.contracts import PostmortemInput, Resolution
from workflows.postmortem import PostmortemWorkflow
from workflows.rollback import RollbackWorkflow


async def start_rollback(incident: Incident, duty: Obligation, runbook: Runbook) -> Outcome:
    """Run the rollback of a cluster as a workflow of its own, whose id is the lock, and wait for its end.

    Its verdict comes as a signal, which also reaches the incident after continue-as-new; waiting here only notices a
    rollback that broke down. It is never cancelled with its incident: a rollback is not abandoned half-way.

    Raises:
        WorkflowAlreadyStartedError: another rollback of that cluster and service is under way.
        ChildWorkflowError: the rollback broke down.
    """
    state = next(state for state in incident.rollbacks if state.offer.cluster == duty.subject)
    ordered = order(incident, state, runbook)
    try:
        handle = await workflow.start_child_workflow(
            RollbackWorkflow.run,
            ordered,
            id=ordered.workflow_id,
            parent_close_policy=ParentClosePolicy.ABANDON,
            cancellation_type=ChildWorkflowCancellationType.ABANDON,
            static_summary=f"{incident.name}: roll {ordered.cluster} back to {ordered.candidate.version}",
        )
    except WorkflowAlreadyStartedError:
        if duty.key in incident.begun:  # ours, started before this incident continued as new
            return Outcome(detail="goes on")
        text = f"another rollback of {ordered.service} on {ordered.cluster} is under way ({ordered.workflow_id})"
        raise ApplicationError(text, type="RollbackLocked", non_retryable=True) from None
    result = await handle
    return Outcome(detail=f"{result.status}")


async def hand_over(incident: Incident, duty: Obligation, runbook: Runbook) -> Outcome:
    """Start the post-mortem's process, or tell the one that runs that the incident was resolved again."""
    process = f"postmortem-{incident.number}"
    try:
        await workflow.start_child_workflow(
            PostmortemWorkflow.run,
            PostmortemInput(incident=incident, runbook=runbook),
            id=process,
            parent_close_policy=ParentClosePolicy.ABANDON,
            static_summary=f"{incident.name}: post-mortem of {incident.title}"[:200],
        )
    except WorkflowAlreadyStartedError:
        running = workflow.get_external_workflow_handle_for(PostmortemWorkflow.run, process)
        await running.signal(PostmortemWorkflow.incident_resolved, Resolution(incident=incident))
    return Outcome(detail=process)


async def withdraw_postmortem(incident: Incident, duty: Obligation, runbook: Runbook) -> Outcome:
    """Tell the post-mortem's process that the incident was reopened."""
    running = workflow.get_external_workflow_handle_for(PostmortemWorkflow.run, f"postmortem-{incident.number}")
    try:
        await running.signal(PostmortemWorkflow.incident_reopened)
    except ApplicationError as error:  # it ended: published or waived
        return Outcome(skipped=f"the post-mortem's process has ended ({error.message})")
    return Outcome()

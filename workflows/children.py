"""The child workflows that fulfill some of an incident's obligations."""

from datetime import timedelta
from typing import assert_never

from temporalio import workflow
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

from incidents.contracts import IncidentInput, PostmortemInput, Resolution
from incidents.domain.activity_requests import ActivityResult
from incidents.domain.core.text.untrusted import cut_bytes
from incidents.domain.evidence.preservation import (
    evidence_folder,
    incident_scope,
    resolution_items,
    resolution_phase,
)
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Status
from incidents.domain.obligation import Obligation
from incidents.domain.obligation_spec import WorkflowStep
from incidents.domain.rollback.activity_requests import FindLockHolder, FollowRollback
from incidents.domain.rollback.order import HOLDER, build_order
from incidents.priority import LAST_RANK, priority_of
from incidents.search_attributes import postmortem_at_start
from workflows.activity_options import perform, watch
from workflows.evidence import preserve
from workflows.postmortem import PostmortemWorkflow
from workflows.rollback import RollbackWorkflow

_LOCK_PATIENCE = timedelta(seconds=30)


async def run_step(
    step: WorkflowStep, incident: Incident, obligation: Obligation, start: IncidentInput
) -> ActivityResult:
    """Fulfil an obligation that another workflow takes over, or that is more than one activity."""
    match step:
        case WorkflowStep.START_ROLLBACK:
            return await run_rollback(incident, obligation, start)
        case WorkflowStep.SIGNAL_ROLLBACK:
            return await notify_rollback(incident, obligation, start)
        case WorkflowStep.PRESERVE_EVIDENCE:
            return await preserve_evidence(incident, obligation, start)
        case WorkflowStep.START_POSTMORTEM:
            return await start_postmortem(incident, obligation, start)
        case WorkflowStep.WITHDRAW_POSTMORTEM:
            return await withdraw_postmortem(incident, obligation, start)
        case _:
            assert_never(step)


async def run_rollback(incident: Incident, obligation: Obligation, start: IncidentInput) -> ActivityResult:
    """Run the rollback of a cluster as a workflow of its own, whose id is the lock, and wait for its end.

    Its verdict comes as a signal, which also reaches the incident after continue-as-new; waiting here only notices a
    rollback that broke down. It is never cancelled with its incident: a rollback is not abandoned half-way.

    Raises:
        ApplicationError: another rollback of that cluster and service is under way; it says for whom.
        ActivityError, ChildWorkflowError: the rollback broke down.
    """
    state = next(state for state in incident.rollbacks if state.offer.cluster == obligation.subject)
    ordered = build_order(incident, state, start.runbook, workflow.now())
    try:
        handle = await workflow.start_child_workflow(
            RollbackWorkflow.run,
            ordered,
            id=ordered.workflow_id,
            parent_close_policy=ParentClosePolicy.ABANDON,
            cancellation_type=ChildWorkflowCancellationType.ABANDON,
            static_summary=f"{incident.name}: roll {ordered.cluster} back to {ordered.candidate.version}"[:200],
            priority=priority_of(ordered.rank),
            memo={HOLDER: f"{incident.name}, by {ordered.requested_by}"},
        )
    except WorkflowAlreadyStartedError:
        if obligation.key in incident.begun:  # ours, started before this incident continued as new
            wanted = FollowRollback(key=ordered.key, workflow_id=ordered.workflow_id)
            return await watch(wanted, f"Watch the rollback of {ordered.cluster}")
        asked = FindLockHolder(key=f"{ordered.key}/holder", workflow_id=ordered.workflow_id)
        found = await perform(asked, "Ask who holds the lock", ordered.rank, _LOCK_PATIENCE)
        text = f"another rollback of {ordered.service} on {ordered.cluster} is under way, for {found.detail}"
        raise ApplicationError(text, type="RollbackLocked", non_retryable=True) from None
    ended = await handle
    return ActivityResult(detail=f"{ended.status}")


async def notify_rollback(incident: Incident, obligation: Obligation, start: IncidentInput) -> ActivityResult:
    """Send a rollback that is still being verified the verdict of a person."""
    state = incident.rollback(obligation.subject)
    if state is None or state.judgement is None:
        return ActivityResult(skipped="there is no verdict any more")
    process = build_order(incident, state, start.runbook, workflow.now()).workflow_id
    running = workflow.get_external_workflow_handle(process)
    try:
        await running.signal(RollbackWorkflow.judged, state.judgement)
    except ApplicationError as error:  # it has ended
        return ActivityResult(detail=f"its process has ended ({error.message})")
    return ActivityResult()


async def preserve_evidence(incident: Incident, obligation: Obligation, start: IncidentInput) -> ActivityResult:
    """Keep everything that the incident has left behind, each source by itself."""
    runbook = start.runbook
    return await preserve(
        f"{incident.first_run_id}/{obligation.key}",
        incident.name,
        evidence_folder(incident),
        resolution_phase(incident),
        resolution_items(incident, runbook),
        incident_scope(incident, runbook, workflow.now()),
        runbook.rollback,
        runbook.patience.others,
    )


async def start_postmortem(incident: Incident, obligation: Obligation, start: IncidentInput) -> ActivityResult:
    """Start the post-mortem's workflow, or notify the running one that the incident was resolved again."""
    process = f"postmortem-{incident.number}"
    try:
        await workflow.start_child_workflow(
            PostmortemWorkflow.run,
            PostmortemInput(incident=incident, runbook=start.runbook, history_limit=start.history_limit),
            id=process,
            parent_close_policy=ParentClosePolicy.ABANDON,
            static_summary=cut_bytes(f"{incident.name}: post-mortem of {incident.title}", 200),
            priority=priority_of(LAST_RANK),  # it is due in days: no page waits behind it
            search_attributes=postmortem_at_start(incident),
        )
    except WorkflowAlreadyStartedError:
        running = workflow.get_external_workflow_handle(process)
        await running.signal(PostmortemWorkflow.incident_resolved, Resolution(incident=incident))
    return ActivityResult(detail=process)


async def withdraw_postmortem(incident: Incident, obligation: Obligation, start: IncidentInput) -> ActivityResult:
    """Notify the post-mortem's workflow that the incident was reopened, or cancelled as a false alarm."""
    running = workflow.get_external_workflow_handle(f"postmortem-{incident.number}")
    cancelled = incident.status == Status.CANCELLED
    change = PostmortemWorkflow.incident_cancelled if cancelled else PostmortemWorkflow.incident_reopened
    try:
        await running.signal(change)
    except ApplicationError as error:  # it ended: published or waived
        return ActivityResult(skipped=f"the post-mortem's process has ended ({error.message})")
    return ActivityResult()

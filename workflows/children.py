"""The child workflows that fulfill some of an incident's obligations."""

from datetime import timedelta
from typing import assert_never

from temporalio import workflow
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

from incidents.contracts import MERGE_MESSAGE, SURGE_MESSAGE, IncidentInput, PostmortemInput, Resolution
from incidents.cutting import cut, cut_bytes
from incidents.domain.activity_results import ActivityResult
from incidents.domain.core.errors import ErrorType
from incidents.domain.core.postponing import Postpones
from incidents.domain.core.status import Status
from incidents.domain.evidence.audit import timeline_head
from incidents.domain.evidence.preservation import (
    archived_parts,
    evidence_folder,
    incident_scope,
    resolution_items,
    resolution_phase,
)
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.obligation_spec import WorkflowStep
from incidents.domain.rollback.activity_requests import FindLockHolder, FollowRollback
from incidents.domain.rollback.order import HOLDER, build_order
from incidents.domain.surge.obligations import surge_message
from incidents.priority import LAST_RANK, priority_of
from incidents.search_attributes import postmortem_at_start
from workflows.activity_options import is_tried_again, perform, watch
from workflows.evidence.preservation import preserve
from workflows.postmortem import PostmortemWorkflow
from workflows.rollback import RollbackWorkflow

_LOCK_RETRY_FOR = timedelta(seconds=30)


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
        case WorkflowStep.SEND_MERGE_MESSAGE:
            return await send_merge_message(incident)
        case WorkflowStep.SEND_SURGE_MESSAGE:
            return await send_surge_message(incident, obligation)
        case _:
            assert_never(step)


async def run_rollback(incident: Incident, obligation: Obligation, start: IncidentInput) -> ActivityResult:
    """Run the rollback of a cluster as a workflow of its own, whose id is the lock, and wait for its end.

    Its verdict comes as a signal, which also reaches the incident after continue-as-new; waiting here only notices a
    rollback that broke down. It is never cancelled with its incident: a rollback is not abandoned half-way.

    Raises:
        ApplicationError: another rollback of that cluster and service is running; the message names its incident.
        ActivityError, ChildWorkflowError: the rollback broke down.
    """
    state = next(state for state in incident.rollback.clusters if state.offer.cluster == obligation.subject)
    ordered = build_order(incident, state, start.runbook, workflow.now())
    try:
        handle = await workflow.start_child_workflow(
            RollbackWorkflow.run,
            ordered,
            id=ordered.workflow_id,
            parent_close_policy=ParentClosePolicy.ABANDON,
            cancellation_type=ChildWorkflowCancellationType.ABANDON,
            static_summary=cut(f"{incident.name}: roll {ordered.cluster} back to {ordered.candidate.version}", 200),
            priority=priority_of(ordered.rank),
            memo={HOLDER: f"{incident.name}, by {ordered.requested_by}"},
        )
    except WorkflowAlreadyStartedError:
        if incident.ledger.is_begun(obligation.key):  # ours, started before this incident continued as new
            wanted = FollowRollback(key=ordered.key, workflow_id=ordered.workflow_id)
            return await watch(wanted, f"Watch the rollback of {ordered.cluster}")
        asked = FindLockHolder(key=f"{ordered.key}/holder", workflow_id=ordered.workflow_id)
        found = await perform(asked, "Find the lock's holder", ordered.rank, _LOCK_RETRY_FOR)
        text = f"another rollback of {ordered.service} on {ordered.cluster} is running, for {found.detail}"
        raise ApplicationError(text, type=ErrorType.ROLLBACK_LOCKED, non_retryable=True) from None
    ended = await handle
    return ActivityResult(detail=f"{ended.status}")


async def notify_rollback(incident: Incident, obligation: Obligation, start: IncidentInput) -> ActivityResult:
    """Send a rollback that is still being verified the verdict of a person."""
    state = incident.rollback.of(obligation.subject)
    if state is None or state.judgement is None:
        return ActivityResult(skipped="the verdict was withdrawn")
    process = build_order(incident, state, start.runbook, workflow.now()).workflow_id
    running = workflow.get_external_workflow_handle(process)
    try:
        await running.signal(RollbackWorkflow.judged, state.judgement)
    except ApplicationError as error:  # it has ended
        return ActivityResult(detail=f"the rollback has already ended ({error.message})")
    return ActivityResult()


async def preserve_evidence(incident: Incident, obligation: Obligation, start: IncidentInput) -> ActivityResult:
    """Preserve all evidence of the incident, each source independently.

    Raises:
        ApplicationError: the evidence store could not take all of it, so that this is to be done again.
    """
    runbook = start.runbook
    kept, unsaved = await preserve(
        f"{incident.first_run_id}/{obligation.key}",
        incident.name,
        evidence_folder(incident),
        resolution_phase(incident),
        resolution_items(incident, runbook),
        incident_scope(incident, runbook, workflow.now()),
        runbook.rollback,
        runbook.retry_for.others,
        written=archived_parts(incident),
        timeline=timeline_head(incident),
    )
    if unsaved and is_tried_again(Postpones.UNSAVED):
        raise ApplicationError(unsaved, type=ErrorType.EVIDENCE_UNSAVED, non_retryable=True)
    return kept


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
    """Notify the post-mortem's workflow that the incident was reopened, cancelled or merged."""
    running = workflow.get_external_workflow_handle(f"postmortem-{incident.number}")
    cancelled = incident.status == Status.CANCELLED
    change = PostmortemWorkflow.incident_cancelled if cancelled else PostmortemWorkflow.incident_reopened
    try:
        await running.signal(change)
    except ApplicationError as error:  # it ended: published or waived
        return ActivityResult(skipped=f"the post-mortem's process has ended ({error.message})")
    return ActivityResult()


async def notify_postmortem_of_closing(incident: Incident) -> None:
    """Leave the channel to the post-mortem: the next incident of the same workflow id is another one."""
    running = workflow.get_external_workflow_handle(f"postmortem-{incident.number}")
    try:
        await running.signal(PostmortemWorkflow.incident_closed)
    except ApplicationError as error:
        workflow.logger.info("the post-mortem has ended: %s", error.message)


async def send_merge_message(incident: Incident) -> ActivityResult:
    """Send the next merge message.

    Raises:
        ApplicationError: the incident that it is for has ended.
    """
    message = incident.merging.outgoing[0]
    await workflow.get_external_workflow_handle(message.target).signal(MERGE_MESSAGE, message)
    return ActivityResult()


async def send_surge_message(incident: Incident, obligation: Obligation) -> ActivityResult:
    """Send another incident of the surge its message.

    Raises:
        ApplicationError: that incident has ended.
    """
    message = surge_message(incident, obligation)
    await workflow.get_external_workflow_handle(obligation.subject).signal(SURGE_MESSAGE, message)
    return ActivityResult()

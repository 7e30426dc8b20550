"""Which activity fulfils which request, and how long it may take."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, FailureError
from temporalio.exceptions import TimeoutError as ActivityTimeout

from activities.alerts import Alerts
from activities.chat.chat import Chat
from activities.email import Email
from activities.errors import ErrorType
from activities.evidence.evidence import Evidence
from activities.investigation import Investigation
from activities.numbers import Numbers
from activities.paging.on_call import OnCall
from activities.paging.paging import Paging
from activities.postmortems import Postmortems
from activities.processes import WorkflowQueries
from activities.rollback.baselines import Baselines
from activities.rollback.deployments import Deployments
from activities.rollback.health import Health
from activities.rollback.preflights import Preflights
from activities.status_page import StatusPage
from activities.updates.issue_tracker import IssueTracker
from activities.war_room import WarRoom
from incidents.contracts import setup_queue
from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult
from incidents.domain.evidence.manifest import Part
from incidents.domain.postmortem import activity_requests as postmortem_requests
from incidents.domain.rollback import activity_requests as rollback_requests
from incidents.domain.rollback.baseline import Sample
from incidents.domain.rollback.order import Preflight
from incidents.domain.rollback.verification import BaselineFinding, RegionVerdict
from incidents.priority import FIRST_RANK, LAST_RANK, priority_of

ACTIVITIES: dict[type[ActivityRequest], Callable[..., Any]] = {
    activity_requests.AllocateNumber: Numbers.allocate_number,
    activity_requests.FindOnCall: OnCall.find_on_call,
    activity_requests.SilenceAlerts: Alerts.silence_alerts,
    activity_requests.LiftSilences: Alerts.lift_silences,
    activity_requests.CheckAlerts: Alerts.check_alerts,
    activity_requests.HearChannel: Chat.hear_channel,
    activity_requests.AddBookmark: Chat.add_bookmark,
    activity_requests.SendPage: Paging.send_page,
    activity_requests.SettlePage: Paging.settle_page,
    activity_requests.OpenChannel: Chat.open_channel,
    activity_requests.SetTopic: Chat.set_topic,
    activity_requests.Invite: Chat.invite,
    activity_requests.PostMessage: Chat.post_message,
    activity_requests.DirectMessage: Chat.direct_message,
    activity_requests.KeepSummary: Chat.keep_summary,
    activity_requests.ArchiveChannel: Chat.archive_channel,
    activity_requests.OpenBridge: WarRoom.open_bridge,
    activity_requests.PublishStatus: StatusPage.publish_status,
    activity_requests.SendMail: Email.send_mail,
    activity_requests.OpenTicket: IssueTracker.open_ticket,
    activity_requests.CommentTicket: IssueTracker.comment_ticket,
    rollback_requests.FindRollback: Deployments.find_rollback,
    rollback_requests.Redeploy: Deployments.redeploy,
    activity_requests.QueryMetrics: Investigation.query_metrics,
    activity_requests.QueryLogs: Investigation.query_logs,
    rollback_requests.FollowDeployment: Deployments.follow_deployment,
    rollback_requests.FindLockHolder: WorkflowQueries.find_lock_holder,
    rollback_requests.FollowRollback: WorkflowQueries.follow_rollback,
    activity_requests.KeepDocument: Evidence.keep_document,
    rollback_requests.WriteManifest: Evidence.write_manifest,
    postmortem_requests.WritePostmortem: Postmortems.write_postmortem,
    postmortem_requests.ProposeDocument: Postmortems.propose_document,
    postmortem_requests.WatchDocument: Postmortems.watch_document,
    postmortem_requests.WatchIssues: IssueTracker.watch_issues,
}
"""Every request whose answer is an outcome, and the activity that fulfils it."""

FINDINGS: dict[type[ActivityRequest], Callable[..., Any]] = {
    rollback_requests.MeasureBaseline: Baselines.measure_baseline,
    rollback_requests.CheckRollback: Preflights.check_rollback,
    rollback_requests.VerifyRegion: Health.verify_region,
    rollback_requests.CaptureEvidence: Evidence.capture_evidence,
    rollback_requests.RecordRegions: Health.record_regions,
}
"""Every request whose answer is a finding of its own kind, and the activity that fulfils it."""

_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=1)
)
_LOOKING = RetryPolicy(
    initial_interval=timedelta(seconds=10), backoff_coefficient=2, maximum_interval=timedelta(hours=1)
)
"""Of what waits for a change elsewhere: while the vendor is down it asks less and less often (behaviour 76)."""

_LONGEST_LOOK = timedelta(seconds=15)
"""How long one look at a region may take beyond the pause before it."""
_SLOW = (
    rollback_requests.FindRollback,
    rollback_requests.CheckRollback,
    activity_requests.Investigate,
    activity_requests.KeepDocument,
    rollback_requests.WriteManifest,
    rollback_requests.CaptureEvidence,
    rollback_requests.RecordRegions,
    postmortem_requests.WritePostmortem,
    postmortem_requests.ProposeDocument,
)
"""Requests that read or write a lot: their attempts may take longer."""
_LOOKS = (postmortem_requests.WatchDocument, postmortem_requests.WatchIssues)


def call(effect: ActivityRequest, says: str, rank: int, patience: timedelta) -> workflow.ActivityConfig:
    """Return the options for one vendor call: short attempts, as a dead worker costs one, and long patience."""
    return {
        "start_to_close_timeout": timedelta(seconds=30 if isinstance(effect, _SLOW) else 10),
        "schedule_to_close_timeout": patience,
        "retry_policy": _LOOKING if isinstance(effect, _LOOKS) else _RETRY,
        "summary": says[:120],
        "priority": priority_of(rank),
    }


async def perform(
    effect: ActivityRequest, says: str, rank: int, patience: timedelta, *, limited: bool = False
) -> ActivityResult:
    """Have a request fulfilled by its activity. `limited`: in the queue whose rate Temporal holds.

    Raises:
        ActivityError: it failed for good, or was cancelled.
    """
    options = call(effect, says, rank, patience)
    if limited:
        options["task_queue"] = setup_queue(workflow.info().task_queue)
    outcome = await workflow.execute_activity_method(ACTIVITIES[type(effect)], effect, **options)
    return ActivityResult.model_validate(outcome)


async def verify(effect: rollback_requests.VerifyRegion, says: str, rank: int) -> RegionVerdict:
    """Have a region probed until it is judged. It heartbeats, so that a dead worker's work goes on within seconds."""
    longest = effect.rules.give_up_after
    return await workflow.execute_activity_method(
        Health.verify_region,
        effect,
        start_to_close_timeout=longest * 2 + timedelta(minutes=1),
        schedule_to_close_timeout=longest * 3 + timedelta(minutes=5),
        heartbeat_timeout=effect.rules.probe_interval + _LONGEST_LOOK,
        retry_policy=_RETRY,
        summary=says[:120],
        priority=priority_of(rank),
    )


async def measure(effect: rollback_requests.MeasureBaseline, says: str, patience: timedelta) -> BaselineFinding:
    """Have the normal latency of a region found."""
    return await workflow.execute_activity_method(
        Baselines.measure_baseline, effect, **call(effect, says, FIRST_RANK, patience)
    )


async def check(effect: rollback_requests.CheckRollback, says: str, patience: timedelta) -> Preflight:
    """Have a last look taken before a redeployment."""
    return await workflow.execute_activity_method(
        Preflights.check_rollback, effect, **call(effect, says, FIRST_RANK, patience)
    )


async def capture(effect: rollback_requests.CaptureEvidence, says: str, patience: timedelta) -> Part:
    """Have one file of evidence written."""
    return await workflow.execute_activity_method(
        Evidence.capture_evidence, effect, **call(effect, says, FIRST_RANK + 1, patience)
    )


async def record(effect: rollback_requests.RecordRegions, says: str) -> tuple[Sample, ...]:
    """Have the regions probed for the recorder. The next round comes soon: a failing one is not tried for long."""
    config = call(effect, says, LAST_RANK, timedelta(minutes=1))
    return tuple(await workflow.execute_activity_method(Health.record_regions, effect, **config))


async def follow(effect: rollback_requests.FollowDeployment, says: str, rank: int) -> ActivityResult:
    """Have a deployment followed to its end."""
    longest = effect.rules.github.finish_within
    return await _long(Deployments.follow_deployment, effect, says, rank, longest)


async def watch(effect: rollback_requests.FollowRollback, says: str) -> ActivityResult:
    """Have a rollback's process watched until it ends."""
    return await _long(WorkflowQueries.follow_rollback, effect, says, FIRST_RANK, timedelta(days=7))


async def _long(
    activity: Callable[..., Any], effect: ActivityRequest, says: str, rank: int, longest: timedelta
) -> ActivityResult:
    """Have something watched that takes its time; it heartbeats, and another worker goes on if its own dies."""
    outcome = await workflow.execute_activity_method(
        activity,
        effect,
        start_to_close_timeout=longest,
        schedule_to_close_timeout=longest + timedelta(minutes=5),
        heartbeat_timeout=_LONGEST_LOOK,
        retry_policy=_RETRY,
        summary=says[:120],
        priority=priority_of(rank),
    )
    return ActivityResult.model_validate(outcome)


def unauthorized(error: FailureError) -> str:
    """Return the vendor that refused our credentials, if that is why an activity failed, else ""."""
    cause = _cause(error)
    refused = isinstance(cause, ApplicationError) and cause.type == ErrorType.UNAUTHORIZED
    return cause.message.split()[0] if refused and isinstance(cause, ApplicationError) else ""


def _cause(error: FailureError) -> BaseException | None:
    cause = error.cause if isinstance(error, ActivityError | ChildWorkflowError) else error
    return cause.cause if isinstance(cause, ActivityTimeout) and cause.cause is not None else cause


def why(error: FailureError) -> str:
    """Say in one line why an activity failed: the vendor's reason, not "Activity task failed"."""
    cause = _cause(error)
    if isinstance(cause, ApplicationError):
        return cause.message[:300]
    return (str(cause) if cause is not None else str(error))[:300]

"""Which activity fulfils which request, and how long it may take."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, FailureError
from temporalio.exceptions import TimeoutError as ActivityTimeout

from activities.alerts import Alerts
from activities.baselines import Baselines
from activities.chat import Chat
from activities.deployments import Deployments
from activities.email import Email
from activities.errors import ErrorType
from activities.evidence import Evidence
from activities.health import Health
from activities.investigation import Investigation
from activities.issue_tracker import IssueTracker
from activities.numbers import Numbers
from activities.on_call import OnCall
from activities.paging import Paging
from activities.postmortems import Postmortems
from activities.preflights import Preflights
from activities.processes import Processes
from activities.status_page import StatusPage
from activities.war_room import WarRoom
from incidents.contracts import setup_queue
from incidents.domain import activity_requests as effects
from incidents.domain.activity_requests import Effect, Outcome
from incidents.domain.core.severity import Severity
from incidents.domain.evidence.manifest import Part
from incidents.domain.postmortem import activity_requests as learning_effects
from incidents.domain.rollback import activity_requests as rollback_effects
from incidents.domain.rollback.baseline import Sample
from incidents.domain.rollback.order import Preflight
from incidents.domain.rollback.verification import BaselineFinding, RegionVerdict
from incidents.priority import priority_of

ACTIVITIES: dict[type[Effect], Callable[..., Any]] = {
    effects.AllocateNumber: Numbers.allocate_number,
    effects.FindOnCall: OnCall.find_on_call,
    effects.SilenceAlerts: Alerts.silence_alerts,
    effects.LiftSilences: Alerts.lift_silences,
    effects.CheckAlerts: Alerts.check_alerts,
    effects.HearChannel: Chat.hear_channel,
    effects.AddBookmark: Chat.add_bookmark,
    effects.SendPage: Paging.send_page,
    effects.SettlePage: Paging.settle_page,
    effects.OpenChannel: Chat.open_channel,
    effects.SetTopic: Chat.set_topic,
    effects.Invite: Chat.invite,
    effects.PostMessage: Chat.post_message,
    effects.DirectMessage: Chat.direct_message,
    effects.KeepSummary: Chat.keep_summary,
    effects.ArchiveChannel: Chat.archive_channel,
    effects.OpenBridge: WarRoom.open_bridge,
    effects.PublishStatus: StatusPage.publish_status,
    effects.SendMail: Email.send_mail,
    effects.OpenTicket: IssueTracker.open_ticket,
    effects.CommentTicket: IssueTracker.comment_ticket,
    rollback_effects.FindRollback: Deployments.find_rollback,
    rollback_effects.Redeploy: Deployments.redeploy,
    effects.QueryMetrics: Investigation.query_metrics,
    effects.QueryLogs: Investigation.query_logs,
    rollback_effects.FollowDeployment: Deployments.follow_deployment,
    rollback_effects.HolderOf: Processes.holder_of,
    rollback_effects.FollowRollback: Processes.follow_rollback,
    effects.KeepDocument: Evidence.keep_document,
    rollback_effects.WriteManifest: Evidence.write_manifest,
    learning_effects.WritePostmortem: Postmortems.write_postmortem,
    learning_effects.ProposeDocument: Postmortems.propose_document,
    learning_effects.WatchDocument: Postmortems.watch_document,
    learning_effects.WatchIssues: IssueTracker.watch_issues,
}
"""Every request whose answer is an outcome, and the activity that fulfils it."""

FINDINGS: dict[type[Effect], Callable[..., Any]] = {
    rollback_effects.MeasureBaseline: Baselines.measure_baseline,
    rollback_effects.CheckRollback: Preflights.check_rollback,
    rollback_effects.VerifyRegion: Health.verify_region,
    rollback_effects.CaptureEvidence: Evidence.capture_evidence,
    rollback_effects.RecordRegions: Health.record_regions,
}
"""Every request whose answer is a finding of its own kind, and the activity that fulfils it."""

_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=1)
)
_LOOKING = RetryPolicy(
    initial_interval=timedelta(seconds=10), backoff_coefficient=2, maximum_interval=timedelta(hours=1)
)
"""Of what waits for a change elsewhere: while the vendor is down it asks less and less often (BEHAVIOURS 76)."""

_LONGEST_LOOK = timedelta(seconds=15)
"""How long one look at a region may take beyond the pause before it."""
_SLOW = (
    rollback_effects.FindRollback,
    rollback_effects.CheckRollback,
    effects.Investigate,
    effects.KeepDocument,
    rollback_effects.WriteManifest,
    rollback_effects.CaptureEvidence,
    rollback_effects.RecordRegions,
    learning_effects.WritePostmortem,
    learning_effects.ProposeDocument,
)
"""Requests that read or write a lot: their attempts may take longer."""
_LOOKS = (learning_effects.WatchDocument, learning_effects.WatchIssues)


def call(effect: Effect, says: str, severity: Severity, patience: timedelta) -> workflow.ActivityConfig:
    """Return the options for one vendor call: short attempts, as a dead worker costs one, and long patience."""
    return {
        "start_to_close_timeout": timedelta(seconds=30 if isinstance(effect, _SLOW) else 10),
        "schedule_to_close_timeout": patience,
        "retry_policy": _LOOKING if isinstance(effect, _LOOKS) else _RETRY,
        "summary": says[:120],
        "priority": priority_of(severity),
    }


async def perform(
    effect: Effect, says: str, severity: Severity, patience: timedelta, *, limited: bool = False
) -> Outcome:
    """Have a request fulfilled by its activity. `limited`: in the queue whose rate Temporal holds.

    Raises:
        ActivityError: it failed for good, or was cancelled.
    """
    options = call(effect, says, severity, patience)
    if limited:
        options["task_queue"] = setup_queue(workflow.info().task_queue)
    outcome = await workflow.execute_activity_method(ACTIVITIES[type(effect)], effect, **options)
    return Outcome.model_validate(outcome)


async def verify(effect: rollback_effects.VerifyRegion, says: str, severity: Severity) -> RegionVerdict:
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
        priority=priority_of(severity),
    )


async def measure(effect: rollback_effects.MeasureBaseline, says: str, patience: timedelta) -> BaselineFinding:
    """Have the normal latency of a region found."""
    return await workflow.execute_activity_method(
        Baselines.measure_baseline, effect, **call(effect, says, Severity.P0, patience)
    )


async def check(effect: rollback_effects.CheckRollback, says: str, patience: timedelta) -> Preflight:
    """Have a last look taken before a redeployment."""
    return await workflow.execute_activity_method(
        Preflights.check_rollback, effect, **call(effect, says, Severity.P0, patience)
    )


async def capture(effect: rollback_effects.CaptureEvidence, says: str, patience: timedelta) -> Part:
    """Have one file of evidence written."""
    return await workflow.execute_activity_method(
        Evidence.capture_evidence, effect, **call(effect, says, Severity.P1, patience)
    )


async def record(effect: rollback_effects.RecordRegions, says: str) -> tuple[Sample, ...]:
    """Have the regions probed for the recorder. The next round comes soon: a failing one is not tried for long."""
    config = call(effect, says, Severity.P3, timedelta(minutes=1))
    return tuple(await workflow.execute_activity_method(Health.record_regions, effect, **config))


async def follow(effect: rollback_effects.FollowDeployment, says: str, severity: Severity) -> Outcome:
    """Have a deployment followed to its end."""
    longest = effect.rules.github.finish_within
    return await _long(Deployments.follow_deployment, effect, says, severity, longest)


async def watch(effect: rollback_effects.FollowRollback, says: str) -> Outcome:
    """Have a rollback's process watched until it ends."""
    return await _long(Processes.follow_rollback, effect, says, Severity.P0, timedelta(days=7))


async def _long(
    activity: Callable[..., Any], effect: Effect, says: str, severity: Severity, longest: timedelta
) -> Outcome:
    """Have something watched that takes its time; it heartbeats, and another worker goes on if its own dies."""
    outcome = await workflow.execute_activity_method(
        activity,
        effect,
        start_to_close_timeout=longest,
        schedule_to_close_timeout=longest + timedelta(minutes=5),
        heartbeat_timeout=_LONGEST_LOOK,
        retry_policy=_RETRY,
        summary=says[:120],
        priority=priority_of(severity),
    )
    return Outcome.model_validate(outcome)


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

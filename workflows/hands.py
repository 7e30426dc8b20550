"""Which activity fulfils which request, and how long it may take."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, FailureError
from temporalio.exceptions import TimeoutError as ActivityTimeout

from activities.chat import Chat
from activities.deployments import Deployments
from activities.email import Email
from activities.evidence import Evidence
from activities.health import Health
from activities.investigation import Investigation
from activities.issue_tracker import IssueTracker
from activities.numbers import Numbers
from activities.paging import Paging
from activities.status_page import StatusPage
from activities.war_room import WarRoom
from runbook import effects
from runbook.effects import Effect, Outcome
from runbook.severity import Severity
from runbook.verification import RegionVerdict

ACTIVITIES: dict[type[Effect], Callable[..., Any]] = {
    effects.AllocateNumber: Numbers.allocate_number,
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
    effects.FindRollback: Deployments.find_rollback,
    effects.Redeploy: Deployments.redeploy,
    effects.QueryMetrics: Investigation.query_metrics,
    effects.QueryLogs: Investigation.query_logs,
    effects.PreserveRecord: Evidence.preserve_record,
}
"""Every request to a hand, and the activity that fulfils it. `verify` stands apart: its answer is a verdict."""

_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=1)
)
_FIRST = {Severity.P0: 1, Severity.P1: 2, Severity.P2: 3, Severity.P3: 4}

_LONGEST_LOOK = timedelta(seconds=15)
"""How long one look at a region may take beyond the pause before it."""
_SLOW = (effects.FindRollback, effects.Investigate, effects.PreserveRecord)
"""Requests that read or write a lot: their attempts may take longer."""


def call(effect: Effect, says: str, severity: Severity, patience: timedelta) -> workflow.ActivityConfig:
    """Return the options for one vendor call: short attempts, as a dead worker costs one, and long patience."""
    return {
        "start_to_close_timeout": timedelta(seconds=30 if isinstance(effect, _SLOW) else 10),
        "schedule_to_close_timeout": patience,
        "retry_policy": _RETRY,
        "summary": says[:120],
        "priority": Priority(priority_key=_FIRST[Severity(severity)]),
    }


async def perform(effect: Effect, says: str, severity: Severity, patience: timedelta) -> Outcome:
    """Have a request fulfilled by its activity.

    Raises:
        ActivityError: it failed for good, or was cancelled.
    """
    outcome = await workflow.execute_activity_method(
        ACTIVITIES[type(effect)], effect, **call(effect, says, severity, patience)
    )
    return Outcome.model_validate(outcome)


async def verify(effect: effects.VerifyRegion, says: str, severity: Severity) -> RegionVerdict:
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
        priority=Priority(priority_key=_FIRST[Severity(severity)]),
    )


def why(error: FailureError) -> str:
    """Say in one line why an activity failed: the vendor's reason, not "Activity task failed"."""
    cause = error.cause if isinstance(error, ActivityError | ChildWorkflowError) else error
    if isinstance(cause, ActivityTimeout) and cause.cause is not None:
        cause = cause.cause
    if isinstance(cause, ApplicationError):
        return cause.message[:300]
    return (str(cause) if cause is not None else str(error))[:300]

"""Which activity fulfils which request, and how long it may take."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError
from temporalio.exceptions import TimeoutError as ActivityTimeout

from activities.alerts import Alerts
from activities.chat.chat import Chat
from activities.chat.war_room import WarRoom
from activities.evidence.evidence import Evidence
from activities.investigation.investigation import Investigation
from activities.numbers import Numbers
from activities.paging.on_call import OnCall
from activities.paging.paging import Paging
from activities.postmortems import Postmortems
from activities.processes import WorkflowQueries
from activities.rollback.baselines import Baselines
from activities.rollback.deployments import Deployments
from activities.rollback.health import Health
from activities.rollback.preflights import Preflights
from activities.updates.email import Email
from activities.updates.issue_tracker import IssueTracker
from activities.updates.status_page import StatusPage
from activities.updates.webhook import Webhook
from incidents.contracts import setup_queue
from incidents.cutting import cut
from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult, Result
from incidents.domain.build_request import SETUP
from incidents.domain.chat import activity_requests as chat_requests
from incidents.domain.core.postponing import Postpones
from incidents.domain.core.vendor_failure import is_vendors_reason
from incidents.domain.evidence.manifest import Part
from incidents.domain.investigation import activity_requests as investigation_requests
from incidents.domain.postmortem import activity_requests as postmortem_requests
from incidents.domain.rollback import activity_requests as rollback_requests
from incidents.domain.rollback.baseline import Sample
from incidents.domain.rollback.config import longest_deployment
from incidents.domain.rollback.order import Preflight
from incidents.domain.rollback.verification import BaselineFinding, RegionVerdict
from incidents.priority import FIRST_RANK, LAST_RANK, priority_of
from workflows.activity_failures import last_vendor_failure
from workflows.waiting.updatable_timer import LONGEST_SUMMARY

Returned = TypeVar("Returned")


class _Route(Generic[Returned]):
    """Where a kind of request goes. Two steps, so that mypy compares what the activity returns with what is declared.

    In one call it would settle for what both have in common.
    """

    def __init__(self, kind: type[ActivityRequest[Returned]]) -> None:
        self._kind = kind

    def to(
        self, activity: Callable[[Any, Any], Returned | Awaitable[Returned]]
    ) -> tuple[type[ActivityRequest[Returned]], Callable[..., Any]]:
        """Return the request's kind with its activity."""
        return self._kind, activity


ACTIVITIES: dict[type[ActivityRequest], Callable[..., Any]] = dict(
    (
        _Route(activity_requests.AllocateNumber).to(Numbers.allocate_number),
        _Route(activity_requests.FindOnCall).to(OnCall.find_on_call),
        _Route(activity_requests.SilenceAlerts).to(Alerts.silence_alerts),
        _Route(activity_requests.LiftSilences).to(Alerts.lift_silences),
        _Route(activity_requests.CheckAlerts).to(Alerts.check_alerts),
        _Route(chat_requests.HearChannel).to(Chat.hear_channel),
        _Route(chat_requests.AddBookmark).to(Chat.add_bookmark),
        _Route(activity_requests.SendPage).to(Paging.send_page),
        _Route(activity_requests.SettlePage).to(Paging.settle_page),
        _Route(chat_requests.OpenChannel).to(Chat.open_channel),
        _Route(chat_requests.SetTopic).to(Chat.set_topic),
        _Route(chat_requests.Invite).to(Chat.invite),
        _Route(chat_requests.PostMessage).to(Chat.post_message),
        _Route(chat_requests.DirectMessage).to(Chat.direct_message),
        _Route(chat_requests.KeepSummary).to(Chat.keep_summary),
        _Route(chat_requests.ArchiveChannel).to(Chat.archive_channel),
        _Route(activity_requests.OpenBridge).to(WarRoom.open_bridge),
        _Route(activity_requests.PublishStatus).to(StatusPage.publish_status),
        _Route(activity_requests.SendMail).to(Email.send_mail),
        _Route(activity_requests.PostWebhook).to(Webhook.post_webhook),
        _Route(activity_requests.OpenTicket).to(IssueTracker.open_ticket),
        _Route(activity_requests.CommentTicket).to(IssueTracker.comment_ticket),
        _Route(activity_requests.RetitleTicket).to(IssueTracker.retitle_ticket),
        _Route(rollback_requests.FindRollback).to(Deployments.find_rollback),
        _Route(rollback_requests.Redeploy).to(Deployments.redeploy),
        _Route(investigation_requests.QueryMetrics).to(Investigation.query_metrics),
        _Route(investigation_requests.QueryLogs).to(Investigation.query_logs),
        _Route(rollback_requests.FollowDeployment).to(Deployments.follow_deployment),
        _Route(rollback_requests.FindLockHolder).to(WorkflowQueries.find_lock_holder),
        _Route(rollback_requests.FollowRollback).to(WorkflowQueries.follow_rollback),
        _Route(activity_requests.KeepDocument).to(Evidence.keep_document),
        _Route(rollback_requests.WriteManifest).to(Evidence.write_manifest),
        _Route(postmortem_requests.WritePostmortem).to(Postmortems.write_postmortem),
        _Route(postmortem_requests.ProposeDocument).to(Postmortems.propose_document),
        _Route(postmortem_requests.WatchDocument).to(Postmortems.watch_document),
        _Route(postmortem_requests.WatchIssues).to(IssueTracker.watch_issues),
    )
)
"""Every request that returns an `ActivityResult`, and the activity that fulfils it."""

FINDINGS: dict[type[ActivityRequest[Any]], Callable[..., Any]] = dict(
    (
        _Route(rollback_requests.MeasureBaseline).to(Baselines.measure_baseline),
        _Route(rollback_requests.CheckRollback).to(Preflights.check_rollback),
        _Route(rollback_requests.VerifyRegion).to(Health.verify_region),
        _Route(rollback_requests.CaptureEvidence).to(Evidence.capture_evidence),
        _Route(rollback_requests.RecordRegions).to(Health.record_regions),
    )
)
"""Every other request, and the activity that fulfils it."""

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
    investigation_requests.Investigate,
    activity_requests.KeepDocument,
    rollback_requests.WriteManifest,
    rollback_requests.CaptureEvidence,
    rollback_requests.RecordRegions,
    postmortem_requests.WritePostmortem,
    postmortem_requests.ProposeDocument,
)
"""Requests that read or write a lot: their attempts may take longer."""
_ROUNDS = 3
"""How often an obligation is given its whole time, if no vendor was the reason. More often it is this program that
hangs, and people must know."""
_NOT_FOR_OUR_REASONS = "a duty is not given up for the worker's absence"
_LOOKS = (postmortem_requests.WatchDocument, postmortem_requests.WatchIssues)


def longest_attempt(effect: ActivityRequest[object]) -> timedelta:
    """Return the time after which an attempt is given up, and must not act any more."""
    return timedelta(seconds=30 if isinstance(effect, _SLOW) else 10)


def repeat_after(effect: ActivityRequest[object] | ActivityResult) -> timedelta:
    """Return how long to wait before a request is made again whose attempt was left in progress.

    Until its time is up, that attempt may still act, and nothing shows it before: looking for its effect is too early.
    """
    if isinstance(effect, ActivityResult) or effect.repeat.is_safe_at_once:
        return timedelta()
    return longest_attempt(effect)


def call(effect: ActivityRequest[object], summary: str, rank: int, retry_for: timedelta) -> workflow.ActivityConfig:
    """Return the options for one vendor call: short attempts, as a dead worker costs one, and retries for long."""
    return {
        "start_to_close_timeout": longest_attempt(effect),
        "schedule_to_close_timeout": retry_for,
        "retry_policy": _LOOKING if isinstance(effect, _LOOKS) else _RETRY,
        "summary": cut(summary, LONGEST_SUMMARY),
        "priority": priority_of(rank),
    }


async def perform(
    effect: ActivityRequest[Result], summary: str, rank: int, retry_for: timedelta, *, limited: bool = False
) -> Result:
    """Have a request fulfilled by its activity. `limited`: in the queue of its kind, whose pace workers hold.

    Raises:
        ActivityError: it failed for good, or was cancelled.
        ValidationError: the activity returned another type than the request declares.
    """
    options = call(effect, summary, rank, retry_for)
    if limited:
        options["task_queue"] = setup_queue(workflow.info().task_queue, SETUP[type(effect)])
    outcome = await workflow.execute_activity_method(ACTIVITIES[type(effect)], effect, **options)
    return effect.result_type().model_validate(outcome)


def is_tried_again(postpones: Postpones | None) -> bool:
    """Tell whether an obligation that has just failed is postponed, in this history."""
    return postpones is not None and workflow.patched(postpones.value)


async def perform_owed(
    effect: ActivityRequest[Result], summary: str, rank: int, retry_for: timedelta, *, limited: bool = False
) -> Result:
    """Have a request fulfilled as `perform` does, for which only a vendor's failing counts as its time.

    Raises:
        ActivityError: as `perform`, but not because no worker was there to try.
    """
    for _ in range(_ROUNDS - 1):
        try:
            return await perform(effect, summary, rank, retry_for, limited=limited)
        except ActivityError as error:
            if not _was_nobody_there(error, effect) or not workflow.patched(_NOT_FOR_OUR_REASONS):
                raise
            effect = effect.model_copy(update={"again": True})
    return await perform(effect, summary, rank, retry_for, limited=limited)


def _was_nobody_there(error: ActivityError, effect: ActivityRequest[object]) -> bool:
    """Tell whether an activity's time ended without a vendor being the reason."""
    policy = _LOOKING if isinstance(effect, _LOOKS) else _RETRY
    pause = policy.maximum_interval or longest_attempt(effect)
    failure = last_vendor_failure(error)
    return isinstance(error.cause, ActivityTimeout) and not is_vendors_reason(failure, workflow.now(), pause)


async def verify(effect: rollback_requests.VerifyRegion, summary: str, rank: int) -> RegionVerdict:
    """Probe a region until there is a verdict. It heartbeats, so that another worker takes over within seconds."""
    longest = effect.rules.give_up_after
    return await workflow.execute_activity_method(
        Health.verify_region,
        effect,
        start_to_close_timeout=longest * 2 + timedelta(minutes=1),
        schedule_to_close_timeout=longest * 3 + timedelta(minutes=5),
        heartbeat_timeout=effect.rules.probe_interval + _LONGEST_LOOK,
        retry_policy=_RETRY,
        summary=cut(summary, LONGEST_SUMMARY),
        priority=priority_of(rank),
    )


async def measure(effect: rollback_requests.MeasureBaseline, summary: str, retry_for: timedelta) -> BaselineFinding:
    """Have the normal latency of a region found."""
    return await workflow.execute_activity_method(
        Baselines.measure_baseline, effect, **call(effect, summary, FIRST_RANK, retry_for)
    )


async def check(effect: rollback_requests.CheckRollback, summary: str, retry_for: timedelta) -> Preflight:
    """Have a last look taken before a redeployment."""
    return await workflow.execute_activity_method(
        Preflights.check_rollback, effect, **call(effect, summary, FIRST_RANK, retry_for)
    )


async def capture(effect: rollback_requests.CaptureEvidence, summary: str, retry_for: timedelta) -> Part:
    """Have one file of evidence written."""
    return await workflow.execute_activity_method(
        Evidence.capture_evidence, effect, **call(effect, summary, FIRST_RANK + 1, retry_for)
    )


async def record(effect: rollback_requests.RecordRegions, summary: str) -> tuple[Sample, ...]:
    """Have the regions probed for the recorder. The next round comes soon: a failing one is not tried for long."""
    config = call(effect, summary, LAST_RANK, timedelta(minutes=1))
    return tuple(await workflow.execute_activity_method(Health.record_regions, effect, **config))


async def follow(effect: rollback_requests.FollowDeployment, summary: str, rank: int) -> ActivityResult:
    """Have a deployment followed to its end, for as long as the rules let it take."""
    return await _long(effect, summary, rank, longest_deployment(effect.rules))


async def watch(effect: rollback_requests.FollowRollback, summary: str) -> ActivityResult:
    """Have a rollback's process watched until it ends."""
    return await _long(effect, summary, FIRST_RANK, timedelta(days=7))


async def _long(effect: ActivityRequest[Result], summary: str, rank: int, longest: timedelta) -> Result:
    """Run a long watch. It heartbeats, so that another worker takes over if its worker dies."""
    outcome = await workflow.execute_activity_method(
        ACTIVITIES[type(effect)],
        effect,
        start_to_close_timeout=longest,
        schedule_to_close_timeout=longest + timedelta(minutes=5),
        heartbeat_timeout=_LONGEST_LOOK,
        retry_policy=_RETRY,
        summary=cut(summary, LONGEST_SUMMARY),
        priority=priority_of(rank),
    )
    return effect.result_type().model_validate(outcome)

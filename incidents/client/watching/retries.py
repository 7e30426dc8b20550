"""The vendor calls of an incident that failed and are tried again, or are paused: what only Temporal knows of them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import AwareDatetime
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client, WorkflowExecutionDescription

from incidents.client.failures import message_of
from incidents.client.watching.activity_summaries import ActivitySummaries
from incidents.domain.core.base import Frozen
from incidents.domain.core.errors import POLLS, VENDOR_ERRORS
from incidents.domain.core.ledger import in_attempts
from incidents.domain.core.text.untrusted import one_line, without_addresses
from incidents.domain.core.time.elapsed import countdown
from incidents.domain.operators.unpause import unpause_command

_LONGEST = 200
"""Characters of a failure."""


class Pause(Frozen):
    """A pause by an operator, such as with `temporal activity pause`. `unpause`: the command that ends it."""

    since: AwareDatetime
    reason: str
    unpause: str


class Retry(Frozen):
    """An activity that failed and is tried again, or that an operator paused.

    `summary`: what it does. `attempts`: how many failed so far. `failure`: why the last one did, in one line without
    addresses. `next_at`: when the next one begins; None while it is running or paused. `gives_up_at`: when it fails for
    good; None if never.
    """

    summary: str
    attempts: int
    failure: str
    next_at: AwareDatetime | None
    gives_up_at: AwareDatetime | None
    paused: Pause | None = None

    def when(self, now: datetime) -> str:
        """Return when the next attempt is, such as `in 12s`; `now` while it is running; `paused`."""
        if self.paused is not None:
            return "paused"
        return countdown(self.next_at, now) if self.next_at is not None and self.next_at > now else "now"

    @property
    def line(self) -> str:
        """Return what it does, how many attempts failed and why the last one did, and who holds it."""
        parts = [self.summary]
        if self.paused is not None:
            because = f" ({self.paused.reason})" if self.paused.reason else ""
            parts.append(f"paused by an operator since {self.paused.since:%H:%M} UTC{because}")
        if self.failure:
            parts.append(f"{in_attempts(self.attempts)} failed: {self.failure}")
        if self.paused is not None:
            parts.append(f"to continue: `{self.paused.unpause}`")
        return " · ".join(parts)


def retries_title(retries: Sequence[Retry]) -> str:
    """Return the title of a list of them."""
    paused = {retry.paused is not None for retry in retries}
    return "Paused and retrying" if len(paused) > 1 else "Paused" if True in paused else "Retrying"


class RetryReader:
    """Reads the retries of a run from its description. Needs no worker."""

    def __init__(self, client: Client) -> None:
        """Read by that client."""
        self._client, self._summaries = client, ActivitySummaries(client)

    async def read(self, run: WorkflowExecutionDescription) -> tuple[Retry, ...]:
        """Return the activities of the run that are paused; then those that are tried again, the next one first."""
        shown = [one for one in run.raw_description.pending_activities if one.paused or is_failing(one)]
        summaries = await self._summaries.read(run, shown)
        retries = [
            _retry(run.id, one, summaries[one.activity_id], await message_of(self._client, one.last_failure))
            for one in shown
        ]
        return tuple(sorted(retries, key=lambda one: (one.paused is None, one.next_at or run.start_time, one.summary)))


def is_failing(activity: PendingActivityInfo) -> bool:
    """Tell whether an attempt failed. A poll that found nothing new is repeated as if it had, and did not."""
    polled = activity.last_failure.application_failure_info.type in POLLS
    return activity.attempt > 1 and activity.HasField("last_failure") and not polled


def _retry(workflow_id: str, activity: PendingActivityInfo, summary: str, message: str) -> Retry:
    waits = activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    at = activity.next_attempt_schedule_time if activity.HasField("next_attempt_schedule_time") else None
    ends = activity.expiration_time if activity.HasField("expiration_time") else None
    return Retry(
        summary=summary,
        attempts=activity.attempt - 1,
        failure=describe_failure(activity.last_failure, message) if is_failing(activity) else "",
        next_at=_utc(at or activity.scheduled_time) if waits else None,
        gives_up_at=_utc(ends) if ends is not None else None,
        paused=_pause(workflow_id, activity) if activity.paused else None,
    )


def _pause(workflow_id: str, activity: PendingActivityInfo) -> Pause:
    info = activity.pause_info
    return Pause(
        since=_utc(info.pause_time),
        reason=one_line(without_addresses(info.manual.reason), _LONGEST),
        unpause=unpause_command(workflow_id, activity.activity_id),
    )


def describe_failure(failure: Failure, message: str) -> str:
    """Return why an attempt failed. The text of an error that is not a vendor's may hold anything: only its class.

    `message`: the failure's own, in clear text.
    """
    if failure.HasField("timeout_failure_info"):
        return "no result in time"
    kind = failure.application_failure_info.type
    if kind in VENDOR_ERRORS:
        return one_line(without_addresses(message), _LONGEST)
    return f"error in this program ({one_line(kind, _LONGEST) or 'unknown'})"


def _utc(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)

"""Failures of activities as a workflow sees them."""

from temporalio.exceptions import ActivityError, RetryState, TimeoutType
from temporalio.exceptions import TimeoutError as ActivityTimeout


def given_up(cause: BaseException) -> ActivityError:
    """Return the failure of an activity for good."""
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="worker",
        activity_type="publish_status",
        activity_id="1",
        retry_state=RetryState.TIMEOUT,
    )
    error.__cause__ = cause
    return error


def timed_out(kind: TimeoutType, last: BaseException | None = None) -> ActivityTimeout:
    """Return the time-out of an activity. `last`: what its last attempt failed with, if one ended."""
    error = ActivityTimeout(f"activity {kind.name} timeout", type=kind, last_heartbeat_details=[])
    error.__cause__ = last
    return error

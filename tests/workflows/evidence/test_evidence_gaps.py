"""A gap in the evidence names its cause."""

from datetime import timedelta

from temporalio.exceptions import ActivityError, ApplicationError, RetryState, TimeoutType
from temporalio.exceptions import TimeoutError as ActivityTimeout

from workflows.evidence.preservation import gap_reason


def failed(cause: BaseException) -> ActivityError:
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=5,
        started_event_id=6,
        identity="",
        activity_type="capture_evidence",
        activity_id="1",
        retry_state=RetryState.TIMEOUT,
    )
    error.__cause__ = cause
    return error


def timed_out(last: BaseException | None = None) -> ActivityTimeout:
    kind = TimeoutType.SCHEDULE_TO_CLOSE
    error = ActivityTimeout("activity ScheduleToClose timeout", type=kind, last_heartbeat_details=[])
    error.__cause__ = last
    return error


def test_a_gap_names_what_the_source_last_answered() -> None:
    down = ApplicationError("signoz logs: 503")
    assert gap_reason(failed(timed_out(down)), timedelta(minutes=2)) == "signoz logs: 503"
    assert gap_reason(failed(down), timedelta(minutes=2)) == "signoz logs: 503"


def test_a_gap_without_an_answer_is_not_called_a_time_out_of_the_source() -> None:
    assert gap_reason(failed(timed_out()), timedelta(minutes=2)) == "not read within 2m (no worker finished an attempt)"

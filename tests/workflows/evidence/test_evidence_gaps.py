"""A gap in the evidence names its cause."""

from datetime import timedelta

from temporalio.exceptions import ApplicationError, TimeoutType

from tests.support.failures import given_up, timed_out
from workflows.evidence.preservation import gap_reason

TOO_LATE = TimeoutType.SCHEDULE_TO_CLOSE


def test_a_gap_names_what_the_source_last_answered() -> None:
    down = ApplicationError("signoz logs: 503")
    assert gap_reason(given_up(timed_out(TOO_LATE, down)), timedelta(minutes=2)) == "signoz logs: 503"
    assert gap_reason(given_up(down), timedelta(minutes=2)) == "signoz logs: 503"


def test_a_gap_without_an_answer_is_not_called_a_time_out_of_the_source() -> None:
    assert (
        gap_reason(given_up(timed_out(TOO_LATE)), timedelta(minutes=2))
        == "not read within 2m (no worker finished an attempt)"
    )

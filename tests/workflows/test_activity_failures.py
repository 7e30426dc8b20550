"""What a workflow reads from the failure of an activity."""

import dataclasses

from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, RetryState, TimeoutType
from temporalio.exceptions import TimeoutError as ActivityTimeout
from temporalio.testing import ActivityEnvironment

from activities.errors import translate_vendor_errors
from incidents.domain.core.vendor_failure import VendorFailure
from incidents.vendors.errors import VendorError, VendorUnauthorized, VendorUnavailable
from workflows.activity_failures import attempts, unauthorized


def as_the_workflow_reads_it(error: VendorError, *, sends_mail: bool = False, attempt: int = 0) -> FailureError:
    """The error of an activity after it went through history. `attempt`: the one that failed; 0 for no activity."""
    converter, recorded = pydantic_data_converter, Failure()

    def fail() -> None:
        with translate_vendor_errors(sends_mail=sends_mail):
            raise error

    try:
        if attempt:
            activity = ActivityEnvironment()
            activity.info = dataclasses.replace(activity.info, attempt=attempt)
            activity.run(fail)
        fail()
    except ApplicationError as translated:
        converter.failure_converter.to_failure(translated, converter.payload_converter, recorded)
    read = converter.failure_converter.from_failure(recorded, converter.payload_converter)
    assert isinstance(read, FailureError)
    return read


def test_21_the_vendor_that_rejected_our_credentials_is_a_field_of_the_error() -> None:
    failed = as_the_workflow_reads_it(VendorUnauthorized("ops_portal", "login", "401"))
    assert unauthorized(failed) == VendorFailure(vendor="ops_portal", name="the Ops Portal")
    failed = as_the_workflow_reads_it(VendorUnauthorized("smtp", "login", "535"), sends_mail=True)
    assert unauthorized(failed) == VendorFailure(vendor="smtp", name="the SMTP server", sends_mail=True)


def test_21_other_failures_are_not_the_credentials() -> None:
    assert unauthorized(as_the_workflow_reads_it(VendorUnavailable("slack", "chat.postMessage", "503"))) is None
    assert unauthorized(ApplicationError("slack rejected", type="VendorUnauthorized")) is None, "no text is parsed"


def given_up_on(cause: BaseException) -> ActivityError:
    """The failure of an activity for good, as the workflow sees it."""
    error = ActivityError(
        "failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="worker",
        activity_type="publish_status",
        activity_id="1",
        retry_state=RetryState.TIMEOUT,
    )
    error.__cause__ = cause
    return error


def test_17_the_failure_says_how_often_it_was_tried() -> None:
    last = as_the_workflow_reads_it(VendorUnavailable("statuspage", "update", "503"), attempt=7)
    assert attempts(given_up_on(last)) == 7
    timeout = ActivityTimeout("timed out", type=TimeoutType.SCHEDULE_TO_CLOSE, last_heartbeat_details=[])
    timeout.__cause__ = last
    assert attempts(given_up_on(timeout)) == 7, "given up between two attempts"


def test_17_attempts_are_unknown_where_the_error_does_not_say_them() -> None:
    assert attempts(given_up_on(ApplicationError("broken", type="KeyError"))) is None
    assert attempts(given_up_on(as_the_workflow_reads_it(VendorUnavailable("slack", "post", "503")))) is None
    timeout = ActivityTimeout("timed out", type=TimeoutType.START_TO_CLOSE, last_heartbeat_details=[])
    assert attempts(given_up_on(timeout)) is None

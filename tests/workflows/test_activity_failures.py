"""What a workflow reads from the failure of an activity."""

import dataclasses

from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError, FailureError, TimeoutType
from temporalio.testing import ActivityEnvironment

from activities.errors import translate_vendor_errors
from incidents.domain.core.vendor_failure import VendorFailure
from incidents.vendors.errors import VendorError, VendorUnauthorized, VendorUnavailable
from tests.support.failures import given_up, timed_out
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


def test_17_the_failure_says_how_often_it_was_tried() -> None:
    last = as_the_workflow_reads_it(VendorUnavailable("statuspage", "update", "503"), attempt=7)
    assert attempts(given_up(last)) == 7
    assert attempts(given_up(timed_out(TimeoutType.SCHEDULE_TO_CLOSE, last))) == 7, "given up between two attempts"


def test_17_attempts_are_unknown_where_the_error_does_not_say_them() -> None:
    assert attempts(given_up(ApplicationError("broken", type="KeyError"))) is None
    assert attempts(given_up(as_the_workflow_reads_it(VendorUnavailable("slack", "post", "503")))) is None
    assert attempts(given_up(timed_out(TimeoutType.START_TO_CLOSE))) is None

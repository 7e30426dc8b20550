"""Why an activity failed: the vendor's word for it, and whether it was a vendor at all."""

from collections.abc import Collection

from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, FailureError
from temporalio.exceptions import TimeoutError as ActivityTimeout

from incidents.cutting import cut
from incidents.domain.core.errors import VENDOR_ERRORS, ErrorType
from incidents.domain.core.vendor_failure import VendorFailure

_LONGEST = 300
"""Characters of a reason: it is one line of a timeline."""


def unauthorized(error: FailureError) -> VendorFailure | None:
    """Return the vendor that rejected our credentials, if that is why an activity failed."""
    return _failure_of(error, (ErrorType.VENDOR_UNAUTHORIZED,))


def is_vendor(error: FailureError, vendors: Collection[str]) -> bool:
    """Tell whether an activity failed at one of these vendors, as their errors name them."""
    failure = _failure_of(error, VENDOR_ERRORS)
    return failure is not None and failure.vendor in vendors


def attempts(error: FailureError) -> int | None:
    """Return how often an activity was tried before it failed for good; None if the error does not say it."""
    failure = _failure_of(error, VENDOR_ERRORS)
    return failure.attempt if failure is not None else None


def last_vendor_failure(error: ActivityError) -> VendorFailure | None:
    """Return the vendor's failure that an activity met last before it failed for good; None if it met none."""
    return _failure_of(error, VENDOR_ERRORS)


def _failure_of(error: FailureError, kinds: tuple[ErrorType, ...]) -> VendorFailure | None:
    cause = _cause(error)
    if not isinstance(cause, ApplicationError) or cause.type not in kinds or not cause.details:
        return None
    return VendorFailure.model_validate(cause.details[0])


def _cause(error: FailureError) -> BaseException | None:
    cause = error.cause if isinstance(error, ActivityError | ChildWorkflowError) else error
    return cause.cause if isinstance(cause, ActivityTimeout) and cause.cause is not None else cause


def why(error: FailureError) -> str:
    """Say in one line why an activity failed: the vendor's reason, not "Activity task failed"."""
    cause = _cause(error)
    if isinstance(cause, ApplicationError):
        return cut(cause.message, _LONGEST)
    return cut(str(cause) if cause is not None else str(error), _LONGEST)

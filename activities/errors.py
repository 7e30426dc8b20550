"""Vendor errors translated into the error types of this program: by class and code, never by text."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.core.errors import ErrorType
from incidents.domain.core.vendor_failure import VendorFailure
from incidents.vendors.errors import (
    VendorError,
    VendorNotFound,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
)

_TYPES: tuple[tuple[type[VendorError], ErrorType], ...] = (
    (VendorUnauthorized, ErrorType.VENDOR_UNAUTHORIZED),
    (VendorNotFound, ErrorType.VENDOR_NOT_FOUND),
    (VendorRejected, ErrorType.VENDOR_REJECTED),
    (VendorRateLimited, ErrorType.VENDOR_RATE_LIMITED),
)


@contextmanager
def translate_vendor_errors(*, sends_mail: bool = False) -> Iterator[None]:
    """Translate a vendor error into a retryable or non-retryable `ApplicationError`; its details name the vendor.

    `sends_mail`: the vendor is the one that sends our mail.

    `Retry-After` becomes the delay before the next attempt; no thread sleeps (behaviour 22).
    """
    try:
        yield
    except VendorError as error:
        kind = next((name for cls, name in _TYPES if isinstance(error, cls)), ErrorType.VENDOR_UNAVAILABLE)
        limited = kind is ErrorType.VENDOR_RATE_LIMITED
        raise ApplicationError(
            str(error),
            VendorFailure(
                vendor=error.vendor, name=error.vendor_name, sends_mail=sends_mail, attempt=_current_attempt()
            ),
            type=kind,
            non_retryable=not error.retryable,
            next_retry_delay=error.retry_after,
            category=ApplicationErrorCategory.BENIGN if limited else ApplicationErrorCategory.UNSPECIFIED,
        ) from error


def _current_attempt() -> int | None:
    """Return the number of the attempt in progress; None outside of an activity."""
    return activity.info().attempt if activity.in_activity() else None


def build_unchanged_error(what: str, every_seconds: float) -> ApplicationError:
    """Return the error that makes Temporal repeat a poll later, without history events or a blocked thread."""
    return ApplicationError(
        what,
        type=ErrorType.UNCHANGED,
        next_retry_delay=timedelta(seconds=every_seconds),
        category=ApplicationErrorCategory.BENIGN,
    )


def may_be_repeat(request: ActivityRequest) -> bool:
    """Tell whether an earlier attempt may have acted, so that its marker must be looked for first."""
    return request.again or activity.info().attempt > 1

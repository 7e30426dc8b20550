"""Translate vendor errors into Temporal errors, by class and code, never by text."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from incidents.domain.activity_requests import ActivityRequest
from incidents.vendors.errors import (
    VendorError,
    VendorNotFound,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
)


class ErrorType(StrEnum):
    """The types of the errors that activities raise, as the Temporal UI and retry policies name them."""

    UNAUTHORIZED = "VendorUnauthorized"
    REJECTED = "VendorRejected"
    NOT_FOUND = "VendorNotFound"
    RATE_LIMITED = "VendorRateLimited"
    UNAVAILABLE = "VendorUnavailable"
    UNCHANGED = "Unchanged"


_TYPES: tuple[tuple[type[VendorError], ErrorType], ...] = (
    (VendorUnauthorized, ErrorType.UNAUTHORIZED),
    (VendorNotFound, ErrorType.NOT_FOUND),
    (VendorRejected, ErrorType.REJECTED),
    (VendorRateLimited, ErrorType.RATE_LIMITED),
)


@contextmanager
def translate_vendor_errors() -> Iterator[None]:
    """Translate a vendor error into a retryable or non-retryable `ApplicationError`.

    `Retry-After` becomes the delay before the next attempt; no thread sleeps (behaviour 22).
    """
    try:
        yield
    except VendorError as error:
        kind = next((name for cls, name in _TYPES if isinstance(error, cls)), ErrorType.UNAVAILABLE)
        limited = kind is ErrorType.RATE_LIMITED
        raise ApplicationError(
            str(error),
            type=kind,
            non_retryable=not error.retryable,
            next_retry_delay=error.retry_after,
            category=ApplicationErrorCategory.BENIGN if limited else ApplicationErrorCategory.UNSPECIFIED,
        ) from error


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

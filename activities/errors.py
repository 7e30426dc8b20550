"""Vendor errors translated into the error types of this program: by class and code, never by text."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.core.errors import ErrorType
from incidents.domain.core.vendor_failure import VendorFailure
from incidents.vendors.attempt import Attempt, current_attempt
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

MAY_ARRIVE = timedelta(seconds=15)
"""How long after our time-out a slow vendor's effect may still appear. A repeat before that would not find it."""
_NOTHING_DONE = "nothing done"
_EVER = datetime.fromtimestamp(0, UTC)
_CLOCKS_DIFFER = timedelta(minutes=5)


@contextmanager
def translate_vendor_errors(*, sends_mail: bool = False) -> Iterator[None]:
    """Translate a vendor error into a retryable or non-retryable `ApplicationError`; its details name the vendor.

    `sends_mail`: the vendor is the one that sends our mail.

    `Retry-After` becomes the delay before the next attempt; no thread sleeps (behaviour 22). After a call whose effect
    may still arrive, the next attempt comes when it must have, so that it is found and not doubled.
    """
    try:
        yield
    except VendorError as error:
        attempt = current_attempt()
        if attempt is not None:
            _mark(attempt)
        kind = next((name for cls, name in _TYPES if isinstance(error, cls)), ErrorType.VENDOR_UNAVAILABLE)
        limited = kind is ErrorType.VENDOR_RATE_LIMITED
        raise ApplicationError(
            str(error),
            VendorFailure(
                vendor=error.vendor,
                name=error.vendor_name,
                sends_mail=sends_mail,
                attempt=activity.info().attempt if activity.in_activity() else None,
                failed_at=activity.info().started_time if activity.in_activity() else None,
            ),
            type=kind,
            non_retryable=not error.retryable,
            next_retry_delay=_delay(error, attempt),
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
    """Tell whether an earlier attempt may have acted, so that its effect must be looked for first.

    An attempt that fails before it has acted says so in its heartbeat: the look is not repeated with each refusal of a
    busy vendor. If that word is lost, the next attempt looks.
    """
    if (attempt := current_attempt()) is not None:
        attempt.looks = True
    return request.again or not _nothing_done_before()


def earliest_effect(request: ActivityRequest) -> datetime | None:
    """Return since when an earlier attempt may have acted, so that no more than that is looked through; None if none.

    By the vendor's clock, within `_CLOCKS_DIFFER`.
    """
    if not may_be_repeat(request):
        return None
    return _EVER if request.again else max(_EVER, activity.info().scheduled_time - _CLOCKS_DIFFER)


def _nothing_done_before() -> bool:
    """Tell whether it is known that no attempt before this one has acted."""
    info = activity.info()
    return info.attempt == 1 or list(info.heartbeat_details) == [_NOTHING_DONE, info.attempt - 1]


def _mark(attempt: Attempt) -> None:
    """Tell the next attempt if none has acted so far, where that matters."""
    if attempt.looks and not attempt.may_have_acted and _nothing_done_before():
        activity.heartbeat(_NOTHING_DONE, activity.info().attempt)


def _delay(error: VendorError, attempt: Attempt | None) -> timedelta | None:
    """Return how long to wait before the next attempt; None to leave it to the retry policy.

    An answer, be it a failure, ends the matter at the vendor. Without one, the request may still be on its way.
    """
    unanswered = error.maybe_done and error.status is None
    if unanswered and attempt is not None and not attempt.repeatable:
        return max(MAY_ARRIVE, error.retry_after or MAY_ARRIVE)
    return error.retry_after

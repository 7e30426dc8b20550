"""Who is to blame that a duty was not done: the vendor, or nobody because no worker was there."""

from datetime import UTC, datetime, timedelta

from incidents.domain.core.vendor_failure import VendorFailure, is_vendors_reason

ENDED = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
PAUSE = timedelta(minutes=1)


def failed(before: timedelta) -> VendorFailure:
    return VendorFailure(vendor="slack", failed_at=ENDED - before)


def test_a_vendor_that_failed_to_the_end_is_the_reason() -> None:
    assert is_vendors_reason(failed(timedelta()), ENDED, PAUSE)
    assert is_vendors_reason(failed(timedelta(seconds=119)), ENDED, PAUSE), "the next attempt was not due yet"
    assert is_vendors_reason(failed(timedelta(seconds=-30)), ENDED, PAUSE), "the worker's clock is fast"


def test_nobody_tried_for_long_before_the_end() -> None:
    assert not is_vendors_reason(None, ENDED, PAUSE)
    assert not is_vendors_reason(failed(timedelta(minutes=10)), ENDED, PAUSE)


def test_a_failure_without_a_time_is_taken_as_it_always_was() -> None:
    assert is_vendors_reason(VendorFailure(vendor="slack"), ENDED, PAUSE)

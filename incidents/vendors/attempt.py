"""The attempt that a call belongs to: until when it may act, and whether it may have acted.

Temporal gives an attempt a time. When it is over, another attempt begins, perhaps on another worker, and nothing stops
the first: a process that was paused for a minute, or that waits for a slow vendor, goes on where it was. So every call
with an effect asks here right before it, and takes no longer than the time that is left.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from incidents.vendors.errors import VendorError, VendorUnavailable

TOO_LATE = "too_late"
_LEAST = 0.5
"""Seconds. With less than that left no call is begun: there is no time to learn how it ended."""
_REPORT = 0.25
"""Seconds kept for reporting, so that it is this attempt that tells of a time-out, and what may have happened."""


def boot_time() -> float:
    """Return the seconds since this machine was started. They never step, and pass while a process is stopped."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass
class Attempt:
    """One attempt.

    Attributes:
        until: when its time is over, by `boot_time`.
        repeatable: whether its effect may be asked for a second time while the first is still on its way.
        may_have_acted: whether one of its calls has had an effect, or may have.
        looks: whether it would look for the effect of an earlier attempt.
    """

    until: float
    repeatable: bool
    may_have_acted: bool = False
    looks: bool = False

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make it the attempt to which every call in the block belongs."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def seconds_for(self, vendor: str, operation: str, timeout: float) -> float:
        """Return how long a call with an effect may take: `timeout`, or what is left of the attempt's time.

        Raises:
            VendorUnavailable: the time is over. Nothing was sent; the next attempt does it.
        """
        left = self.until - boot_time() - _REPORT
        if left < _LEAST:
            problem = "not sent: the time of this attempt is over, and the next one does it"
            raise VendorUnavailable(vendor, operation, problem, code=TOO_LATE)
        return min(timeout, left)


_CURRENT: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


def current_attempt() -> Attempt | None:
    """Return the attempt in progress; None outside of one, such as in the gateway."""
    return _CURRENT.get()


@contextmanager
def acting(vendor: str, operation: str, timeout: float) -> Iterator[float]:
    """Make a call with an effect, in time, and remember that it may have had it. Yield the seconds it may take.

    Raises:
        VendorUnavailable: as `Attempt.seconds_for`.
    """
    attempt = current_attempt()
    if attempt is None:
        yield timeout
        return
    seconds, before = attempt.seconds_for(vendor, operation, timeout), attempt.may_have_acted
    attempt.may_have_acted = True
    try:
        yield seconds
    except VendorError as error:
        attempt.may_have_acted = before or error.maybe_done
        raise

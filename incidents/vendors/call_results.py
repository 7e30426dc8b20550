"""Which vendors answer: the results of this process's calls, recorded where they are made."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from incidents.vendors.errors import (
    VendorError,
    VendorNotFound,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
)

PAUSE = timedelta(hours=1)
"""After so long without a call nobody knows how the vendor was: the next failure is the first one of its series."""


@dataclass(frozen=True)
class FinishedCall:
    """One call that has just ended. `result`: `ok`, or the class of its error in one word. `seconds`: how long it took.

    `operation`: the API call, such as `chat.postMessage`; never a path or an id.
    """

    vendor: str
    operation: str
    result: str
    seconds: float


@dataclass(frozen=True)
class CallResult:
    """How a vendor's calls end. `failing_since`: the first failure since its last answer; None if it answers.

    `at`: when the newest of these calls ended.
    """

    failing_since: datetime | None
    at: datetime


class CallResults:
    """The newest result of each vendor's calls. Thread-safe: activities run in threads.

    `now`: returns the time, aware UTC.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Begin without any call."""
        self._now, self._lock = now, threading.Lock()
        self._results: dict[str, CallResult] = {}
        self._observer: Callable[[FinishedCall], None] = lambda call: None

    def observe_by(self, observer: Callable[[FinishedCall], None]) -> None:
        """Tell `observer`, in place of any before, of each call when it has ended: in the thread that made it."""
        self._observer = observer

    def finished(self, call: FinishedCall) -> None:
        """Tell the observer of a call that has ended."""
        self._observer(call)

    def record(self, vendor: str, *, failed: bool) -> None:
        """Record that a call has just failed or was answered."""
        at = self._now()
        with self._lock:
            last = self._results.get(vendor)
            since = last.failing_since if last and at - last.at <= PAUSE else None
            self._results[vendor] = CallResult((since or at) if failed else None, at)

    def newest(self) -> dict[str, CallResult]:
        """Return the newest result of every vendor that was called, by its short name."""
        with self._lock:
            return dict(self._results)


CALLS = CallResults()
"""This process's: clients are built in many places, and one vendor can have several."""


@contextmanager
def recorded(vendor: str, operation: str) -> Iterator[None]:
    """Record the call that the block makes.

    A vendor that rejects a request answers. One that rejects our credentials is reported by the incident, with the
    remedy, so that call says neither; it is counted all the same.
    """
    began, result = time.perf_counter(), "error"
    try:
        yield
        result = "ok"
    except VendorError as error:
        result = result_of(error)
        if not isinstance(error, VendorUnauthorized):
            CALLS.record(vendor, failed=error.retryable)
        raise
    finally:
        CALLS.finished(FinishedCall(vendor, operation, result, time.perf_counter() - began))
    CALLS.record(vendor, failed=False)


def result_of(error: VendorError) -> str:
    """Return the class of an error in one word, as metrics show it."""
    match error:
        case VendorUnauthorized():
            return "unauthorized"
        case VendorNotFound():
            return "not_found"
        case VendorRejected():
            return "rejected"
        case VendorRateLimited():
            return "rate_limited"
        case _:
            return "unavailable"

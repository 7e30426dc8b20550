"""Rate limits: after one call of an operation was told to wait, no other call of it is made before the time is over."""

from __future__ import annotations

import threading
from datetime import timedelta

from incidents.vendors.attempt import boot_time
from incidents.vendors.errors import VendorRateLimited

LONGEST = timedelta(minutes=1)
"""A vendor that asks for longer is asked again after this: once a minute does no harm, and a day may be a mistake."""
DEFAULT = timedelta(seconds=1)
"""The pause if the vendor does not say how long."""


class Pauses:
    """The pauses of one client, one for each operation. Thread-safe: all activities of a worker share a client."""

    def __init__(self, vendor: str) -> None:
        """Begin without a pause."""
        self._vendor, self._lock = vendor, threading.Lock()
        self._until: dict[str, float] = {}

    def check(self, operation: str) -> None:
        """Let the call pass.

        Raises:
            VendorRateLimited: the operation is paused; nothing was sent.
        """
        with self._lock:
            left = self._until.get(operation, 0.0) - boot_time()
        if left > 0:
            problem = "not sent: the vendor has just asked another call to wait"
            wait = timedelta(seconds=left)
            raise VendorRateLimited(self._vendor, operation, problem, code="paused", retry_after=wait)

    def begin(self, refusal: VendorRateLimited) -> None:
        """Pause the operation for as long as the vendor asks, within bounds."""
        wait = DEFAULT if refusal.retry_after is None else min(refusal.retry_after, LONGEST)
        with self._lock:
            self._until[refusal.operation] = boot_time() + wait.total_seconds()

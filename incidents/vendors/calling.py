"""One call to a vendor: not during a pause, in the attempt's time, and with its result recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from incidents.vendors.attempt import acting
from incidents.vendors.call_results import recorded
from incidents.vendors.errors import VendorRateLimited
from incidents.vendors.pauses import Pauses


class Calls:
    """What the calls of one client have in common. `timeout`: seconds that a call may take."""

    def __init__(self, vendor: str, timeout: float) -> None:
        """Begin without a pause."""
        self._vendor, self._timeout, self._pauses = vendor, timeout, Pauses(vendor)

    @contextmanager
    def one(self, operation: str, *, effect: bool) -> Iterator[float]:
        """Make one call in the block. Yield the seconds that it may take.

        Raises:
            VendorRateLimited: this operation is paused; nothing was sent.
            VendorUnavailable: the call has an effect and the attempt's time is over; nothing was sent.
        """
        self._pauses.check(operation)
        try:
            if effect:
                with acting(self._vendor, operation, self._timeout) as seconds, recorded(self._vendor, operation):
                    yield seconds
            else:
                with recorded(self._vendor, operation):
                    yield self._timeout
        except VendorRateLimited as refusal:
            self._pauses.begin(refusal)
            raise

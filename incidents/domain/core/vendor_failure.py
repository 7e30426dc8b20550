"""Which vendor failed, as data: it travels in the details of the error and is never parsed from its text."""

from datetime import datetime, timedelta

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen

EVIDENCE_STORES = ("evidence", "drill evidence")
"""What errors of the evidence store, and of the one of drills, have as their `vendor`."""


class VendorFailure(Frozen):
    """The vendor of a failed call.

    `vendor`: its short name, which keys are made of. `name`: what people call it. `sends_mail`: it is the one that
    sends our mail, so it cannot be reported by mail. `attempt`: which attempt failed, from 1; None if that is unknown.
    `failed_at`: when that attempt began, by Temporal's clock; None outside of an attempt, and in older histories.
    """

    vendor: str
    name: str = ""
    sends_mail: bool = False
    attempt: int | None = None
    failed_at: AwareDatetime | None = None

    @property
    def display_name(self) -> str:
        """Return what people call the vendor."""
        return self.name or self.vendor


def is_vendors_reason(failure: VendorFailure | None, ended_at: datetime, longest_pause: timedelta) -> bool:
    """Tell whether it was the vendor that kept an obligation from being fulfilled until its time ended at `ended_at`.

    It was not if no vendor has failed, or none for much longer than attempts are apart: then nobody tried, because no
    worker was there. Killed workers do not count against an obligation.
    """
    if failure is None:
        return False
    return failure.failed_at is None or ended_at - failure.failed_at <= longest_pause * 2

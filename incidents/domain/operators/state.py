"""Operator notifications: rejected credentials and program errors."""

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen
from incidents.domain.core.program_errors import MOST, Fault
from incidents.domain.core.vendor_failure import VendorFailure


class CredentialRejection(VendorFailure):
    """A vendor rejected our credentials: nothing goes out there until an operator fixes them."""

    reason: str
    at: AwareDatetime


class OperatorsState(Frozen):
    """Errors of this program that kept an obligation from being done, and vendors that rejected our credentials."""

    faults: tuple[Fault, ...] = ()
    rejections: tuple[CredentialRejection, ...] = ()

    def with_fault(self, where: str, error: str, at: datetime) -> Self:
        """Return the state with one more fault, unless the same one is known or there are too many."""
        known = any(fault.where == where and fault.error == error for fault in self.faults)
        if known or len(self.faults) >= MOST:
            return self
        return self.replace(faults=(*self.faults, Fault(where=where, error=error, at=at)))

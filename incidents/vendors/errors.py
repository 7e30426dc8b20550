"""Vendor errors, one class per reaction.

VendorError
 ├─ VendorUnauthorized   credentials or rights are missing: a person must fix it
 ├─ VendorRejected        the request was rejected and would be rejected again
 │   └─ VendorNotFound   the target of the request does not exist
 ├─ VendorRateLimited    too many requests: retry after `retry_after`
 └─ VendorUnavailable    the vendor or the network failed: retry later
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from incidents.vendors.names import DISPLAY_NAMES


class VendorError(Exception):
    """A call to a vendor that failed.

    `str()` is one line without secrets. Decide by the class and by `code`, never by the text.

    Attributes:
        vendor: the API, such as "slack".
        operation: the API call, such as "chat.postMessage".
        status: the HTTP status, if there was an answer.
        code: the vendor's error code, or ours, such as "timeout".
        retryable: whether the same call may succeed later.
        retry_after: how long the vendor asks to wait, if it does.
        maybe_done: the effect may have happened although the call failed; check before repeating it.
    """

    retryable: ClassVar[bool] = False

    def __init__(
        self,
        vendor: str,
        operation: str,
        problem: str,
        *,
        status: int | None = None,
        code: str = "",
        retry_after: timedelta | None = None,
        maybe_done: bool = False,
    ) -> None:
        self.vendor, self.operation, self.problem = vendor, operation, problem
        self.status, self.code = status, code
        self.retry_after, self.maybe_done = retry_after, maybe_done
        super().__init__(f"{vendor} {operation}: {problem}")

    @property
    def vendor_name(self) -> str:
        """Return what people call the vendor."""
        return DISPLAY_NAMES.get(self.vendor, self.vendor)


class VendorUnauthorized(VendorError):
    """The credentials are wrong, expired, or lack a right."""


class VendorRejected(VendorError):
    """The vendor understood the request and rejected it."""


class VendorNotFound(VendorRejected):
    """The target of the request does not exist (any more)."""


class VendorRateLimited(VendorError):
    """Too many requests. Nothing was done."""

    retryable = True


class VendorUnavailable(VendorError):
    """No answer, or a server error."""

    retryable = True

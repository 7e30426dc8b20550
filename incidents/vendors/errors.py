"""What can go wrong with a vendor, in classes that say what to do about it.

VendorError
 ├─ VendorUnauthorized   credentials or rights are missing: a person must mend it
 ├─ VendorRejected        the request itself is refused: the same again would be refused again
 │   └─ VendorNotFound   what the request names is not there
 ├─ VendorRateLimited    too many requests: again after `retry_after`
 └─ VendorUnavailable    the vendor or the network failed: again later
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar


class VendorError(Exception):
    """A call to a vendor that failed.

    `str()` is one line without secrets. Decide by the class and by `code`, never by the text.

    Attributes:
        vendor: whose API it was, such as "slack".
        operation: what was asked of it, such as "chat.postMessage".
        status: the HTTP status, if there was an answer.
        code: the vendor's own error code if it has one, else a word of ours for what happened, such as "timeout".
        retryable: whether the same call may succeed later.
        retry_after: how long the vendor asks to wait, if it does.
        maybe_done: the effect may have happened although the call failed, so look before you repeat it.
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


class VendorUnauthorized(VendorError):
    """The credentials are wrong, expired, or lack a right."""


class VendorRejected(VendorError):
    """The vendor understood and will not do it."""


class VendorNotFound(VendorRejected):
    """What the request names does not exist (any more)."""


class VendorRateLimited(VendorError):
    """Too many requests. Nothing was done."""

    retryable = True


class VendorUnavailable(VendorError):
    """No answer, or one that says that the vendor is in trouble."""

    retryable = True

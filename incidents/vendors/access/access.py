"""What a call without an effect shows of our credentials."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path


@dataclass(frozen=True)
class Access:
    """The vendor accepted our credentials. A client's `check_access` returns it, or raises the `VendorError`.

    Attributes:
        who: whom the vendor takes us for; "" if it does not tell.
        missing: rights that this program needs and the credentials lack.
        untold: what this call cannot tell, such as "its scopes"; "" if it tells all.
        at: the vendor's clock when it answered, from the HTTP header `Date`; None without one.
    """

    who: str = ""
    missing: tuple[str, ...] = ()
    untold: str = ""
    at: datetime | None = None


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """Return the time that an answer's `Date` names, to the second."""
    try:
        at = parsedate_to_datetime(headers.get("date") or headers.get("Date") or "")
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def lacking(needed: Iterable[str], granted: Iterable[str]) -> tuple[str, ...]:
    """Return what is needed and not granted, in the order of what is needed."""
    held = set(granted)
    return tuple(right for right in needed if right not in held)


def missing_rights(folder: Path) -> tuple[str, ...]:
    """Return what keeps us from writing into a folder of this machine, be it still to be made; nothing if we may."""
    while not folder.exists():
        folder = folder.parent
    return () if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) else ("permission to write",)

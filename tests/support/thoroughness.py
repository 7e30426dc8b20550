"""How much a test tries. `make test` runs short forms; `make thorough` (`THOROUGH=1`) runs the long ones."""

import os
from typing import TypeVar

T = TypeVar("T")
THOROUGH = os.environ.get("THOROUGH") == "1"


def by_thoroughness(short: T, long: T) -> T:
    """Return the short form's value, or the long form's with `THOROUGH=1`."""
    return long if THOROUGH else short

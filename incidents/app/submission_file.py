"""An alert payload in a file or on standard input, read as the gateway reads it."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from incidents.client.delivery.spool import read_aside
from incidents.client.delivery.submission import Submission
from incidents.client.intake import LARGEST
from incidents.domain.core.payload import NotJson, first_fault
from incidents.domain.core.text.untrusted import one_line


class InvalidInput(Exception):
    """The input cannot open an incident. The message is one line."""


def read_submission(path: str, source: str = "") -> Submission:
    """Read an alert payload from a file, or from standard input if `path` is `-`.

    What the spool has set aside keeps its source and its time of arrival. `source`: who sends it, where that is known.

    Raises:
        InvalidInput: it cannot be read, is too large, or is not JSON.
        MalformedAlert: it is JSON, but not an alert.
    """
    name = one_line(path, 200)
    try:
        raw = sys.stdin.buffer.read(LARGEST + 1) if path == "-" else _read(Path(path))
    except OSError as error:
        raise InvalidInput(f"{name}: {error.strerror}") from None
    if len(raw) > LARGEST:
        raise InvalidInput(f"{name}: larger than {LARGEST // 1024} KiB: send the alert without its dumps")
    try:
        aside = read_aside(Path(path), raw) if path != "-" else None
        if aside is not None:
            return Submission.of_entry(aside)
        return Submission.of_alerts(raw, datetime.now(UTC), source)
    except (NotJson, OSError) as error:
        raise InvalidInput(f"{name}: {error}") from None
    except ValidationError as error:
        raise InvalidInput(f"{name}: {first_fault(error)}") from None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)

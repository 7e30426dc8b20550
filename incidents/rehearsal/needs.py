"""What a rehearsal needs besides the program: the sandbox, and Temporal's time-skipping server."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

PROGRAM = "temporal-test-server"


def find_server() -> str | None:
    """Return where the server's program is: beside this interpreter, or on PATH; None if it is not installed."""
    beside = Path(sys.executable).with_name(PROGRAM)
    return str(beside) if beside.is_file() else shutil.which(PROGRAM)


def what_is_missing() -> str:
    """Say in one line what to install; "" if all is there."""
    lacking = [name for name in ("sandbox", "wsproto") if find_spec(name) is None]
    lacking += [PROGRAM] if find_server() is None else []
    if not lacking:
        return ""
    return f"{', '.join(lacking)} not found. Nothing was run. Install it: pip install 'incident-runbook[rehearse]'"

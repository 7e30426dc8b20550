"""What the shell offers for an incident: the open ones, with their titles."""

import json
import subprocess
import sys

_TIMEOUT = 3.0
"""Seconds that a person waits for the tab key."""
_CHOICES = {"latest": "the newest open incident", ".": "the only open incident"}


def complete_incident(incomplete: str) -> list[tuple[str, str]]:
    """Return the references that begin so, each with what it means; without an answer from Temporal, no numbers."""
    numbers = [(f"{_prefix(incomplete)}{row['number']}", _meaning(row)) for row in _open_incidents() if row["number"]]
    return [(value, text) for value, text in [*numbers, *_CHOICES.items()] if value.startswith(incomplete)]


def _prefix(incomplete: str) -> str:
    """Return how numbers are written: `INC-` or `inc-` if that was begun."""
    written = "INC-" if incomplete[:1].isupper() else "inc-"
    return written if incomplete and (written.startswith(incomplete) or incomplete.startswith(written)) else ""


def _open_incidents() -> list[dict[str, str | None]]:
    """Return the rows of `incident list`.

    It runs as a process of its own, which ends as each of ours does: a client of temporalio 1.35 may crash while the
    interpreter shuts down (`run_and_exit`), and the shell would show that.
    """
    command = [sys.executable, "-m", "incidents.cli.main", "list", "--json"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    rows: list[dict[str, str | None]] = json.loads(done.stdout)
    return rows


def _meaning(row: dict[str, str | None]) -> str:
    return " · ".join(part for part in (row["severity"], row["status"], row["title"] or row["service"]) if part)

"""Folders on this machine."""

import os
from pathlib import Path


def state_folder() -> Path:
    """Return where this user's programs keep state (XDG); the working directory for a user without home."""
    try:
        home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    except RuntimeError:
        return Path.cwd()
    return home / "incident-runbook"

"""Load another runbook than the one in use: a file, or a git revision of the file in use."""

import subprocess  # nosec B404
from pathlib import Path

from incidents.app.runbook_file import RunbookSource, read_runbook_file
from incidents.app.settings import Settings
from incidents.domain.config.loading import parse_runbook
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.untrusted import one_line


class NoSuchRunbook(Exception):
    """There is no such file or revision. The message is one line."""


GIT = "git:"
"""What a revision begins with, such as `git:main` or `git:HEAD~1`."""


def load_other_runbook(named: str, current: RunbookSource, settings: Settings) -> RunbookConfig:
    """Return the runbook of that file, or of that git revision of `current`'s.

    Raises:
        NoSuchRunbook: there is no such file or revision.
        RunbookError: it is not a runbook; one line for each fault.
    """
    if not named.startswith(GIT):
        if not Path(named).exists():
            raise NoSuchRunbook(f"there is no file {one_line(named, 200)}; a revision is {GIT}REV")
        return read_runbook_file(RunbookSource(Path(named), one_line(named, 200), "the other"), settings).runbook
    path = Path(str(current.file))
    revision = named.removeprefix(GIT)
    if not revision or revision.startswith("-") or not path.is_file():
        raise NoSuchRunbook(f"{one_line(named, 100)}: name a revision of a runbook's file, such as {GIT}main")
    return parse_runbook(_show(revision, path), f"{path.name}@{one_line(revision, 100)}")


def _show(revision: str, path: Path) -> str:
    """Return the file's text at a revision, by the git of this machine."""
    command = ["git", "-C", str(path.parent), "show", f"{revision}:./{path.name}"]
    try:
        shown = subprocess.run(command, capture_output=True, check=False, timeout=30)  # nosec B603
        text = shown.stdout.decode("utf-8")
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise NoSuchRunbook(f"{GIT}{one_line(revision, 100)} cannot be read: {type(error).__name__}") from None
    if shown.returncode != 0:
        said = one_line(shown.stderr.decode("utf-8", "replace").removeprefix("fatal: "), 200)
        raise NoSuchRunbook(f"{GIT}{one_line(revision, 100)} cannot be read: {said}")
    return text

"""How a severity looks on the screen: by its place in the runbook file of this machine, if there is one."""

from functools import cache
from pathlib import Path

import yaml

from incidents.app.settings import load_settings
from incidents.domain.config.yaml_text import read_yaml

_STYLES = ("bold white on red", "bold red", "yellow", "cyan")
"""By rank, worst first. What comes after them looks like the last."""


def severity_style(severity: str) -> str:
    """Return the style of a severity; plain for one that the runbook file does not name."""
    names = _names()
    return _STYLES[min(names.index(severity), len(_STYLES) - 1)] if severity in names else ""


@cache
def _names() -> tuple[str, ...]:
    """Return the severities of the runbook file, worst first; none without a file.

    Only their names are read: a command that lists incidents should not wait for the whole runbook to be validated.
    """
    try:
        path = load_settings().runbook_file or Path("runbook.yaml")
        data = read_yaml(path.read_text(encoding="utf-8"))
        return tuple(map(str, data["severities"]))
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return ()

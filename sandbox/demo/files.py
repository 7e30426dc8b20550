"""The demo's folder: its runbook, and the file that makes a shell talk to it."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
HOME = Path(".demo").absolute()
_SHIPPED, _QUICK = ROOT / "runbook.yaml", ROOT / "sandbox" / "runbook.demo.yaml"


def fresh_home() -> None:
    """Delete the previous demo's files."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir()


def write_runbook(policy: str, *, for_a_person: bool) -> Path:
    """Write the demo's runbook with that rollback policy for a P0; return its path.

    `for_a_person`: who plays with it gets the time to respond that the shipped runbook gives, instead of seconds.
    """
    runbook = _read(_QUICK)
    if for_a_person:
        _take_times(runbook, _read(_SHIPPED))
    runbook["severities"]["P0"]["rollback"] = policy
    path = HOME / "runbook.yaml"
    path.write_text(yaml.safe_dump(runbook, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def _take_times(runbook: dict[str, Any], shipped: dict[str, Any]) -> None:
    """Take what a responder is given time for. Probes, alerts and the post-mortem stay quick."""
    for name, severity in shipped["severities"].items():
        runbook["severities"][name] = severity | {"stability_window": runbook["severities"][name]["stability_window"]}
    runbook["updates"] = shipped["updates"]
    runbook["rollback"]["approve_within"] = shipped["rollback"]["approve_within"]


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def write_env(variables: Mapping[str, str]) -> Path:
    """Write what a shell reads with `.`, so that `incident` reaches the demo from any directory; return the path.

    The file names no credential of yours: those of the sandbox open nothing else.
    """
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items())]
    programs = shlex.quote(str(Path(sys.executable).parent.absolute()))
    path = HOME / "env"
    path.write_text("".join([*lines, f'export PATH={programs}:"$PATH"\n']), encoding="utf-8")
    return path


def shown(path: Path) -> str:
    """Return a path as people type it: below the working directory, if it is there."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)

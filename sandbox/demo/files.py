"""The demo's folder: its runbook, and the file that makes a shell talk to it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
HOME = Path(".demo").absolute()
_LOCK = "lock"
_FORGET = "unset $(env | sed -n 's/^\\(TEMPORAL_[A-Z_]*\\)=.*/\\1/p')\n"
"""For a shell: another server's address may come with TLS, an API key and a namespace."""
_SHIPPED, _QUICK = ROOT / "runbook.yaml", ROOT / "sandbox" / "runbook.demo.yaml"


class FolderInUse(Exception):
    """Another demo runs in this folder, or nothing can be written there. The message is one line."""


@contextlib.contextmanager
def own_home() -> Iterator[int]:
    """Take the folder, and delete the previous demo's files; yield the descriptor of the lock that keeps others out.

    Raises:
        FolderInUse: another demo has it; nothing was changed.
    """
    try:
        HOME.mkdir(exist_ok=True)
        lock = os.open(HOME / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise FolderInUse(
            f"Cannot write to {shown(HOME)} ({error.strerror}). Nothing was started. Choose another folder."
        ) from None
    try:
        _take(lock)
        _delete_all_but_the_lock()
        yield lock
    finally:
        os.close(lock)


def _take(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
        raise FolderInUse(
            f"A demo runs in {shown(HOME)} already (process {holder or 'unknown'}). Nothing was started."
            " Stop that one with Ctrl-C, or start this one in another folder."
        ) from None
    os.truncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _delete_all_but_the_lock() -> None:
    for path in HOME.iterdir():
        if path.name == _LOCK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


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
    text = "".join([_FORGET, *lines, f'export PATH={programs}:"$PATH"\n'])
    path.write_text(text, encoding="utf-8")
    return path


def shown(path: Path) -> str:
    """Return a path as people type it: below the working directory, if it is there."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)

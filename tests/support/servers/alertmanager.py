"""The real Alertmanager (Debian's). Where it is not installed, its tests are skipped; `.ci/run` installs it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.servers.prometheus_program import running_program

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
needs_alertmanager = pytest.mark.skipif(PROGRAM is None, reason="Alertmanager is not installed")


def alertmanager_command(home: Path, config: str, address: str) -> list[str]:
    """Write the configuration (YAML), and return the command line of one that has it, and its data in `home`."""
    assert PROGRAM is not None
    (home / "config.yml").write_text(config, encoding="utf-8")
    words = [PROGRAM, f"--config.file={home}/config.yml", f"--storage.path={home}/data"]
    return [*words, f"--web.listen-address={address}", "--cluster.listen-address="]


@contextmanager
def running_alertmanager(home: Path, config: str) -> Iterator[str]:
    """Run it with a configuration (YAML) and its data in `home`; yield its URL."""
    with running_program(lambda address: alertmanager_command(home, config, address), home) as url:
        yield url

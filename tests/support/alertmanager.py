"""The real Alertmanager (Debian's). Where it is not installed, its tests are skipped; `.ci/run` installs it."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from sandbox.temporal_server import free_port

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
needs_alertmanager = pytest.mark.skipif(PROGRAM is None, reason="Alertmanager is not installed")


@contextmanager
def running_alertmanager(home: Path, config: str) -> Iterator[str]:
    """Run it with a configuration (YAML) and its data in `home`; yield its URL."""
    assert PROGRAM is not None
    (home / "config.yml").write_text(config, encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    words = [PROGRAM, f"--config.file={home}/config.yml", f"--storage.path={home}/data"]
    words += [f"--web.listen-address={address}", "--cluster.listen-address="]
    with (home / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        _wait_until_ready(address, process, home / "log")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            httpx.get(f"http://{address}/-/ready", trust_env=False).raise_for_status()
            return
        except httpx.HTTPError:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.1)

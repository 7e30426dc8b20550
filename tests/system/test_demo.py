"""`make demo`, as it is run: its story on the terminal, and the live incident that KEEP=1 leaves."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.demo.files import ROOT
from sandbox.temporal_server import stop

pytestmark = pytest.mark.timeout(300)
SECONDS = 200.0


@contextmanager
def running_demo(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """The demo in a folder, and the file with what it prints."""
    printed = folder / "printed.txt"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COLUMNS": "80"}
    with printed.open("w", encoding="utf-8") as out:
        words = [sys.executable, "-m", "sandbox.demo", *options]
        demo = subprocess.Popen(words, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT, text=True)
        try:
            yield demo, printed
        finally:
            stop(demo, 60)


def wait_for(printed: Path, text: str) -> str:
    until = time.monotonic() + SECONDS
    while text not in (said := printed.read_text(encoding="utf-8")):
        assert time.monotonic() < until, said
        time.sleep(0.2)
    return said


def test_the_story_fits_a_screen(tmp_path: Path) -> None:
    with running_demo(tmp_path) as (demo, printed):
        assert demo.wait(SECONDS) == 0, printed.read_text(encoding="utf-8")
    lines = printed.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert re.search(r"Detected \d+s · acknowledged \d+s · mitigated \d+s · resolved \d+s", text)
    assert "ann$ incident ack 1" in text
    assert "A faulty release was reverted." in text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{40}", text), "no hashes"


def test_an_incident_waits_for_you(tmp_path: Path) -> None:
    with running_demo(tmp_path, "--play") as (demo, printed):
        wait_for(printed, "Ctrl-C stops everything.")
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        script = f". {tmp_path}/.demo/env; incident list; incident ack 1 --by ann"
        said = subprocess.run(["sh", "-euc", script], cwd=elsewhere, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr
        assert "INC-1" in said.stdout
        wait_for(printed, "ann: Acknowledged by ann")
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
    assert "status" not in printed.read_text(encoding="utf-8").partition("Ctrl-C stops everything.")[2]

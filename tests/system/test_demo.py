"""`make demo`, as it is run: its story on the terminal, and the live incident that KEEP=1 leaves."""

import contextlib
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


def processes_of(folder: Path) -> dict[int, str]:
    """The processes that work in a folder, by their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and (entry / "cwd").readlink() == folder:
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def wait_until_alone(folder: Path) -> None:
    until = time.monotonic() + SECONDS
    while left := processes_of(folder):
        assert time.monotonic() < until, left
        time.sleep(0.2)


needs_proc = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="asks /proc which processes are left")


@needs_proc
def test_a_second_demo_is_refused_and_the_first_one_is_not_disturbed(tmp_path: Path) -> None:
    with running_demo(tmp_path, "--keep") as (demo, printed):
        wait_for(printed, "Ctrl-C stops everything.")
        files = {path.name for path in (tmp_path / ".demo").iterdir()}
        words = [sys.executable, "-m", "sandbox.demo"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        said = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert (said.returncode, said.stdout) == (1, "")
        assert said.stderr == (
            f"error: A demo runs in .demo already (process {demo.pid}). Nothing was started."
            " Stop that one with Ctrl-C, or start this one in another folder.\n"
        )
        assert {path.name for path in (tmp_path / ".demo").iterdir()} >= files
        script = f". {tmp_path}/.demo/env; incident ack 1 --by ann"
        subprocess.run(["sh", "-euc", script], cwd=tmp_path, capture_output=True, check=True)
        wait_for(printed, "ann: Acknowledged by ann")
    wait_until_alone(tmp_path)


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_demo_that_is_killed_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    """Also one that plays by itself, and SIGKILL, which it cannot take: then its keeper does it."""
    if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("these tests run under nohup, and so does the demo, which then ignores SIGHUP")
    with running_demo(tmp_path) as (demo, printed):
        wait_for(printed, "Two regions run")
        commands = " ".join(processes_of(tmp_path).values())
        assert all(program in commands for program in ("start-dev", "worker.py", "keeper.py"))
        demo.send_signal(number)
        assert demo.wait(60) == (-number if number is signal.SIGKILL else 128 + number)
        wait_until_alone(tmp_path)
    assert "Traceback" not in printed.read_text(encoding="utf-8")


@needs_proc
def test_a_demo_whose_parent_is_gone_stops(tmp_path: Path) -> None:
    """As `make`, or a terminal, that was killed."""
    printed = tmp_path / "printed.txt"
    script = f'"{sys.executable}" -m sandbox.demo --keep > "{printed}" 2>&1; true'
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    parent = subprocess.Popen(["sh", "-c", script], cwd=tmp_path, env=environment, start_new_session=True)
    until = time.monotonic() + SECONDS
    while not printed.exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    wait_for(printed, "Ctrl-C stops everything.")
    parent.kill()
    parent.wait(10)
    wait_until_alone(tmp_path)

"""The command line as a process: how it ends, by itself and when it is made to."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading

import pytest

from tests.cli.conftest import Incidental, Opened, Stage, point_at


@pytest.fixture
def opened(stage: Stage) -> Opened:
    return stage.open("warning")


@pytest.mark.parametrize("words", [("watch",), ("timeline", "--follow")])
def test_ctrl_c_ends_the_watching_with_0(opened: Opened, on_stage: Incidental, words: tuple[str, ...]) -> None:
    """On a terminal, since only there does `watch` show anything before its end: it is interrupted once it does."""
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "incidents.cli.main", words[0], opened.number, *words[1:]],
        stdout=inside,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # ignored in a background job
    )
    os.close(inside)
    shown, title = b"", opened.state().title.split()[0].encode()
    while title not in shown:
        shown += os.read(terminal, 10_000)
    process.send_signal(signal.SIGINT)
    threading.Thread(target=drain, args=(terminal,), daemon=True).start()
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, b"")
    assert opened.state().closed is False


def drain(terminal: int) -> None:
    """Read what a process writes until it ends, so that it never waits for a reader."""
    with contextlib.suppress(OSError):
        while os.read(terminal, 10_000):
            pass


def test_a_reader_that_has_gone_is_no_traceback(opened: Opened, on_stage: Incidental) -> None:
    for words in (("timeline", opened.number), ("show", opened.number, "--json")):
        process = subprocess.Popen(
            [sys.executable, "-m", "incidents.cli.main", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(20) == 1


def test_the_installed_command_answers_in_json_and_nothing_else(opened: Opened, on_stage: Incidental) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from incidents.cli.main import main; main()", "note", opened.number, "hi", "--json"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["message"] == "hi"


def test_what_the_core_logs_is_not_mixed_with_json(stage: Stage, on_stage: Incidental) -> None:
    """The core has little to warn of in a test, so it logs all that it can."""
    program = """
import logging, sys
from temporalio.runtime import TelemetryFilter
import incidents.app.telemetry.core_logs as core_logs
import incidents.cli.main as cli

core_logs.CORE_LOGS = TelemetryFilter("TRACE", "TRACE")
logging.basicConfig(level=1, stream=sys.stderr, format="%(name)s")
sys.argv = ["incident", "list", "--all", "--json"]
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)
    assert "temporalio" not in done.stderr


@pytest.mark.parametrize(
    "words", [("list",), ("show", "1"), ("timeline", "1"), ("ack", "1"), ("stuck",), ("report",), ("note", "1", "x")]
)
def test_in_an_outage_an_answer_in_json_is_the_error_alone(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """As a process: the core of the SDK writes past Python's own streams."""
    point_at(monkeypatch, "127.0.0.1:1")
    done = subprocess.run(
        [sys.executable, "-m", "incidents.cli.main", *words, "--json"], capture_output=True, text=True, timeout=50
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "\x1b" not in done.stderr
    assert json.loads(done.stderr)["code"] == "connection_problem"

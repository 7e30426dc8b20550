"""What the shell completes: subcommands, options, choices, and the open incidents."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Incidental, Stage, point_at


def completed(*words: str) -> list[str]:
    """What the shell offers for the last word."""
    command = " ".join(["incident", *words])
    environment = os.environ | {
        "_INCIDENT_COMPLETE": "complete_bash",
        "COMP_WORDS": command,
        "COMP_CWORD": str(len(words)),
    }
    program = Path(sys.executable).parent / "incident"
    return subprocess.run([program], env=environment, capture_output=True, text=True, timeout=30).stdout.split()


def test_the_shell_completes_subcommands_and_options() -> None:
    assert set(completed("re")) == {"resolve", "reopen", "review-drill", "report", "reset"}
    assert completed("postmortem", "s") == ["show", "start", "submit"]
    assert completed("resolve", "42", "--f") == ["--force"]
    assert completed("role", "42", "sc") == ["scribe"]
    assert completed("--v") == ["--version"]


def test_the_shell_completes_the_open_incidents(stage: Stage, on_stage: Incidental) -> None:
    number = stage.open("warning").number
    deadline = time.monotonic() + 20
    while number not in (found := completed("ack", '""')):
        assert time.monotonic() < deadline, found
    assert found == [number, "latest", "."]
    assert completed("ack", "l") == ["latest"]
    assert completed("show", "INC-") == [f"INC-{number}"]
    assert completed("show", "in") == [f"inc-{number}"]


def test_without_temporal_it_completes_what_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(monkeypatch, "127.0.0.1:1")
    assert completed("ack", "l") == ["latest"]
    assert completed("ack", "4") == []

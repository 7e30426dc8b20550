"""What the shell completes: subcommands, options, choices, and the open incidents."""

import os
import subprocess
import sys
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


def in_time(*words: str) -> list[str]:
    """What the shell offers once it offers anything that Temporal knows.

    Visibility lags behind, and a shell is not kept waiting: on a busy machine it is offered nothing.
    """
    for _ in range(20):
        if (found := completed(*words)) not in ([], ["latest", "."]):
            return found
    raise AssertionError(f"nothing is offered for {words}")


def test_the_shell_completes_subcommands_and_options() -> None:
    assert set(completed("re")) == {"resolve", "reopen", "review-drill", "report", "reset", "rehearse"}
    assert completed("postmortem", "s") == ["show", "start", "submit"]
    assert completed("resolve", "42", "--f") == ["--force"]
    assert completed("role", "42", "sc") == ["scribe"]
    assert completed("--v") == ["--version"]


def test_the_shell_completes_the_open_incidents(stage: Stage, on_stage: Incidental) -> None:
    number = stage.open("warning").number
    assert in_time("ack", '""') == [number, "latest", "."]
    assert completed("ack", "l") == ["latest"]
    assert in_time("show", "INC-") == [f"INC-{number}"]
    assert in_time("show", "in") == [f"inc-{number}"]


def test_without_temporal_it_completes_what_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(monkeypatch, "127.0.0.1:1")
    assert completed("ack", "l") == ["latest"]
    assert completed("ack", "4") == []

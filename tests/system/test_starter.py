"""starter.py: what it takes, what it refuses, and what a storm does."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.system.conftest import Stage

GOOD = {"title": "Slow", "service": "dashboard", "severity": "warning"}


def refused(*words: str, text: str = "") -> str:
    """Run the starter without any server: the input is judged before anything is contacted."""
    done = subprocess.run(
        [sys.executable, "starter.py", *words], input=text, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    assert done.stdout == ""
    return line


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "JSON object"),
        ("{}", "title"),
        (json.dumps({"version": "4", "alerts": []}), "alerts: the list is empty"),
        ("[" * 100_000, "not JSON"),
        (json.dumps({"title": "x" * 600_000}), "larger than 512 KiB"),
    ],
)
def test_12_a_malformed_or_huge_payload_is_one_line_and_exit_1(text: str, why: str) -> None:
    assert why in refused("-", text=text)


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe\xfd", b"\x00", b"9" * 5000, b'{"title": "\\ud800"', b'{"version": "\xe2\x80\xae", "alerts": []}']
)
def test_105_any_bytes_are_one_line_and_exit_1(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "alert\n.json"
    path.write_bytes(raw)
    for words, text in ((("-",), raw), ((str(path),), b"")):
        done = subprocess.run([sys.executable, "starter.py", *words], input=text, capture_output=True, timeout=30)
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.startswith(b"error: ")
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("program", "words", "status"),
    [
        ("starter.py", (b"/nowhere/\xff\n.json",), 1),
        ("starter.py", (b"--title", b"\x01", b"--service", b"x", b"--severity", b"P0"), 1),
        ("-m", (b"incidents.cli.main", b"note", b"1", b"\xff\xfe", b"--by", b"ann"), 2),
        ("-m", (b"incidents.cli.main", b"show", b"\xed\xa0\x80"), 2),
    ],
)
def test_105_any_bytes_on_the_command_line_are_one_line(program: str, words: tuple[bytes, ...], status: int) -> None:
    done = subprocess.run([sys.executable.encode(), program.encode(), *words], capture_output=True, timeout=30)
    assert done.returncode == status
    [line] = done.stderr.splitlines()
    assert line.startswith(b"error: ")


def test_26_an_alert_without_a_time_of_its_own_is_flagged(stage: Stage, worker: subprocess.Popen[str]) -> None:
    answer = stage.start(GOOD | {"started_at": "0001-01-01T00:00:00Z", "title": "Slow \x1b[2J\ud800"})
    assert answer["number"] == 1
    said = stage.run("-m", "incidents.cli.main", "timeline", "1").stdout
    assert "0001-01-01 00:00:00 UTC is before 2000; using the time of arrival" in " ".join(said.split())


def test_what_is_missing_is_said() -> None:
    assert "pass an alert file" in refused()
    assert "--service and --severity" in refused("--title", "x")
    assert "No such file" in refused("/nowhere/alert.json")


def test_an_unreachable_server_is_said_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    assert "Cannot reach Temporal" in refused("-", text=json.dumps(GOOD))


def test_10_it_explains_what_decides_the_incident() -> None:
    done = subprocess.run(
        [sys.executable, "starter.py", "-", "--explain-fingerprint"],
        input=json.dumps(GOOD | {"labels": {"pod": "x-1"}}),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stdout == "Slow: incident-dashboard:production from service=dashboard, environment=production\n"


def test_5_the_end_of_an_unknown_alert_opens_nothing(stage: Stage, worker: subprocess.Popen[str]) -> None:
    answer = stage.start(GOOD | {"status": "resolved"})
    assert (answer["action"], answer["created"], answer["run_id"]) == ("ignored", False, None)
    assert stage.incident("list", "--all") == []


def test_by_hand_each_is_an_incident_of_its_own(stage: Stage, worker: subprocess.Popen[str], tmp_path: Path) -> None:
    words = ("starter.py", "--title", "Odd", "--service", "dashboard", "--severity", "P2", "--json")
    answers: list[dict[str, Any]] = [json.loads(stage.run(*words).stdout) for _ in range(2)]
    assert {answer["number"] for answer in answers} == {1, 2}
    path = tmp_path / "alert.json"
    path.write_text(json.dumps(GOOD), encoding="utf-8")
    assert "Incident opened: incident-dashboard:production (INC-3)" in stage.run("starter.py", str(path)).stdout
    assert "Incident updated" in stage.run("starter.py", str(path)).stdout

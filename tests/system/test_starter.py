"""starter.py: what it takes, what it refuses, and what a storm does."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.conftest import Stage, new_stage

GOOD = {"title": "Slow", "service": "dashboard", "severity": "warning"}


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


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage with a worker, for tests that do not mind each other's incidents."""
    with new_stage(tmp_path_factory.mktemp("starter")) as stage:
        stage.worker()
        yield stage


def test_26_an_alert_without_a_time_of_its_own_is_flagged(served: Stage) -> None:
    answer = served.start(
        GOOD | {"service": "webhooks", "started_at": "0001-01-01T00:00:00Z", "title": "Slow \x1b[2J\ud800"}
    )
    said = served.run("-m", "incidents.cli.main", "timeline", str(answer["number"])).stdout
    assert "0001-01-01 00:00:00 UTC is before 2000; using the time of arrival" in " ".join(said.split())


def away(folder: Path, *words: str, text: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Run the starter while Temporal is unreachable."""
    environment = os.environ | {"TEMPORAL_ADDRESS": "127.0.0.1:1", "ALERT_SPOOL": str(folder)} | more
    return subprocess.run(
        [sys.executable, "starter.py", *words], input=text, env=environment, capture_output=True, text=True, timeout=50
    )


def test_13_while_temporal_is_away_it_keeps_the_alert_in_bounded_time_and_exits_3(tmp_path: Path) -> None:
    done = away(tmp_path / "spool", "-", "--json", text=json.dumps(GOOD))
    assert done.returncode == 3
    [warning] = done.stderr.splitlines()
    assert warning.startswith("NOBODY CAN BE PAGED for P0")
    answer = json.loads(done.stdout)
    assert (answer["action"], answer["workflow_id"]) == ("kept", "incident-dashboard:production")
    assert "NOBODY WAS PAGED: pager not configured" in answer["detail"]
    words = ("--title", "Odd", "--service", "dashboard", "--severity", "P3")
    by_hand = away(tmp_path / "spool", *words)
    assert by_hand.returncode == 3
    assert by_hand.stderr.splitlines() == [warning]
    [line] = by_hand.stdout.splitlines()
    assert line.startswith("Not started yet: incident-")


def test_13_what_cannot_be_kept_either_is_exit_1(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    done = away(tmp_path / "file" / "spool", "-", text=json.dumps(GOOD))
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("error: Temporal is unreachable and nothing was kept: ")
    assert line.endswith("Send it again")


def test_13_the_next_run_sends_what_was_kept_and_on_call_is_paged_once(
    stage: Stage, worker: subprocess.Popen[str], tmp_path: Path
) -> None:
    folder = tmp_path / "spool"
    words = {**stage.sandbox.environment(), "RUNBOOK_FILE": "sandbox/runbook.demo.yaml"}
    kept = away(folder, "-", text=json.dumps(GOOD | {"title": "Kept"}), **words)
    assert kept.returncode == 3
    assert "on-call was paged directly" in kept.stdout
    stage.environment["ALERT_SPOOL"] = str(folder)
    answer = stage.start(GOOD | {"service": "webhooks"})
    assert answer["action"] == "opened"
    incident = stage.until(1, lambda incident: incident.ledger.settled("page/0/P2"))
    assert (incident.title, incident.service) == ("Kept", "dashboard")
    keys = [page["incident_key"] for page in stage.sandbox.state()["pagerduty"]]
    assert keys.count("incident-dashboard:production") == 1


def test_5_the_end_of_an_unknown_alert_opens_nothing(served: Stage) -> None:
    answer = served.start(GOOD | {"status": "resolved", "service": "server"})
    assert (answer["action"], answer["created"], answer["run_id"]) == ("ignored", False, None)
    assert all(row["service"] != "server" for row in served.incident("list", "--all"))


def test_by_hand_each_is_an_incident_of_its_own(served: Stage, tmp_path: Path) -> None:
    words = ("starter.py", "--title", "Odd", "--service", "dashboard", "--severity", "P2", "--json")
    answers: list[dict[str, Any]] = [json.loads(served.run(*words).stdout) for _ in range(2)]
    first, second = (answer["number"] for answer in answers)
    assert second == first + 1
    path = tmp_path / "alert.json"
    path.write_text(json.dumps(GOOD), encoding="utf-8")
    assert (
        f"Incident opened: incident-dashboard:production (INC-{second + 1})"
        in served.run("starter.py", str(path)).stdout
    )
    assert "Incident updated" in served.run("starter.py", str(path)).stdout

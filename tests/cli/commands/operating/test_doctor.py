"""`incident doctor` on the command line. What it finds is tested in tests/app/test_doctor.py."""

import asyncio
import io
import os
from pathlib import Path

import pytest

from incidents.cli.output import progress
from incidents.cli.output.plain_console import PlainConsole
from tests.cli.conftest import Incidental, Stage, point_at


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No integration of this machine's is set."""
    for name in [name for name in os.environ if name.startswith(("SLACK_", "PAGERDUTY_", "GITHUB_", "PAYLOAD_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("EVIDENCE_URL", str(tmp_path))


def test_an_error_is_told_with_its_remedy_and_in_the_exit_status(
    on_stage: Incidental, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = on_stage("doctor")
    assert said.status == 1, "nobody can be paged here"
    lines = said.out.splitlines()
    assert lines[0].startswith("error")
    assert "NOBODY CAN BE PAGED" in said.out
    assert "→ Set it, and restart worker and gateway" in said.out
    assert "off  21 integrations (--all lists them)" in said.out
    assert "off  slack, " in on_stage("doctor", "--all").out
    assert all(len(line) <= 80 for line in lines)
    assert len(lines) <= 24, said.out


def test_json_has_each_finding(on_stage: Incidental, stage: Stage) -> None:
    said = on_stage("doctor", "--json")
    document = said.document
    assert (said.status, document["healthy"]) == (1, False)
    assert "slack" in document["not_configured"]
    by_check = {row["check"]: row for row in document["findings"]}
    assert by_check["temporal"]["level"] == "ok"
    assert by_check["namespace"]["level"] == "warning", "the stage keeps workflows for a day"
    assert set(by_check["runbook"]) == {"check", "level", "what", "remedy"}


def test_one_cause_is_told_once(incident: Incidental, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(monkeypatch, "127.0.0.1:1")
    monkeypatch.setenv("COLUMNS", "80")
    said = incident("doctor")
    assert said.out.count("Temporal is unreachable\n") <= 1
    assert "connection refused at 127.0.0.1:1" in " ".join(said.out.split())
    assert len(said.out.splitlines()) <= 24


def test_a_setting_that_cannot_be_used(incident: Incidental, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "https://temporal")
    assert incident("doctor").why == "error: TEMPORAL_ADDRESS must be host:port, without https://"


async def test_what_takes_long_is_shown_to_a_person_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "AFTER", 0.01)
    shown = {}
    for terminal in (True, False):
        file = io.StringIO()
        screen = PlainConsole(file=file, force_terminal=terminal, width=80)
        async with progress.shown_progress(screen, lambda: "Waiting for slack"):
            await asyncio.sleep(0.5)
        shown[terminal] = file.getvalue()
    assert "Waiting for slack" in shown[True]
    assert shown[False] == ""

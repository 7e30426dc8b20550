"""`incident drill`: a scenario that is played, and the scorecard, on a real server."""

import time
from pathlib import Path

import pytest

from tests.cli.conftest import Incidental, Stage, refused


def test_a_real_incident_has_no_scorecard(stage: Stage, on_stage: Incidental) -> None:
    opened = stage.open()
    assert "is not a drill" in refused(on_stage("drill", "score", opened.number))


def test_a_drill_is_compared_with_those_before_it(stage: Stage, on_stage: Incidental) -> None:
    first, second = stage.open("warning", drill=True), stage.open("error", drill=True)
    deadline = time.monotonic() + 10  # until visibility knows the first one
    while not (card := on_stage("drill", "score", second.number, "--json").document)["earlier"]:
        assert time.monotonic() < deadline
    assert card["acknowledge"] is None
    [earlier] = card["earlier"]
    assert earlier["name"].endswith(f"INC-{first.number}")
    said = on_stage("drill", "score", second.number)
    assert "Acknowledged after  not yet  (before: not yet)" in said.out
    assert "before" not in on_stage("drill", "score", second.number, "--last", "0").out


SCENARIO = """
severity: P2
title: It is slow
facts:
  - {at: 0m, do: inject, text: Three customers wrote to support.}
  - {at: 5m, do: ack, by: ann}
  - {at: 30m, do: alert ended}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    file = tmp_path / "It is slow.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    return str(file)


def test_a_scenario_is_played_until_it_is_stopped(on_stage: Incidental, scenario: str) -> None:
    started = on_stage("drill", "start", scenario, "--by", "ann", "--json").document
    number = str(started["number"])
    assert started["workflow_id"].startswith("drill-It-is-slow-")
    assert [step["kind"] for step in started["steps"]] == ["note", "alert ended"]
    assert started["left_to_people"] == 1
    deadline = time.monotonic() + 20
    while "Three customers wrote to support." not in (shown := on_stage("timeline", number).out):
        assert time.monotonic() < deadline, shown
    assert "[DRILL]" in on_stage("status", number).out
    assert "nothing more is played" in on_stage("drill", "stop", number).out
    while "plays no scenario, or has played all of it" not in (said := on_stage("drill", "stop", number)).why:
        assert time.monotonic() < deadline, said


def test_what_is_played_and_how_to_stop_it_is_said(on_stage: Incidental, scenario: str) -> None:
    said = on_stage("drill", "start", scenario)
    assert "Drill started: It-is-slow, P2 of " in said.out
    assert "  after 0s       Three customers wrote to support.\n" in said.out
    assert "  after 30m      The alert ends\n" in said.out
    assert "Left to people: 1 facts" not in said.out
    assert "Left to people: 1 fact of the scenario" in said.out
    assert "To stop it: incident drill stop " in said.out
    assert "It reaches nobody: runbook.yaml names no participants" in said.err


def test_a_scenario_with_nothing_to_play_names_no_way_to_stop_it(on_stage: Incidental) -> None:
    said = on_stage("drill", "start", "01-critical")
    assert "Nothing else happens in it. How it went: incident drill score " in said.out
    assert "drill stop" not in said.out


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("severity: P9\n", "slow.yaml:1: severity: 'P9' is not one of P0, P1, P2, P3"),
        ("- 1\n", "slow.yaml:1: a scenario"),
    ],
)
def test_what_is_no_scenario_of_this_runbook_starts_nothing(
    on_stage: Incidental, tmp_path: Path, text: str, why: str
) -> None:
    file = tmp_path / "slow.yaml"
    file.write_text(text, encoding="utf-8")
    said = on_stage("drill", "start", str(file))
    assert said.status == 2
    assert why in said.why


def test_a_real_incident_plays_nothing(stage: Stage, on_stage: Incidental) -> None:
    assert "plays no scenario" in refused(on_stage("drill", "stop", stage.open().number))

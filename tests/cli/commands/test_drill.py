"""`incident drill`: the scorecard, on a real server."""

import time

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

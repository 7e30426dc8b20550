"""What a simulation advances."""

from typing import Any

import pytest

from incidents.domain.foresight.tracks import IncidentTrack, PostmortemTrack, Track

RULES = {name for name, rule in vars(Track).items() if getattr(rule, "__isabstractmethod__", False)}


def test_a_track_without_one_of_its_rules_cannot_be_made() -> None:
    assert {"agenda", "apply_inner", "begin", "finish", "is_housekeeping", "workflow_step"} <= RULES
    for name in RULES:
        rest: dict[str, Any] = {other: None for other in RULES if other != name}
        lacking = type("Lacking", (Track,), rest)
        with pytest.raises(TypeError, match=name):
            lacking()


@pytest.mark.parametrize("track", [IncidentTrack, PostmortemTrack])
def test_each_track_has_its_own_rules(track: type[Any]) -> None:
    assert vars(track).keys() >= RULES

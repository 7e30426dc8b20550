"""The scorecard of a drill."""

from datetime import timedelta

import pytest

from incidents.domain.apply_command import apply_command
from incidents.domain.core.base import CommandRejected
from incidents.domain.core.timeline import Kind
from incidents.domain.drill.scorecard import scorecard, scorecard_lines
from incidents.domain.incident import commands as c
from tests.support.incidents import RUNBOOK, T0, at, opened, settled


def test_it_counts_what_was_late_missed_and_refused() -> None:
    drill = settled(opened().replace(drill=True), T0)
    late = settled(drill, at(6))
    late = apply_command(late, c.Acknowledge(by="ann"), RUNBOOK, at(7))
    late = late.logged(at(8), "ann", Kind.REFUSED, "approve: nothing is offered")
    late = apply_command(late, c.Resolve(by="ann", force=True, reason="well"), RUNBOOK, at(10))
    card = scorecard(late)
    assert (card.acknowledge, card.resolve) == (timedelta(minutes=7), timedelta(minutes=10))
    assert card.missed == ("acknowledged within 5m",)
    assert card.refused == ("approve: nothing is offered",)
    lines = scorecard_lines(card, [scorecard(drill)])
    assert "Acknowledged after  7m  (before: not yet)" in lines
    assert "Missed targets      1  (before: 0)" in lines
    assert lines[-1] == "Refused: approve: nothing is offered"


def test_a_real_incident_has_none() -> None:
    with pytest.raises(CommandRejected, match="is not a drill"):
        scorecard(opened())

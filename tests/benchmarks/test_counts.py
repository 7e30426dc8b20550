"""What an incident costs Temporal: events and bytes, against a minimal workflow that does as much."""

import pytest

from benchmarks.counts import SCRIPTS, Scripted, measured

MOST_BYTES = {"warning": 50_000, "error": 270_000}
"""By the label of the script's alert. In clear text: docs/performance.md says what is in them."""


@pytest.mark.parametrize("scripted", [each for each in SCRIPTS if each.label in MOST_BYTES], ids=lambda each: each.name)
async def test_a_history_stays_small(scripted: Scripted) -> None:
    events, size = await measured(scripted)
    assert events.met, f"{events.ours:.0f} events, the floor has {events.floor:.0f}"
    assert size.ours <= MOST_BYTES[scripted.label]

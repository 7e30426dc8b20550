"""What an incident costs Temporal: activities, events and bytes, against a minimal workflow that does as much."""

import pytest

from benchmarks.counts import SCRIPTS, Scripted, measured

BOUNDS = {"warning": (20, 60_000), "error": (80, 290_000)}
"""By the label of the script's alert: activities, and bytes in clear text (docs/performance.md)."""
BUSY = 1.4
"""Most events by the floor's. On a busy machine results come one by one, each in a workflow task of its own, so this is
looser than the target of `make bench`."""


@pytest.mark.parametrize("scripted", [each for each in SCRIPTS if each.label in BOUNDS], ids=lambda each: each.name)
async def test_a_history_stays_small(scripted: Scripted) -> None:
    most_activities, most_bytes = BOUNDS[scripted.label]
    events, size, encrypted, activities = await measured(scripted)
    assert activities.ours <= most_activities
    assert events.ratio is not None
    assert events.ratio <= BUSY
    assert encrypted.ours < size.ours <= most_bytes

"""The timer: what it was set for is due when it rings, whatever the clock of a replay says.

On replay, workflow tasks without commands may be taken together with the next one: what they recorded is then a little
later than it was, and so is what follows from it. The timer has fired all the same.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from workflows.waiting.updatable_timer import UpdatableTimer

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


async def test_what_it_was_set_for_is_due_when_it_rings() -> None:
    async def rings_at_once(delay: float, summary: str) -> None:
        return

    with patch("workflows.waiting.updatable_timer.workflow") as workflow:
        workflow.now.return_value = NOW
        workflow.sleep = rings_at_once
        timer = UpdatableTimer()
        timer.set(NOW + timedelta(milliseconds=12), "an update")
        assert timer.now() == NOW, "it has not rung yet"
        await asyncio.sleep(0)
        assert timer.fired
        assert timer.now() == NOW + timedelta(milliseconds=12)
        timer.clear()
        assert timer.now() == NOW

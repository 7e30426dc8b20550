"""The floor: a minimal workflow with the same number of activities in the same waves, and nothing else."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow

WAVES = (8, 4, 5)
"""Activities of a P0's first response, by wave: page and look; open and publish; tell the channel."""


@activity.defn
def nothing(_: str) -> str:
    """Do nothing, as quickly as the stand-in activities do."""
    return ""


@workflow.defn
class Floor:
    """Calls the activities, wave by wave."""

    @workflow.run
    async def run(self) -> None:
        """Call them."""
        for wave in WAVES:
            limit = timedelta(seconds=10)
            calls = [workflow.execute_activity(nothing, "x", start_to_close_timeout=limit) for _ in range(wave)]
            await asyncio.gather(*calls)

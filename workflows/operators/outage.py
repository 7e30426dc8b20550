"""Stands for an outage that was reported to the operators: open as long as the outage lasts, in every worker's absence.

The process that starts it reports the outage's beginning, the one that terminates it its end
(`incidents/app/outage/lock.py`).
"""

from temporalio import workflow


@workflow.defn
class OutageWorkflow:
    """Waits to be terminated."""

    @workflow.run
    async def run(self) -> None:
        """Do nothing: what happens is recorded by its start and its termination."""
        await workflow.wait_condition(lambda: False)

"""Latency baseline recorder: one round of probes.

A Temporal schedule runs it, and each round passes its state to the next.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from incidents.contracts import RecorderInput
from incidents.domain.rollback.activity_requests import RecordRegions
from incidents.domain.rollback.baseline import Recording, recorded
from workflows.activity_options import record


@workflow.defn
class RecorderWorkflow:
    """One round: the memory of the round before, and this round's samples."""

    @workflow.run
    async def run(self, start: RecorderInput) -> Recording:
        """Probe every region, and return all that is remembered. A round that fails forgets nothing."""
        before = Recording()
        if workflow.has_last_completion_result():
            before = workflow.get_last_completion_result(Recording) or before
        wanted = RecordRegions(
            key=workflow.info().workflow_id, regions=start.regions, probes=start.probes, rounds=start.rules.probes
        )
        try:
            samples = await record(wanted, "Probe every region for the baseline")
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            samples = ()
        return recorded(before, samples, start.rules, workflow.now())

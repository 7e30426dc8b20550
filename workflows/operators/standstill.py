"""Notifies the operators that a run is stuck. Its id contains the run id, so Temporal starts it once per stuck run."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from incidents.contracts import StandstillInput, StandstillReport
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.operators.notifications import notifications
from incidents.domain.standstill import operators_text
from incidents.priority import FIRST_RANK
from workflows.activity_failures import why
from workflows.activity_options import perform


@workflow.defn
class StandstillWorkflow:
    """One notification of each operator by each way."""

    @workflow.run
    async def run(self, start: StandstillInput) -> StandstillReport:
        """Notify everyone, and return who was reached and who was not. A way that fails stops no other one."""
        asked = notifications(operators_text(start.stuck), start.operators, workflow.info().workflow_id)
        done = await asyncio.gather(*(self._notify(way, effect, start) for way, effect in asked.items()))
        lacking = tuple(f"{each.contact}: no e-mail address" for each in start.operators if not each.email)
        report = StandstillReport(
            reached=tuple(way for way, problem in zip(asked, done, strict=True) if not problem),
            failed=(*lacking, *(f"{way}: {problem}" for way, problem in zip(asked, done, strict=True) if problem)),
        )
        if not report.reached:
            reasons = "; ".join(report.failed) or "people.operators in runbook.yaml names no operators"
            workflow.logger.error("No operator was notified that %s is stuck: %s", start.stuck.name, reasons)
        return report

    async def _notify(self, way: str, effect: ActivityRequest, start: StandstillInput) -> str:
        """Send one notification; return why it was not sent, or ""."""
        try:
            sent = await perform(effect, f"Notify {way}", FIRST_RANK, start.retry_for)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return why(error)
        return sent.skipped or ""

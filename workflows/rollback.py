"""The rollback of one cluster (runbook, "Rollback Procedures"). Its workflow id is the lock."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from runbook.effects import PreserveRecord, Redeploy, VerifyRegion
from runbook.incident import RollbackStatus
from runbook.policy import Region
from runbook.rollback import RollbackOrder, RollbackProgress, RollbackResult, result
from runbook.severity import Severity
from runbook.verification import RegionVerdict, Verdict
from workflows.hands import perform, verify, why

_REDEPLOY_PATIENCE = timedelta(minutes=10)


@workflow.defn
class RollbackWorkflow:
    """Evidence first, then the last known-good version, then proof from the product's own endpoints."""

    @workflow.init
    def __init__(self, order: RollbackOrder) -> None:
        """Take the order."""
        self._order = order
        self._progress: list[str] = []

    @workflow.run
    async def run(self, order: RollbackOrder) -> RollbackResult:
        """Roll the cluster back, verify it, and report how it ended."""
        await self._keep_evidence()
        failure = await self._redeploy()
        if failure is not None:
            ended = RollbackResult(cluster=order.cluster, status=RollbackStatus.FAILED, detail=failure)
        else:
            ended = result(order, tuple(await asyncio.gather(*(self._verify(region) for region in order.regions))))
        await self._report(ended)
        return ended

    @workflow.query(description="What the rollback has done so far.")
    def progress(self) -> list[str]:
        """Return the steps taken."""
        return self._progress

    async def _keep_evidence(self) -> None:
        """Keep what is known of the bad state before it goes away. Its failure is recorded and stops nothing."""
        order = self._order
        effect = PreserveRecord(
            key=f"{order.key}/evidence",
            folder=order.evidence_folder,
            files={f"before-rollback-{order.cluster}.json": order.model_dump_json(indent=1)},
        )
        budget = order.rules.evidence_budget
        try:
            outcome = await perform(effect, "Keep evidence of the bad state", Severity.P0, budget)
            await self._tell(f"evidence of the bad state: {outcome.skipped or outcome.detail or 'kept'}")
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            await self._tell(f"evidence of the bad state is incomplete: {why(error)}")

    async def _redeploy(self) -> str | None:
        """Deploy the candidate; return why that failed, or None."""
        order = self._order
        effect = Redeploy(
            key=f"{order.key}/redeploy",
            cluster=order.cluster,
            version=order.candidate.version,
            services=order.services,
            suspect_id=order.suspect.id,
            suspect_started_at=order.suspect.started_at,
        )
        says = f"Deploy {order.candidate.version} to {order.cluster}"
        try:
            outcome = await perform(effect, says, Severity.P0, _REDEPLOY_PATIENCE)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return why(error)
        if outcome.skipped is not None:
            return outcome.skipped
        await self._tell(f"{order.candidate.version} is being deployed in place of {order.suspect.version}")
        return None

    async def _verify(self, region: Region) -> RegionVerdict:
        effect = VerifyRegion(key=f"{self._order.key}/verify/{region.name}", region=region, rules=self._order.rules)
        try:
            judged = await verify(effect, f"Verify {region.name}: health and evaluation latency", Severity.P0)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            judged = RegionVerdict(region=region.name, verdict=Verdict.INCONCLUSIVE, detail=why(error))
        await self._tell(f"{region.name} is {judged.verdict}: {judged.detail}")
        return judged

    async def _tell(self, says: str) -> None:
        """Tell the incident of a step; an incident that has ended needs no telling."""
        self._progress.append(says)
        workflow.set_current_details("\n".join(f"- {line}" for line in self._progress))
        await self._signal("rollback_moved", RollbackProgress(cluster=self._order.cluster, says=says))

    async def _report(self, ended: RollbackResult) -> None:
        self._progress.append(f"{ended.status}: {ended.detail}")
        workflow.set_current_details("\n".join(f"- {line}" for line in self._progress))
        await self._signal("rollback_ended", ended)

    async def _signal(self, name: str, what: RollbackProgress | RollbackResult) -> None:
        try:
            await workflow.get_external_workflow_handle(self._order.report_to).signal(name, what)
        except ApplicationError as error:
            workflow.logger.warning("the incident %s was not told: %s", self._order.incident, error.message)

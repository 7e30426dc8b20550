"""The rollback of one cluster (runbook, "Rollback Procedures"). Its workflow id is the lock."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

from incidents.contracts import JUDGED, PROBED
from incidents.domain.chat.activity_requests import PostMessage
from incidents.domain.config.model import Region
from incidents.domain.core.program_errors import in_one_line
from incidents.domain.core.text.mrkdwn import as_mrkdwn
from incidents.domain.rollback.activity_requests import (
    CheckRollback,
    FollowDeployment,
    MeasureBaseline,
    Redeploy,
    VerifyRegion,
)
from incidents.domain.rollback.bound import LOOK_WITHIN, REDEPLOY_WITHIN
from incidents.domain.rollback.order import (
    Preflight,
    Probed,
    RollbackOrder,
    RollbackResult,
    build_judged_result,
    build_result,
    decide_redeployment,
    end_rollback,
)
from incidents.domain.rollback.state import ResponderVerdict, RollbackStatus
from incidents.domain.rollback.verification import BaselineFinding, RegionVerdict, Verdict
from incidents.names import ROLLBACK_STEPS_QUERY
from workflows.activity_failures import why
from workflows.activity_options import (
    check,
    follow,
    measure,
    perform,
    verify,
)
from workflows.evidence.preservation import preserve
from workflows.obligation_loop import raise_if_of_the_sdk
from workflows.rollback_report import RollbackReport

_FREEZE_RETRY_FOR = timedelta(seconds=15)


@workflow.defn
class RollbackWorkflow:
    """Evidence first, then the last known-good version, then proof from the product's own endpoints."""

    @workflow.init
    def __init__(self, order: RollbackOrder) -> None:
        """Take the order."""
        self._order = order
        self._report = RollbackReport(order)
        self._judgement: ResponderVerdict | None = None
        self._ordered = False

    @workflow.run
    async def run(self, order: RollbackOrder) -> RollbackResult:
        """Roll the cluster back, verify it, and report how it ended, also when it is cancelled in the middle."""
        try:
            result = await self._roll_back_or_fail()
        except BaseException as error:
            if not is_cancelled_exception(error):
                raise
            stopped = end_rollback(order, RollbackStatus.FAILED, f"cancelled by hand: {self._state()}")
            await asyncio.shield(self._finish(stopped))
            raise
        await self._finish(result)
        return result

    async def _roll_back_or_fail(self) -> RollbackResult:
        """Roll back; an error of this program is a failed rollback, which a person decides about (behaviour 108)."""
        try:
            return await self._roll_back()
        except Exception as error:
            if isinstance(error, FailureError):
                raise
            raise_if_of_the_sdk(error)
            said = f"error in this program ({in_one_line(error)}): {self._state()}"
            return end_rollback(self._order, RollbackStatus.FAILED, said)

    def _state(self) -> str:
        return "the redeployment was started and is not verified" if self._ordered else "nothing was deployed"

    async def _roll_back(self) -> RollbackResult:
        order = self._order
        await self._announce_freeze("freeze", f"deploy freeze: please do not deploy {order.service} to {order.cluster}")
        findings, _ = await asyncio.gather(self._measure_all(), self._keep_evidence())
        try:
            found = await self._look_again(findings)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return end_rollback(order, RollbackStatus.FAILED, f"nothing was deployed: {why(error)}")
        go = decide_redeployment(order, found)
        if go.hold:
            return end_rollback(order, RollbackStatus.HELD, f"nothing was deployed: {go.hold}")
        if go.deployed:
            await self._report.send(go.deployed, ordered=True, deployment=go.deployment)
        elif failure := await self._redeploy(found, findings):
            return end_rollback(order, RollbackStatus.FAILED, failure)
        return await self._verify_all(await self._measure_what_is_missing(findings))

    async def _finish(self, result: RollbackResult) -> None:
        """Lift the deploy freeze, and report. Never skipped: a cancelled rollback, too, leaves a known state."""
        await self._announce_freeze("thaw", f"deploy freeze of {self._order.service} on {self._order.cluster} is over")
        await self._report.finish(result)

    # --- the steps ------------------------------------------------------------------------------------------------

    async def _keep_evidence(self) -> None:
        """Keep what is known of the bad state before it goes away. What fails is a recorded gap and stops nothing."""
        order = self._order
        kept, _ = await preserve(
            f"{order.key}/evidence",
            order.incident,
            order.evidence_folder,
            order.phase,
            order.evidence,
            order.scope,
            order.rules,
            order.rules.evidence_budget,
        )
        await self._report.send(f"evidence of the bad state: {kept.detail}", manifest=kept.manifest)

    async def _measure_all(self) -> tuple[BaselineFinding, ...]:
        budget = self._order.rules.evidence_budget
        return tuple(await asyncio.gather(*(self._measure(region, budget) for region in self._order.regions)))

    async def _measure_what_is_missing(self, findings: tuple[BaselineFinding, ...]) -> tuple[BaselineFinding, ...]:
        """Ask again for the baselines that were not found in the budget: the redeployment has not waited for them."""
        pairs = zip(self._order.regions, findings, strict=True)
        again = (self._measure(region, LOOK_WITHIN) if found.failed else _known(found) for region, found in pairs)
        return tuple(await asyncio.gather(*again))

    async def _measure(self, region: Region, retry_for: timedelta) -> BaselineFinding:
        order = self._order
        effect = MeasureBaseline(
            key=f"{order.key}/baseline/{region.name}",
            region=region,
            log_service=order.scope.log_service,
            before=order.good_until,
            rules=order.rules,
        )
        try:
            found = await measure(effect, f"Find the normal latency of {region.name}", retry_for)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            found = BaselineFinding(region=region.name, why=why(error), failed=True)
        self._report.force_event()
        return found

    async def _look_again(self, findings: tuple[BaselineFinding, ...]) -> Preflight:
        order = self._order
        effect = CheckRollback(
            key=f"{order.key}/check",
            cluster=order.cluster,
            deploys=order.deploys,
            regions=order.regions,
            baselines=findings,
            rules=order.rules,
            probes=order.probes,
        )
        return await check(effect, "Run the preflight check", LOOK_WITHIN)

    async def _redeploy(self, found: Preflight, findings: tuple[BaselineFinding, ...]) -> str | None:
        """Deploy the candidate; return why that failed, or None."""
        order = self._order
        await self._report.send(f"redeploying {order.candidate.version} over {order.suspect.version}", ordered=True)
        self._ordered = True
        try:
            return await self._deploy_and_follow(found.newest.id if found.newest else "")
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return f"{why(error)}; {await self._what_is_there(found, findings)}"

    async def _deploy_and_follow(self, mark: str) -> str | None:
        """Start the deployment and wait until it ends; return why it was skipped, or None. `mark`: the newest before.

        Raises:
            ActivityError: it could not be started, or it failed.
        """
        order = self._order
        version, rules = order.candidate.version, order.rules
        effect = Redeploy(
            key=f"{order.key}/redeploy",
            cluster=order.cluster,
            version=version,
            services=order.services,
            suspect_id=order.suspect.id,
            mark=mark,
            rules=rules,
        )
        outcome = await perform(effect, f"Deploy {version} to {order.cluster}", order.rank, REDEPLOY_WITHIN)
        if outcome.skipped is not None:
            return outcome.skipped
        reference = outcome.reference
        await self._report.send(f"{version} is being deployed: {outcome.detail}", ordered=True, deployment=reference)
        wanted = FollowDeployment(key=f"{order.key}/follow", reference=reference, version=version, rules=rules)
        followed = await follow(wanted, f"Wait for deployment {reference}", order.rank)
        if followed.detail:
            await self._report.send(followed.detail)
        return None

    async def _what_is_there(self, before: Preflight, findings: tuple[BaselineFinding, ...]) -> str:
        """Say what a failed redeployment has left, as far as it can be seen."""
        try:
            newest = (await self._look_again(findings)).newest
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return f"the running version is unknown ({why(error)})"
        unchanged = newest is None or (before.newest is not None and newest.id == before.newest.id)
        return "nothing was deployed" if unchanged or newest is None else f"{newest.version} is the newest deployment"

    async def _verify_all(self, findings: tuple[BaselineFinding, ...]) -> RollbackResult:
        """Probe every region until each is judged, or a person has given the verdict."""
        order = self._order
        pairs = zip(order.regions, findings, strict=True)
        probing = asyncio.ensure_future(asyncio.gather(*(self._verify(region, found) for region, found in pairs)))
        try:
            while not probing.done() and self._judgement is None:
                await workflow.wait_condition(
                    lambda: probing.done() or self._judgement is not None or self._report.pending
                )
                await self._report.send_pending()
            if self._judgement is not None:
                return build_judged_result(order, self._judgement)
            return build_result(order, tuple(await probing))
        finally:
            if not probing.done():
                probing.cancel()
                await asyncio.gather(probing, return_exceptions=True)

    async def _verify(self, region: Region, found: BaselineFinding) -> RegionVerdict:
        order = self._order
        effect = VerifyRegion(
            key=f"{order.key}/verify/{region.name}",
            region=region,
            baseline=found,
            rules=order.rules,
            probes=order.probes,
        )
        try:
            verdict = await verify(effect, f"Verify {region.name}: health and latency", order.rank)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            verdict = RegionVerdict(region=region.name, verdict=Verdict.INCONCLUSIVE, detail=why(error))
        await self._report.send(f"{region.name} is {verdict.verdict}: {verdict.detail}")
        self._report.force_event()
        return verdict

    async def _announce_freeze(self, what: str, words: str) -> None:
        """Ask for a halt of deployments, or end it (behaviour 52)."""
        order = self._order
        if not order.rules.freeze_channel:
            return
        text = f"{order.incident}: {words}"
        effect = PostMessage(key=f"{order.key}/{what}", channel_id=order.rules.freeze_channel, text=as_mrkdwn(text))
        try:
            await perform(effect, text, order.rank, _FREEZE_RETRY_FOR)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            await self._report.send(f"not posted in the freeze channel ({words}): {why(error)}")

    # --- messages -------------------------------------------------------------------------------------------------

    @workflow.signal(name=JUDGED, description="A responder's verdict on an inconclusive rollback.")
    def judged(self, judgement: ResponderVerdict) -> None:
        """Take the verdict: the verification ends with it."""
        self._judgement = judgement
        self._report.force_event()

    @workflow.signal(name=PROBED, description="Progress of the verification of a region.")
    def probed(self, probed: Probed) -> None:
        """Take what the probes say; the newest word of each region counts."""
        self._report.queue(probed)
        self._report.force_event()

    @workflow.query(name=ROLLBACK_STEPS_QUERY, description="Steps of the rollback so far.")
    def progress(self) -> list[str]:
        """Return the steps taken."""
        return self._report.steps


async def _known(found: BaselineFinding) -> BaselineFinding:
    return found

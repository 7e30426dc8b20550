"""Deployments: find a possible rollback, redeploy an exact version, follow a deployment."""

import asyncio
from collections.abc import Mapping

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.deployers import Deployer, Standing
from activities.errors import may_be_repeat, translate_vendor_errors
from activities.past import Past
from incidents.domain.activity_requests import ActivityResult
from incidents.domain.rollback.activity_requests import FindRollback, FollowDeployment, Redeploy
from incidents.domain.rollback.config import Deployer as Name
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.known_good import Offer, choose_rollback

_FAILED = "DeploymentFailed"


class Deployments:
    """Reads and orders deployments through the deployer of runbook.yaml. Without one, requests are skipped."""

    def __init__(self, deployers: Mapping[Name, Deployer], off: Mapping[Name, str], past: Past) -> None:
        self._deployers, self._off, self._past = deployers, off, past

    @activity.defn
    async def find_rollback(self, request: FindRollback) -> ActivityResult:
        """Find the possible rollback of each cluster from its whole history."""
        deployer = self._deployers.get(request.rules.deployer)
        if deployer is None:
            return ActivityResult(skipped=self._off[request.rules.deployer])
        earlier, problem = await self._past.bad_releases(request.service, request.workflow_id)
        blamed = {**earlier, **request.blamed}
        with translate_vendor_errors():
            offers = await asyncio.gather(
                *(asyncio.to_thread(self._judge, deployer, name, request, blamed) for name in request.clusters)
            )
        detail = "; ".join([found.reason for found in offers] + ([problem] if problem else []))
        return ActivityResult(detail=detail, offers=tuple(offers))

    @staticmethod
    def _judge(deployer: Deployer, cluster: str, request: FindRollback, blamed: dict[str, str]) -> Offer:
        history = deployer.history(cluster, request.rules)
        if history is None:
            return Offer(cluster=cluster, reason=f"{cluster}: not found in the Ops Portal")
        return choose_rollback(history, cluster, request.alerted_at, request.rules, blamed)

    @activity.defn
    def redeploy(self, request: Redeploy) -> ActivityResult:
        """Deploy an exact version, once: a retry looks for the deployment of an earlier attempt."""
        deployer = self._deployers.get(request.rules.deployer)
        if deployer is None:
            return ActivityResult(skipped=self._off[request.rules.deployer])
        with translate_vendor_errors():
            ordered = deployer.deploy(request, repeated=may_be_repeat(request))
        if ordered is None:
            return ActivityResult(skipped=f"{request.cluster}: not found in the Ops Portal")
        return ActivityResult(detail=ordered.how, reference=ordered.reference)

    @activity.defn
    def follow_deployment(self, request: FollowDeployment) -> ActivityResult:
        """Follow a deployment to its end. A failed deployment is a non-retryable error."""
        deployer = self._deployers.get(request.rules.deployer)
        if deployer is None:
            return ActivityResult(skipped=self._off[request.rules.deployer])
        while True:
            found = self._standing(deployer, request.reference)
            if found.failed:
                raise ApplicationError(found.failed, type=_FAILED, non_retryable=True)
            if found.done:
                return ActivityResult(detail=found.says)
            activity.heartbeat()
            # Wakes at once, with the cancellation as an error, when the activity is cancelled.
            activity.wait_for_cancelled_sync(request.rules.probe_interval)

    @staticmethod
    def _standing(deployer: Deployer, reference: str) -> Standing:
        with translate_vendor_errors():
            return deployer.standing(reference)

    def deployer(self, rules: Rollback) -> Deployer | None:
        """Return the configured deployer, for other activities that read its history."""
        return self._deployers.get(rules.deployer)

    def why_off(self, rules: Rollback) -> str:
        """Return why that deployer is off."""
        return self._off[rules.deployer]

"""Deployments: find a possible rollback, redeploy an exact version, follow a deployment."""

import asyncio
from collections.abc import Mapping

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import ports
from activities.errors import may_be_repeat, translate_vendor_errors
from activities.rollback.deployers import Standing
from activities.rollback.past import Past
from incidents.domain.activity_results import ActivityResult, DeploymentOrdered, DeploymentsSearched
from incidents.domain.core.errors import ErrorType
from incidents.domain.rollback.activity_requests import FindRollback, FollowDeployment, Redeploy
from incidents.domain.rollback.config import Deployer, Rollback
from incidents.domain.rollback.known_good import Offer, Search, choose_rollback, describe_recent


class Deployments:
    """Reads and orders deployments through the deployer of runbook.yaml. Without one, requests are skipped."""

    def __init__(self, deployers: Mapping[Deployer, ports.Deployer], off: Mapping[Deployer, str], past: Past) -> None:
        self._deployers, self._off, self._past = deployers, off, past

    @activity.defn
    async def find_rollback(self, request: FindRollback) -> DeploymentsSearched:
        """Find the possible rollback of each cluster from its whole history."""
        deployer = self._deployers.get(request.rules.deployer)
        if deployer is None:
            return DeploymentsSearched(skipped=self._off[request.rules.deployer])
        earlier = await self._past.known_releases(request.service, request.workflow_id, request.number)
        asked = request.replace(
            blamed={**earlier.bad, **request.blamed}, restored=(*request.restored, *earlier.restored)
        )
        with translate_vendor_errors():
            offers = await asyncio.gather(
                *(asyncio.to_thread(self._judge, deployer, name, asked) for name in request.clusters)
            )
        recent = [describe_recent(found, request.alerted_at) for found in offers]
        detail = "; ".join(filter(None, [*(found.reason for found in offers), *recent, earlier.problem]))
        return DeploymentsSearched(detail=detail, offers=tuple(offers))

    @staticmethod
    def _judge(deployer: ports.Deployer, cluster: str, request: FindRollback) -> Offer:
        history = deployer.history(cluster, request.rules)
        if history is None:
            return Offer(cluster=cluster, reason=f"{cluster}: not found in {deployer.name}")
        search = Search(
            cluster=cluster,
            alerted_at=request.alerted_at,
            rules=request.rules,
            blamed=request.blamed,
            deploys=request.deploys,
            restored=frozenset(request.restored),
            wanted=request.version,
        )
        return choose_rollback(history, search)

    @activity.defn
    def redeploy(self, request: Redeploy) -> DeploymentOrdered:
        """Deploy an exact version, once: a retry looks for the deployment of an earlier attempt."""
        deployer = self._deployers.get(request.rules.deployer)
        if deployer is None:
            return DeploymentOrdered(skipped=self._off[request.rules.deployer])
        with translate_vendor_errors():
            ordered = deployer.deploy(request, repeated=may_be_repeat(request))
        if ordered is None:
            return DeploymentOrdered(skipped=f"{request.cluster}: not found in {deployer.name}")
        return DeploymentOrdered(detail=ordered.how, reference=ordered.reference)

    @activity.defn
    def follow_deployment(self, request: FollowDeployment) -> ActivityResult:
        """Follow a deployment to its end. A failed deployment is a non-retryable error."""
        deployer = self._deployers.get(request.rules.deployer)
        if deployer is None:
            return ActivityResult(skipped=self._off[request.rules.deployer])
        while True:
            found = self._standing(deployer, request.reference)
            if found.failed:
                raise ApplicationError(found.failed, type=ErrorType.DEPLOYMENT_FAILED, non_retryable=True)
            if found.done:
                return ActivityResult(detail=found.summary)
            activity.heartbeat()
            # Wakes at once, with the cancellation as an error, when the activity is cancelled.
            activity.wait_for_cancelled_sync(request.rules.probe_interval)

    @staticmethod
    def _standing(deployer: ports.Deployer, reference: str) -> Standing:
        with translate_vendor_errors():
            return deployer.standing(reference)

    def deployer(self, rules: Rollback) -> ports.Deployer | None:
        """Return the configured deployer, for other activities that read its history."""
        return self._deployers.get(rules.deployer)

    def why_off(self, rules: Rollback) -> str:
        """Return why that deployer is off."""
        return self._off[rules.deployer]

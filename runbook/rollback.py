"""The rollback of one cluster: what is ordered, how it goes, how it ended."""

from runbook.base import Frozen
from runbook.deployments import Deployment
from runbook.incident import Incident, RollbackState, RollbackStatus
from runbook.policy import Region, Rollback, Runbook
from runbook.verification import RegionVerdict, Verdict, combine


class RollbackOrder(Frozen):
    """Everything that the rollback of one cluster needs. `report_to` is the workflow that is told of its progress."""

    key: str
    incident: str
    report_to: str
    cluster: str
    service: str
    services: tuple[str, ...] = ()
    regions: tuple[Region, ...]
    suspect: Deployment
    candidate: Deployment
    rules: Rollback
    requested_by: str
    evidence_folder: str

    @property
    def workflow_id(self) -> str:
        """The rollback's workflow id, which is the lock: one at a time for a cluster and service."""
        return f"rollback-{self.cluster}-{self.service}"


class RollbackProgress(Frozen):
    """A step that a running rollback has taken."""

    cluster: str
    says: str


class RollbackResult(Frozen):
    """How a rollback ended."""

    cluster: str
    status: RollbackStatus
    detail: str
    regions: tuple[RegionVerdict, ...] = ()


def evidence_folder(incident: Incident) -> str:
    """Return the folder of the incident's evidence, below the evidence URL."""
    return f"INC-{incident.number}" if incident.number is not None else f"key-{incident.key}"


def order(incident: Incident, state: RollbackState, runbook: Runbook) -> RollbackOrder:
    """Return the order for an approved rollback.

    Raises:
        ValueError: the offer has no suspect or no candidate; such an offer is never approved.
    """
    offer = state.offer
    if offer.suspect is None or offer.candidate is None:
        raise ValueError(f"the offer for {offer.cluster} names nothing to roll back")
    regions = tuple(region for region in runbook.regions_of(incident.service) if region.cluster == offer.cluster)
    return RollbackOrder(
        key=f"{incident.run_key}/rollback/{offer.cluster}/{state.attempt}",
        incident=incident.name,
        report_to=incident.workflow_id,
        cluster=offer.cluster,
        service=incident.service,
        services=offer.suspect.services or runbook.service(incident.service).deploys,
        regions=regions,
        suspect=offer.suspect,
        candidate=offer.candidate,
        rules=runbook.rollback,
        requested_by=state.decided_by,
        evidence_folder=evidence_folder(incident),
    )


def result(order: RollbackOrder, regions: tuple[RegionVerdict, ...]) -> RollbackResult:
    """Return how the rollback ended, by what its regions say."""
    verdict = combine(regions)
    detail = "; ".join(f"{region.region}: {region.detail}" for region in regions) or "no region to probe"
    status = {
        Verdict.HEALTHY: RollbackStatus.HEALTHY,
        Verdict.UNHEALTHY: RollbackStatus.UNHEALTHY,
        Verdict.INCONCLUSIVE: RollbackStatus.INCONCLUSIVE,
    }[verdict]
    return RollbackResult(cluster=order.cluster, status=status, detail=detail, regions=regions)

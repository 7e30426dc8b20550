"""The rollback of one cluster: what is ordered, whether it may go on, how it goes, how it ended."""

from pydantic import AwareDatetime

from incidents.domain.config.model import Region, RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.evidence.manifest import (
    Item,
    ManifestRef,
    Scope,
    items,
)
from incidents.domain.evidence.preservation import evidence_folder, incident_scope
from incidents.domain.incident.incident import Incident
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.known_good import Deployment
from incidents.domain.rollback.state import Judgement, RollbackState, RollbackStatus
from incidents.domain.rollback.verification import RegionVerdict, Verdict, combine

HOLDER = "holder"
"""The memo of a rollback's process that says for whom it runs."""


class RollbackOrder(Frozen):
    """Everything that the rollback of one cluster needs. `report_to` is the workflow that is told of its progress.

    `rank`: the severity's place in the incident's runbook, 1 for the worst.
    """

    key: str
    attempt: int
    incident: str
    severity: Severity
    rank: int = 1
    report_to: str
    cluster: str
    service: str
    services: tuple[str, ...] = ()
    regions: tuple[Region, ...]
    suspect: Deployment
    candidate: Deployment
    mark: str
    insist: bool
    rules: Rollback
    requested_by: str
    evidence_folder: str
    evidence: tuple[Item, ...]
    scope: Scope

    @property
    def workflow_id(self) -> str:
        """The rollback's workflow id, which is the lock: one at a time for a cluster and service."""
        return f"rollback-{self.cluster}-{self.service}"

    @property
    def good_until(self) -> AwareDatetime:
        """When good times ended: the newer of the two versions came then, also where the way leads forward again."""
        return max(self.suspect.started_at, self.candidate.started_at)

    @property
    def phase(self) -> str:
        """What the evidence of the bad state is filed under."""
        return f"before-rollback-{self.cluster}-{self.attempt}"


class Probed(Frozen):
    """What the verification of one region says while it is open."""

    region: str
    says: str
    undecided: bool = False


class Preflight(Frozen):
    """The state just before the redeployment. `newest`: the cluster's newest deployment.

    `recovered`: every region answered well, and fast enough, as often in a row as a recovery needs.
    """

    newest: Deployment | None
    recovered: bool
    looks: str


class Go(Frozen):
    """The decision at the last moment. `hold`: why a person is asked instead; `deployed`: it is there already."""

    hold: str = ""
    deployed: str = ""


def decide_redeployment(order: RollbackOrder, found: Preflight) -> Go:
    """Decide whether the redeployment may still be ordered.

    The state may have changed since it was decided: somebody deployed (BEHAVIOURS 52), or the region recovered by
    itself (59). Then a person is asked, unless the one who ordered it knew: by default nothing is rolled back.
    """
    newest = found.newest
    if newest is not None and newest.id != order.mark:
        if newest.version == order.candidate.version:
            return Go(deployed=f"{newest.version} was deployed already by somebody else ({newest.id})")
        if not order.insist:
            return Go(hold=f"{newest.version} was deployed to {order.cluster} since this was decided")
    if found.recovered and not order.insist:
        return Go(hold=f"{order.cluster} recovered by itself before the redeployment ({found.looks})")
    return Go()


class RollbackProgress(Frozen):
    """A step that a running rollback has taken.

    `ordered`: the redeployment is ordered from here on. `undecided`: the verification cannot tell, and a person is
    asked. `quiet`: to be shown, not remembered. `manifest`: the evidence that was kept.
    """

    cluster: str
    attempt: int
    says: str
    ordered: bool = False
    undecided: bool = False
    quiet: bool = False
    manifest: ManifestRef | None = None


class RollbackResult(Frozen):
    """How a rollback ended."""

    cluster: str
    attempt: int
    status: RollbackStatus
    detail: str
    regions: tuple[RegionVerdict, ...] = ()


def build_order(incident: Incident, state: RollbackState, runbook: RunbookConfig, at: AwareDatetime) -> RollbackOrder:
    """Return the order for an approved rollback.

    Raises:
        ValueError: the offer has no suspect or no candidate; such an offer is never approved.
    """
    offer = state.offer
    if offer.suspect is None or offer.candidate is None:
        raise ValueError(f"the offer for {offer.cluster} names nothing to roll back")
    regions = tuple(region for region in runbook.regions_of(incident.service) if region.cluster == offer.cluster)
    made = RollbackOrder(
        key=f"{incident.first_run_id}/rollback/{offer.cluster}/{state.attempt}",
        attempt=state.attempt,
        incident=incident.name,
        severity=incident.severity,
        rank=runbook.rank(incident.severity),
        report_to=incident.workflow_id,
        cluster=offer.cluster,
        service=incident.service,
        services=offer.suspect.services or runbook.service(incident.service).deploys,
        regions=regions,
        suspect=offer.suspect,
        candidate=offer.candidate,
        mark=offer.mark,
        insist=state.insist,
        rules=runbook.rollback,
        requested_by=state.decided_by,
        evidence_folder=evidence_folder(incident),
        evidence=(),
        scope=incident_scope(incident, runbook, at).replace(regions=regions),
    )
    texts = {"order.json": made.model_dump_json(indent=1)}
    return made.replace(evidence=items(texts, regions, runbook.investigation.metrics, made.phase))


def build_result(order: RollbackOrder, regions: tuple[RegionVerdict, ...]) -> RollbackResult:
    """Return how the rollback ended, by what its regions say."""
    verdict = combine(regions)
    detail = "; ".join(f"{region.region}: {region.detail}" for region in regions) or "no region to probe"
    status = {
        Verdict.HEALTHY: RollbackStatus.HEALTHY,
        Verdict.UNHEALTHY: RollbackStatus.UNHEALTHY,
        Verdict.INCONCLUSIVE: RollbackStatus.INCONCLUSIVE,
    }[verdict]
    return end_rollback(order, status, detail, regions)


def end_rollback(
    order: RollbackOrder, status: RollbackStatus, detail: str, regions: tuple[RegionVerdict, ...] = ()
) -> RollbackResult:
    """Return a result of that order."""
    return RollbackResult(cluster=order.cluster, attempt=order.attempt, status=status, detail=detail, regions=regions)


def build_judged_result(order: RollbackOrder, word: Judgement) -> RollbackResult:
    """Return how a rollback ended that a person judged."""
    status = RollbackStatus.HEALTHY if word.healthy else RollbackStatus.UNHEALTHY
    return end_rollback(order, status, f"judged by {word.by}: {word.reason or 'no reason given'}")

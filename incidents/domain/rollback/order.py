"""The rollback of one cluster: its order, preflight decision, progress and result."""

from typing import assert_never

from pydantic import AliasChoices, AwareDatetime, Field

from incidents.domain.config.model import Region, RunbookConfig
from incidents.domain.config.probes import Probe
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
from incidents.domain.rollback.state import ResponderVerdict, RollbackState, RollbackStatus
from incidents.domain.rollback.verification import RegionVerdict, Verdict, combine

HOLDER = "holder"
"""Memo key of a rollback workflow: the incident that holds the lock."""


def rollback_workflow_id(cluster: str, service: str, *, drill: bool) -> str:
    """Return the id of the workflow that rolls a service back in a cluster."""
    return f"{'drill-' if drill else ''}rollback-{cluster}-{service}"


class RollbackOrder(Frozen):
    """Input of a cluster's rollback workflow. `report_to`: the workflow id that receives progress signals.

    `rank`: the severity's place in the incident's runbook, 1 for the worst. `services` are redeployed; `deploys`: what
    the incident's service is deployed as, empty for anything.
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
    deploys: tuple[str, ...] = ()
    regions: tuple[Region, ...]
    suspect: Deployment
    candidate: Deployment
    mark: str
    insist: bool
    rules: Rollback
    probes: tuple[Probe, ...] = ()
    requested_by: str
    evidence_folder: str
    evidence: tuple[Item, ...]
    scope: Scope
    drill: bool = False

    @property
    def workflow_id(self) -> str:
        """The rollback's workflow id, which is the lock: one at a time for a cluster and service.

        A drill's id is different, so that it blocks no real rollback.
        """
        return rollback_workflow_id(self.cluster, self.service, drill=self.drill)

    @property
    def good_until(self) -> AwareDatetime:
        """End of the baseline window: when the newer of the two versions was deployed (also for roll-forward)."""
        return max(self.suspect.started_at, self.candidate.started_at)

    @property
    def phase(self) -> str:
        """Evidence folder for the state before the rollback."""
        return f"before-rollback-{self.cluster}-{self.attempt}"


class Probed(Frozen):
    """Progress of one region's verification."""

    region: str
    summary: str
    undecided: bool = False


class Preflight(Frozen):
    """The state just before the redeployment. `newest`: the newest deployment that touches the service.

    `recovered`: every region passed the health and latency checks of a recovery.
    """

    newest: Deployment | None
    recovered: bool
    looks: str


class Go(Frozen):
    """The preflight decision. `hold`: why a responder must decide; `deployed`: the candidate is already deployed.

    `deployment`: id of that deployment.
    """

    hold: str = ""
    deployed: str = ""
    deployment: str = ""


def decide_redeployment(order: RollbackOrder, found: Preflight) -> Go:
    """Decide whether to go ahead with the redeployment.

    Since the decision, someone may have deployed (behaviour 52) or the region recovered (59). Then hold for a
    responder's decision, unless the order says `insist`.
    """
    newest = found.newest
    if newest is not None and newest.id != order.mark:
        if newest.version == order.candidate.version:
            summary = f"{newest.version} was already deployed outside this incident ({newest.id})"
            return Go(deployed=summary, deployment=newest.id)
        if not order.insist:
            return Go(hold=f"{newest.version} was deployed to {order.cluster} after the rollback was decided")
    if found.recovered and not order.insist:
        return Go(hold=f"{order.cluster} recovered before the redeployment ({found.looks})")
    return Go()


class RollbackProgress(Frozen):
    """Progress of a running rollback.

    `ordered`: the redeployment has been ordered. `undecided`: the verification needs a responder's verdict. `quiet`:
    shown, but not added to the timeline. `manifest`: the evidence that was saved. `deployment`: id of the deployment of
    the candidate, once it is known.
    """

    cluster: str
    attempt: int
    summary: str = Field(validation_alias=AliasChoices("summary", "says"))  # `says` in histories recorded before
    ordered: bool = False
    undecided: bool = False
    quiet: bool = False
    manifest: ManifestRef | None = None
    deployment: str = ""


class RollbackResult(Frozen):
    """The result of a rollback."""

    cluster: str
    attempt: int
    status: RollbackStatus
    detail: str
    regions: tuple[RegionVerdict, ...] = ()


def build_order(incident: Incident, state: RollbackState, runbook: RunbookConfig, at: AwareDatetime) -> RollbackOrder:
    """Build the order of an approved rollback.

    Raises:
        ValueError: the offer has no suspect or candidate (such an offer is never approved).
    """
    offer = state.offer
    if offer.suspect is None or offer.candidate is None:
        raise ValueError(f"the offer for {offer.cluster} has no suspect or candidate")
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
        deploys=runbook.service(incident.service).deploys,
        regions=regions,
        suspect=offer.suspect,
        candidate=offer.candidate,
        mark=offer.mark,
        insist=state.insist,
        rules=runbook.rollback,
        probes=runbook.probes,
        requested_by=state.decided_by,
        evidence_folder=evidence_folder(incident),
        evidence=(),
        scope=incident_scope(incident, runbook, at).replace(regions=regions),
        drill=incident.drill,
    )
    texts = {"order.json": made.model_dump_json(indent=1)}
    return made.replace(evidence=items(texts, regions, runbook.investigation.preserved, made.phase))


def build_result(order: RollbackOrder, regions: tuple[RegionVerdict, ...]) -> RollbackResult:
    """Build the result from the regions' verdicts."""
    detail = "; ".join(f"{region.region}: {region.detail}" for region in regions) or "no region to verify"
    return end_rollback(order, _status_of(combine(regions)), detail, regions)


def _status_of(verdict: Verdict) -> RollbackStatus:
    match verdict:
        case Verdict.HEALTHY:
            return RollbackStatus.HEALTHY
        case Verdict.UNHEALTHY:
            return RollbackStatus.UNHEALTHY
        case Verdict.INCONCLUSIVE:
            return RollbackStatus.INCONCLUSIVE
        case _:
            assert_never(verdict)


def end_rollback(
    order: RollbackOrder, status: RollbackStatus, detail: str, regions: tuple[RegionVerdict, ...] = ()
) -> RollbackResult:
    """Build a result for an order."""
    return RollbackResult(cluster=order.cluster, attempt=order.attempt, status=status, detail=detail, regions=regions)


def build_judged_result(order: RollbackOrder, word: ResponderVerdict) -> RollbackResult:
    """Build the result from a responder's verdict."""
    status = RollbackStatus.HEALTHY if word.healthy else RollbackStatus.UNHEALTHY
    return end_rollback(order, status, f"judged by {word.by}: {word.reason or 'no reason given'}")

"""Requests to the activities of a rollback: find, measure, check, redeploy, verify, preserve evidence."""

from pydantic import AwareDatetime

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult, DeploymentOrdered, DeploymentsSearched, EvidencePreserved
from incidents.domain.config.model import Region
from incidents.domain.config.probes import Probe
from incidents.domain.core.repeats import READS, looked_for, overwrites
from incidents.domain.core.timeline import TimelineHead
from incidents.domain.evidence.manifest import Item, Part, Scope
from incidents.domain.rollback.baseline import Sample
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.order import Preflight
from incidents.domain.rollback.verification import BaselineFinding, RegionVerdict


class FindRollback(ActivityRequest[DeploymentsSearched]):
    """Read the deployment history of the clusters and judge what could be rolled back.

    `deploys`: what the service is deployed as; deployments of nothing else are looked at. `blamed`: versions that this
    incident knows to be bad, and why. `restored`: ids of the deployments that its verified rollbacks made. What earlier
    incidents know of either is looked up; `workflow_id` and `number` keep
    this one out of that. `version`: the one that a responder chose; empty: the newest that is known-good.
    """

    repeat = READS
    workflow_id: str
    number: int | None = None
    service: str
    clusters: tuple[str, ...]
    alerted_at: AwareDatetime
    rules: Rollback
    deploys: tuple[str, ...] = ()
    blamed: dict[str, str] = {}
    restored: tuple[str, ...] = ()
    version: str = ""


class MeasureBaseline(ActivityRequest[BaselineFinding]):
    """Find the latency of a region in good times."""

    repeat = READS
    region: Region
    log_service: str
    before: AwareDatetime
    rules: Rollback


class CheckRollback(ActivityRequest[Preflight]):
    """Look once more, just before the redeployment. `deploys`: as of `FindRollback`."""

    repeat = READS
    cluster: str
    deploys: tuple[str, ...] = ()
    regions: tuple[Region, ...]
    baselines: tuple[BaselineFinding, ...]
    rules: Rollback
    probes: tuple[Probe, ...] = ()


class Redeploy(ActivityRequest[DeploymentOrdered]):
    """Deploy `version` to a cluster, unless an earlier attempt did: then its row is newer than `mark`.

    `suspect_id`: the row that is replaced.
    """

    repeat = looked_for("the row of the deployment history that is newer than the one at the decision")
    cluster: str
    version: str
    services: tuple[str, ...]
    suspect_id: str
    mark: str
    rules: Rollback


class FollowDeployment(ActivityRequest[ActivityResult]):
    """Follow an ordered deployment to its end, where the deployer reports one; for `longest_deployment` at most."""

    repeat = READS
    reference: str
    version: str
    rules: Rollback


class VerifyRegion(ActivityRequest[RegionVerdict]):
    """Probe a region until it is judged."""

    repeat = READS
    region: Region
    baseline: BaselineFinding
    rules: Rollback
    probes: tuple[Probe, ...] = ()


class FollowRollback(ActivityRequest[ActivityResult]):
    """Wait until a rollback workflow has ended, whichever incident started it."""

    repeat = READS
    workflow_id: str


class FindLockHolder(ActivityRequest[ActivityResult]):
    """Find the incident that holds a rollback's lock."""

    repeat = READS
    workflow_id: str


class CaptureEvidence(ActivityRequest[Part]):
    """Write one file of evidence."""

    repeat = overwrites("its path")
    folder: str
    item: Item
    scope: Scope
    rules: Rollback


class WriteManifest(ActivityRequest[EvidencePreserved]):
    """Write the manifest of what was preserved in one phase. `timeline`: of a resolution, the timeline's head."""

    repeat = overwrites("its path")
    folder: str
    incident: str
    phase: str
    parts: tuple[Part, ...]
    timeline: TimelineHead | None = None


class RecordRegions(ActivityRequest[list[Sample]]):
    """Probe each region `rounds` times in good times."""

    repeat = READS
    regions: tuple[Region, ...]
    probes: tuple[Probe, ...]
    rounds: int

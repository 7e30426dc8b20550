"""Requests to the activities of a rollback: find, measure, check, redeploy, verify, preserve evidence."""

from pydantic import AwareDatetime

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.config.model import Region
from incidents.domain.evidence.manifest import Item, Part, Scope
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.verification import BaselineFinding


class FindRollback(ActivityRequest):
    """Read the deployment history of the clusters and judge what could be rolled back.

    `blamed`: versions that this incident knows to be bad, and why. What earlier incidents of the service know is looked
    up; `workflow_id` keeps this one out of that.
    """

    workflow_id: str
    service: str
    clusters: tuple[str, ...]
    alerted_at: AwareDatetime
    rules: Rollback
    blamed: dict[str, str] = {}


class MeasureBaseline(ActivityRequest):
    """Find the latency of a region's evaluations in good times. The answer is a `BaselineFinding`."""

    region: Region
    log_service: str
    before: AwareDatetime
    rules: Rollback


class CheckRollback(ActivityRequest):
    """Look once more, just before the redeployment. The answer is a `Preflight`."""

    cluster: str
    regions: tuple[Region, ...]
    baselines: tuple[BaselineFinding, ...]
    rules: Rollback


class Redeploy(ActivityRequest):
    """Deploy `version` to a cluster, unless an earlier attempt did: then its row is newer than `mark`.

    `suspect_id`: the row that is replaced.
    """

    cluster: str
    version: str
    services: tuple[str, ...]
    suspect_id: str
    mark: str
    rules: Rollback


class FollowDeployment(ActivityRequest):
    """Follow an ordered deployment to its end, where the deployer tells one."""

    reference: str
    version: str
    rules: Rollback


class VerifyRegion(ActivityRequest):
    """Probe a region until it is judged. The answer is a `RegionVerdict`."""

    region: Region
    baseline: BaselineFinding
    rules: Rollback


class FollowRollback(ActivityRequest):
    """Wait for the end of a rollback's own process, whoever started it."""

    workflow_id: str


class FindLockHolder(ActivityRequest):
    """Find out for whom a process runs."""

    workflow_id: str


class CaptureEvidence(ActivityRequest):
    """Write one file of evidence. The answer is a `Part`."""

    folder: str
    item: Item
    scope: Scope
    rules: Rollback


class WriteManifest(ActivityRequest):
    """Write the manifest of what was preserved in one phase."""

    folder: str
    incident: str
    phase: str
    parts: tuple[Part, ...]


class RecordRegions(ActivityRequest):
    """Make some probes of each region in good times. The answer is a tuple of `Sample`."""

    regions: tuple[Region, ...]
    probes: int

"""Ops Portal deployer, with its pitfalls (docs/vendor-notes.md#ops-portal).

The portal's own rollback sees only the two newest deployments and can roll forward to the bad version. It is used only
if it would choose our candidate, because it records `rollback_from`. Deployments never leave `in_progress` there, so
our own verification decides.
"""

from itertools import islice

from activities.rollback.deployers import Ordered, Standing
from incidents.domain.rollback.activity_requests import Redeploy
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.known_good import Deployment, touches
from incidents.vendors.errors import VendorRejected
from incidents.vendors.ops_portal import Deployment as Row
from incidents.vendors.ops_portal import OpsPortalClient

NO_COMPLETION = "the Ops Portal does not report completion; checking health instead"


class OpsPortalDeployer:
    """Deploys through the portal."""

    name = "the Ops Portal"

    def __init__(self, client: OpsPortalClient) -> None:
        self._client = client

    def history(self, cluster: str, rules: Rollback) -> tuple[Deployment, ...] | None:
        """Read every page of the cluster's history."""
        found = self._client.cluster(cluster)
        if found is None:
            return None
        return tuple(_deployment(cluster, row) for row in self._client.deployments(found.id))

    def deploy(self, request: Redeploy, *, repeated: bool) -> Ordered | None:
        """Order the version: by the portal's rollback if that would pick it, else by an exact deployment."""
        cluster = self._client.cluster(request.cluster)
        if cluster is None:
            return None
        if repeated and (made := self._made(cluster.id, request)):
            return Ordered(made.id, f"deployment {made.id} (started by an earlier attempt)")
        if back := self._rolled_back(cluster.id, request):
            return Ordered(back.id, f"deployment {back.id} (Ops Portal rollback)")
        made = self._client.deploy(cluster.id, request.version, request.services)
        return Ordered(made.id, f"deployment {made.id}")

    def standing(self, reference: str) -> Standing:
        """Return done at once: the portal reports no completion."""
        return Standing(done=True, summary=NO_COMPLETION)

    def _made(self, cluster_id: str, request: Redeploy) -> Row | None:
        """Return the row of this version above the mark, if there is one."""
        for row in self._client.deployments(cluster_id):
            if row.id == request.mark:
                return None
            if row.version == request.version and touches(_deployment(request.cluster, row), request.services):
                return row
        return None

    def _rolled_back(self, cluster_id: str, request: Redeploy) -> Row | None:
        """Use the portal's rollback if it would choose our candidate; None if not, or if it chose another version."""
        newest = [_deployment(request.cluster, row) for row in islice(self._client.deployments(cluster_id), 2)]
        is_newest = bool(newest) and newest[0].id == request.suspect_id
        if not is_newest or portal_would_pick(newest, request.suspect_id) != request.version:
            return None
        try:
            row = self._client.rollback(request.suspect_id, cluster_id)
        except VendorRejected as refusal:
            if refusal.status != 422:  # nothing to roll back to: its history has changed since we read it
                raise
            return None
        return row if row.version == request.version else None


def _deployment(cluster: str, row: Row) -> Deployment:
    return Deployment(
        id=row.id,
        cluster=cluster,
        version=row.version,
        status=row.status,
        started_at=row.started_at,
        services=row.services,
        rollback_from=row.rollback_from,
        labels=row.labels,
    )


def portal_would_pick(rows: list[Deployment], suspect_id: str) -> str | None:
    """Return the version that the portal's own rollback would choose (docs/vendor-notes.md#ops-portal), or None.

    It looks at the two newest rows only, skips the given one, and takes the first with status success.
    """
    return next((row.version for row in rows[:2] if row.id != suspect_id and row.status == "success"), None)

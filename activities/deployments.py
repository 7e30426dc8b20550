"""Deployments: the Ops Portal's history, and a new deployment of an exact version.

The portal's own rollback is not used: it sees only the two newest rows, and can roll forward to the bad version. Nor is
its word awaited: no deployment there ever leaves `in_progress`, so our own verification decides.
"""

from temporalio import activity

from activities.errors import repeated, translated
from clients.ops_portal import Deployment as Row
from clients.ops_portal import OpsPortalClient
from runbook.deployments import Deployment, Offer, offer
from runbook.effects import FindRollback, Outcome, Redeploy


class Deployments:
    """Reads and makes deployments. Without a client it is off, and says why."""

    def __init__(self, client: OpsPortalClient | None, off: str = "") -> None:
        self._client, self._off = client, off

    @activity.defn
    def find_rollback(self, wanted: FindRollback) -> Outcome:
        """Judge, for each cluster and from its whole history, what could be rolled back to what."""
        if self._client is None:
            return Outcome(skipped=self._off)
        with translated():
            offers = tuple(self._judge(self._client, name, wanted) for name in wanted.clusters)
        return Outcome(detail="; ".join(found.reason for found in offers), offers=offers)

    @staticmethod
    def _judge(client: OpsPortalClient, name: str, wanted: FindRollback) -> Offer:
        cluster = client.cluster(name)
        if cluster is None:
            return Offer(cluster=name, reason=f"the portal knows no cluster {name}")
        history = tuple(_deployment(name, row) for row in client.deployments(cluster.id))
        return offer(history, name, wanted.alerted_at, wanted.rules)

    @activity.defn
    def redeploy(self, wanted: Redeploy) -> Outcome:
        """Deploy an exact version, once: a repetition looks for the row that an earlier attempt made."""
        if self._client is None:
            return Outcome(skipped=self._off)
        with translated():
            cluster = self._client.cluster(wanted.cluster)
            if cluster is None:
                return Outcome(skipped=f"the portal knows no cluster {wanted.cluster}")
            made = self._made(self._client, cluster.id, wanted) if repeated(wanted) else None
            made = made or self._client.deploy(cluster.id, wanted.version, wanted.services)
        return Outcome(detail=f"deployment {made.id}")

    @staticmethod
    def _made(client: OpsPortalClient, cluster_id: str, wanted: Redeploy) -> Row | None:
        """Return the row of this version above the suspect's, if there is one."""
        for row in client.deployments(cluster_id):
            if row.id == wanted.suspect_id or row.started_at <= wanted.suspect_started_at:
                return None
            if row.version == wanted.version:
                return row
        return None


def _deployment(cluster: str, row: Row) -> Deployment:
    return Deployment(
        id=row.id,
        cluster=cluster,
        version=row.version,
        status=row.status,
        started_at=row.started_at,
        services=row.services,
        rollback_from=row.rollback_from,
    )

"""The Ops Portal's books: clusters and deployment rows, kept as wrongly as the real one keeps them
(docs/vendor-notes.md#ops-portal).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from sandbox.http import RefusalError
from sandbox.state import Options, now
from sandbox.vendors.product import Fleet

DEFAULT_SERVICES = ["server", "dashboard", "router"]
STATUSES = ("in_progress", "success", "failed", "canary")
NAMESPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
RELEASE_BOT = str(uuid5(NAMESPACE, "release-bot"))
SEED_HISTORY = [("v2.12.0", "success"), ("v2.13.0", "failed"), ("v2.13.1", "success"), ("v2.14.0", "success")]


@dataclass
class Cluster:
    """A cluster as the portal knows it. `version` is the portal's guess, not what runs."""

    id: str
    name: str
    region: str
    version: str
    created_at: datetime
    updated_at: datetime
    status: str = "online"

    def row(self) -> dict[str, Any]:
        """The list's object; only the single GET adds api_token."""
        return {
            "id": self.id,
            "name": self.name,
            "region": self.region,
            "provider": "hetzner",
            "server_type": "cpx42",
            "public_ip": "203.0.113.10",
            "status": self.status,
            "version": self.version,
            "cost_per_month": 29.0,
            "created_at": stamp(self.created_at),
            "updated_at": stamp(self.updated_at),
        }


@dataclass
class Deployment:
    """A deployment row."""

    id: str
    cluster_id: str
    version: str
    status: str
    services: list[str]
    triggered_by: str
    started_at: datetime
    completed_at: datetime | None = None
    rollback_from: str | None = None
    labels: list[str] = field(default_factory=list)

    def row(self, *, fresh: bool = False) -> dict[str, Any]:
        """The API's object: a creation answers nanoseconds, a read microseconds [run]."""
        row: dict[str, Any] = {
            "id": self.id,
            "cluster_id": self.cluster_id,
            "version": self.version,
            "status": self.status,
            "services": self.services,
            "triggered_by": self.triggered_by,
            "started_at": stamp(self.started_at, fresh),
        }
        if self.completed_at:
            row["completed_at"] = stamp(self.completed_at)
        if self.rollback_from:
            row["rollback_from"] = self.rollback_from
        if self.labels:  # no portal of today tells any; one that does is read
            row["labels"] = self.labels
        return row


class History:
    """Clusters, deployments, and what of it reaches the running product."""

    def __init__(self, fleet: Fleet, options: Options) -> None:
        self.fleet, self.options = fleet, options
        self.clusters: dict[str, Cluster] = {}
        self.deployments: list[Deployment] = []
        for region in fleet.regions:
            self._seed(f"{region}-001", region)

    def _seed(self, name: str, region: str) -> None:
        created = now() - timedelta(days=90)
        cluster = Cluster(str(uuid5(NAMESPACE, name)), name, region, SEED_HISTORY[-1][0], created, created)
        self.clusters[cluster.id] = cluster
        self.rewrite(cluster, [{"version": version, "status": status} for version, status in SEED_HISTORY])

    def rewrite(self, cluster: Cluster, rows: list[dict[str, Any]]) -> None:
        """Replaces a cluster's history by these rows, oldest first, a week apart; the last one's version then runs."""
        self.deployments = [row for row in self.deployments if row.cluster_id != cluster.id]
        start = now() - timedelta(days=7 * len(rows))
        for week, wanted in enumerate(rows):
            version, status = str(wanted["version"]), str(wanted.get("status", "success"))
            services, started = list(wanted.get("services") or DEFAULT_SERVICES), start + timedelta(days=7 * week)
            row = Deployment(str(uuid4()), cluster.id, version, status, services, RELEASE_BOT, started)
            row.completed_at = started + timedelta(minutes=4) if status in ("success", "failed") else None
            row.rollback_from = wanted.get("rollback_from")
            row.labels = list(wanted.get("labels") or ())
            self.deployments.append(row)
            cluster.version = version
        if self.fleet.version(cluster.region) != cluster.version:
            self.fleet.roll_out(cluster.region, cluster.version)

    def add(
        self,
        cluster: Cluster,
        version: str,
        status: str,
        services: list[str],
        by: str,
        rollback_from: str | None = None,
    ) -> Deployment:
        """Inserts a row and overwrites the cluster's version; nothing ever moves the row on. Here, unlike in reality,
        the product then really runs that version, after `deploy_seconds`.
        """
        row = Deployment(str(uuid4()), cluster.id, version, status, list(services), by, now(), None, rollback_from)
        self.deployments.append(row)
        cluster.version, cluster.updated_at = version, now()
        self.fleet.roll_out(cluster.region, version, self.options.deploy_seconds)
        return row

    def roll_back(self, deployment_id: str, cluster_id: str, by: str) -> Deployment:
        """The portal's rollback with its faults: it looks at the two newest rows of the *body's* cluster only, skips
        the given one and takes the first success; the rolled-back row keeps its status.
        """
        given = self.deployment(deployment_id)
        newest = self.newest_first(cluster_id)[:2]
        previous = next((row for row in newest if row.id != given.id and row.status == "success"), None)
        if previous is None:
            raise RefusalError(422, {"error": "no previous successful deployment found to roll back to"})
        return self.add(self.cluster(cluster_id), previous.version, "in_progress", given.services, by, given.version)

    def newest_first(self, cluster_id: str | None = None) -> list[Deployment]:
        """All rows or one cluster's, by started_at."""
        rows = [row for row in self.deployments if cluster_id in (None, row.cluster_id)]
        return sorted(rows, key=lambda row: row.started_at, reverse=True)

    def deployment(self, deployment_id: str) -> Deployment:
        """The row, or 404."""
        for row in self.deployments:
            if row.id == deployment_id:
                return row
        raise RefusalError(404, {"error": "deployment not found"})

    def cluster(self, key: str) -> Cluster:
        """The cluster by id, or 404."""
        if key not in self.clusters:
            raise RefusalError(404, {"error": "cluster not found"})
        return self.clusters[key]

    def cluster_of(self, name_or_region: str) -> Cluster:
        """The cluster that is called so or serves that region; KeyError without one. For the sandbox's own control."""
        for cluster in self.clusters.values():
            if name_or_region in (cluster.name, cluster.region, cluster.id):
                return cluster
        raise KeyError(name_or_region)


def stamp(moment: datetime, nanoseconds: bool = False) -> str:
    """RFC 3339 UTC with micro- or nanoseconds."""
    digits = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return digits + ("123Z" if nanoseconds else "Z")

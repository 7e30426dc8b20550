"""Deployers. To add one: a module here, a `Deployer` value in the rollback config, and a line in composition."""

from dataclasses import dataclass
from typing import Protocol

from incidents.domain.rollback.activity_requests import Redeploy
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.known_good import Deployment


@dataclass(frozen=True)
class Ordered:
    """An ordered deployment: its deployer's reference, and how it was ordered, as text."""

    reference: str
    how: str


@dataclass(frozen=True)
class Standing:
    """Status of an ordered deployment. `failed`: why it failed; `says`: text for the timeline."""

    done: bool
    failed: str = ""
    says: str = ""


class Deployer(Protocol):
    """Reads a cluster's deployment history, deploys an exact version once, and follows it."""

    def history(self, cluster: str, rules: Rollback) -> tuple[Deployment, ...] | None:
        """Return the whole history of the cluster, the newest first; None if there is no such cluster."""

    def deploy(self, request: Redeploy, *, repeated: bool) -> Ordered | None:
        """Order the deployment; None if there is no such cluster.

        `repeated`: an earlier attempt may have ordered it. Then that version, newer than `request.mark`, is ours.
        """

    def standing(self, reference: str) -> Standing:
        """Return the status of an ordered deployment."""

"""Who deploys. A third deployer is one more file here, its name in the runbook's `Deployer`, and a line in wiring."""

from dataclasses import dataclass
from typing import Protocol

from incidents.domain.rollback.activity_requests import Redeploy
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.known_good import Deployment


@dataclass(frozen=True)
class Ordered:
    """A deployment that was ordered: what its deployer calls it, and how it was ordered, in words."""

    reference: str
    how: str


@dataclass(frozen=True)
class Standing:
    """Where an ordered deployment stands. `failed`: why it will not succeed any more; `says` is worth telling."""

    done: bool
    failed: str = ""
    says: str = ""


class Deployer(Protocol):
    """Reads a cluster's deployment history, deploys an exact version once, and follows it as far as it can be."""

    def history(self, cluster: str, rules: Rollback) -> tuple[Deployment, ...] | None:
        """Return the whole history of the cluster, the newest first; None if there is no such cluster."""

    def deploy(self, request: Redeploy, *, repeated: bool) -> Ordered | None:
        """Order the deployment; None if there is no such cluster.

        `repeated`: an earlier attempt may have done so. Then a row of that version above `request.mark` is ours.
        """

    def standing(self, reference: str) -> Standing:
        """Tell where an ordered deployment stands."""

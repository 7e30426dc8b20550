"""Where the rollback of one cluster stands, and from where to where it may go (docs/rollback.md draws it)."""

from enum import StrEnum
from typing import Any, Self

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen
from incidents.domain.rollback.known_good import Offer


class RollbackStatus(StrEnum):
    """Where the rollback of one cluster stands."""

    OFFERED = "offered"
    DECLINED = "declined"
    EXPIRED = "expired"
    APPROVED = "approved"
    RUNNING = "running"
    HELD = "held"
    UNDECIDED = "undecided"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"

    @property
    def under_way(self) -> bool:
        """Tell whether the rollback is decided and has not ended."""
        return self in (RollbackStatus.APPROVED, RollbackStatus.RUNNING, RollbackStatus.UNDECIDED)

    @property
    def ended(self) -> bool:
        """Tell whether the rollback was begun and is over."""
        return self in (RollbackStatus.HELD, RollbackStatus.HEALTHY) or self.unhelpful

    @property
    def unhelpful(self) -> bool:
        """Tell whether the rollback is over, and service is not known to be back."""
        return self in (RollbackStatus.UNHEALTHY, RollbackStatus.INCONCLUSIVE, RollbackStatus.FAILED)


_S = RollbackStatus
TRANSITIONS: dict[RollbackStatus, tuple[RollbackStatus, ...]] = {
    _S.OFFERED: (_S.APPROVED, _S.DECLINED, _S.EXPIRED),
    _S.DECLINED: (_S.OFFERED, _S.APPROVED),
    _S.EXPIRED: (_S.OFFERED, _S.APPROVED),
    _S.APPROVED: (_S.RUNNING, _S.HELD, _S.FAILED),
    _S.RUNNING: (_S.HELD, _S.UNDECIDED, _S.HEALTHY, _S.UNHEALTHY, _S.INCONCLUSIVE, _S.FAILED),
    _S.HELD: (_S.OFFERED, _S.APPROVED, _S.DECLINED),
    _S.UNDECIDED: (_S.HEALTHY, _S.UNHEALTHY, _S.INCONCLUSIVE, _S.FAILED),
    _S.HEALTHY: (_S.OFFERED, _S.APPROVED),
    _S.UNHEALTHY: (_S.OFFERED, _S.APPROVED, _S.DECLINED),
    _S.INCONCLUSIVE: (_S.HEALTHY, _S.UNHEALTHY, _S.OFFERED, _S.APPROVED, _S.DECLINED),
    _S.FAILED: (_S.OFFERED, _S.APPROVED, _S.DECLINED),
}
"""Every step that a rollback may take. There is no other: `RollbackState.moved` refuses it."""

INITIAL = (_S.OFFERED, _S.APPROVED)
"""Where a rollback begins: offered to a person, or approved by the policy or by the one who asked for it."""


class ResponderVerdict(Frozen):
    """A person's verdict on a rollback that the probes could not judge."""

    healthy: bool
    by: str
    reason: str = ""


class Note(Frozen):
    """The message in the channel that shows a rollback's progress: its id, its text, and how often it was changed."""

    ts: str
    text: str
    at: AwareDatetime
    changes: int


class RollbackState(Frozen):
    """The rollback of one cluster. `attempt` counts from 1; `tried` are the versions that earlier attempts deployed.

    `since` is when this attempt was offered, `decided_at` when it was approved. `approved_by`: the first of two people
    who have to approve it, or to roll it forward. `insist`: it was approved
    although the state had changed. `ordered`: the redeployment was started, so the cluster may have changed.
    `deployment`: its id at the deployer. `verifying_since`: when the probes of the redeployment first reported.
    `judgement`: a verdict that is not sent to the rollback workflow yet.
    """

    offer: Offer
    status: RollbackStatus = RollbackStatus.OFFERED
    attempt: int = 1
    since: AwareDatetime
    approved_by: str = ""
    decided_by: str = ""
    decided_at: AwareDatetime | None = None
    detail: str = ""
    progress: str = ""
    tried: tuple[str, ...] = ()
    insist: bool = False
    ordered: bool = False
    deployment: str = ""
    verifying_since: AwareDatetime | None = None
    judgement: ResponderVerdict | None = None
    note: Note | None = None

    def moved(self, to: RollbackStatus, **changes: Any) -> Self:
        """Return the state after a step.

        Raises:
            ValueError: there is no such step; a state that is kept is no step.
        """
        if to not in TRANSITIONS[RollbackStatus(self.status)]:
            raise ValueError(f"a rollback that is {self.status} cannot become {to}")
        return self.replace(status=to, **changes)

    def may(self, to: RollbackStatus) -> bool:
        """Tell whether that step exists from here."""
        return to in TRANSITIONS[RollbackStatus(self.status)]

    @property
    def helpless(self) -> bool:
        """Tell whether the candidate was deployed and did not help."""
        return self.ordered and RollbackStatus(self.status).unhelpful

    @property
    def all_tried(self) -> tuple[str, ...]:
        """Return the versions that were deployed without help, this attempt's too."""
        mine = (self.offer.candidate.version,) if self.offer.candidate and self.helpless else ()
        return tuple(dict.fromkeys((*self.tried, *mine)))

    def next_attempt(self, offer: Offer, to: RollbackStatus, since: AwareDatetime, **changes: Any) -> Self:
        """Return the attempt after this one, which remembers what was deployed before."""
        fresh = {"detail": "", "progress": "", "approved_by": "", "decided_by": "", "insist": False, "ordered": False}
        fresh |= {"deployment": "", "decided_at": None, "verifying_since": None, "judgement": None, "note": None}
        fresh |= {"tried": self.all_tried}
        return self.moved(to, offer=offer, attempt=self.attempt + 1, since=since, **fresh | changes)


class RollbackRequest(Frozen):
    """A responder requested a rollback: the deployment history is searched again. The request counts as approval.

    Where two people have to approve, it counts as the first approval. `version`: the candidate that they chose.
    """

    by: str
    cluster: str = ""
    insist: bool = False
    version: str = ""


class Flag(Frozen):
    """A release that a responder called bad."""

    version: str
    by: str
    reason: str


class RollbacksState(Frozen):
    """Rollbacks of the incident, one for each cluster.

    `searches` counts the searches of the deployment history; `automatic` names the cluster of each rollback that the
    policy started; `flags` are releases that a responder called bad; `restored` are the ids of the deployments that a
    verified rollback made, which are no suspects afterwards (behaviour 90).
    """

    clusters: tuple[RollbackState, ...] = ()
    request: RollbackRequest | None = None
    searches: int = 0
    automatic: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    restored: tuple[str, ...] = ()

    def with_offers_expired(self, detail: str) -> Self:
        """Return these with each offer that nobody decided expired; `detail` says why."""
        undecided = (state for state in self.clusters if state.status is RollbackStatus.OFFERED)
        changed = self
        for state in undecided:
            changed = changed.with_cluster(state.moved(RollbackStatus.EXPIRED, detail=detail))
        return changed

    def of(self, cluster: str) -> RollbackState | None:
        """Return where the rollback of that cluster stands; None if none was ever offered."""
        return next((state for state in self.clusters if state.offer.cluster == cluster), None)

    def with_cluster(self, state: RollbackState) -> Self:
        """Return these with the rollback of that cluster where it now stands."""
        cluster = state.offer.cluster
        others = tuple(state if old.offer.cluster == cluster else old for old in self.clusters)
        restored = self.restored
        if state.status is RollbackStatus.HEALTHY and state.deployment:
            restored = tuple(dict.fromkeys((*restored, state.deployment)))
        return self.replace(clusters=others if self.of(cluster) else (*self.clusters, state), restored=restored)

"""Which deployment is suspect, and which one is the last known-good (runbook, "Rollback Procedures", step 1)."""

from datetime import datetime, timedelta

from pydantic import AwareDatetime

from runbook.base import Frozen
from runbook.duration import in_words
from runbook.policy import Rollback as RollbackRules

_NEVER_SETTLED = "in_progress"


class Deployment(Frozen):
    """One row of a cluster's deployment history."""

    id: str
    cluster: str
    version: str
    status: str
    started_at: AwareDatetime
    services: tuple[str, ...] = ()
    rollback_from: str = ""


class Candidate(Frozen):
    """A deployment that was looked at, and why it was taken or passed over."""

    deployment: Deployment
    taken: bool
    reason: str


class Offer(Frozen):
    """What a rollback of one cluster would do. Without suspect or candidate, `reason` says why it is not offered."""

    cluster: str
    suspect: Deployment | None = None
    candidate: Deployment | None = None
    considered: tuple[Candidate, ...] = ()
    reason: str

    @property
    def possible(self) -> bool:
        """Tell whether there is something to roll back, and something to roll back to."""
        return self.suspect is not None and self.candidate is not None


_SHOWN = 8


def offer(history: tuple[Deployment, ...], cluster: str, alerted_at: datetime, rules: RollbackRules) -> Offer:
    """Choose what to roll back from and to.

    `history` is the whole deployment history of the cluster, in any order. The suspect is the newest deployment, if it
    began within the suspicion window before the alert. The candidate is the newest deployment older than the suspect
    that is known-good; never simply the previous one (BEHAVIOURS 49).
    """
    rows = sorted(history, key=lambda row: row.started_at, reverse=True)
    before = [row for row in rows if row.started_at <= alerted_at]
    if not before:
        return Offer(cluster=cluster, reason=f"{cluster} has no deployment before the alert")
    suspect = before[0]
    age = alerted_at - suspect.started_at
    if age > rules.suspicion_window:
        window = in_words(rules.suspicion_window)
        reason = f"the newest deployment of {cluster}, {suspect.version}, is {in_words(age)} old: not within {window}"
        return Offer(cluster=cluster, reason=reason)
    considered = tuple(_consider(row, before, suspect, rules.bake_time) for row in before[1:])
    chosen = next((c.deployment for c in considered if c.taken), None)
    shown = considered[:_SHOWN]
    if chosen is None:
        reason = f"{suspect.version} on {cluster} is suspect, but no older deployment is known to be good"
        return Offer(cluster=cluster, suspect=suspect, considered=shown, reason=reason)
    reason = f"{suspect.version} was deployed to {cluster} {in_words(age)} before the alert"
    return Offer(cluster=cluster, suspect=suspect, candidate=chosen, considered=shown, reason=reason)


def _consider(row: Deployment, rows: list[Deployment], suspect: Deployment, bake_time: timedelta) -> Candidate:
    """Judge one deployment that is older than the suspect; `rows` are newest first."""
    served_until = rows[rows.index(row) - 1].started_at
    served = served_until - row.started_at
    left = [later.version for later in rows if later.rollback_from == row.version]
    if row.version == suspect.version:
        return Candidate(deployment=row, taken=False, reason="the same version as the suspect")
    if left:
        return Candidate(deployment=row, taken=False, reason=f"was itself rolled back, to {left[0]}")
    if row.status not in ("success", _NEVER_SETTLED):
        return Candidate(deployment=row, taken=False, reason=f"its status is {row.status}")
    if served < bake_time:
        reason = f"in service for {in_words(served)} only, less than {in_words(bake_time)}"
        return Candidate(deployment=row, taken=False, reason=reason)
    settled = "" if row.status == "success" else "; the portal never settled its status"
    return Candidate(deployment=row, taken=True, reason=f"in service for {in_words(served)}{settled}")

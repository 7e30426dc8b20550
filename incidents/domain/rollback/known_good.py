"""Choose the suspect deployment and the last known-good one (runbook, "Rollback Procedures", step 1)."""

import re
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.duration import in_words
from incidents.domain.rollback.config import Rollback as RollbackRules

NEVER_SETTLED = "in_progress"
"""Status that Ops Portal deployments never leave; time in service shows that they finished."""


class Deployment(Frozen):
    """One row of a cluster's deployment history. `rollback_from`: the version that this row replaced as a rollback."""

    id: str
    cluster: str
    version: str
    status: str
    started_at: AwareDatetime
    services: tuple[str, ...] = ()
    rollback_from: str = ""
    labels: tuple[str, ...] = ()


class Candidate(Frozen):
    """A deployment that was considered: selected or skipped, with the reason."""

    deployment: Deployment
    taken: bool
    reason: str


class Offer(Frozen):
    """A possible rollback of one cluster. Without suspect or candidate, `reason` says why there is none.

    `caution`: why it needs approval; "" if it does not. `mark`: id of the newest deployment considered, so that later
    ones are recognized as new.
    """

    cluster: str
    suspect: Deployment | None = None
    candidate: Deployment | None = None
    considered: tuple[Candidate, ...] = ()
    reason: str
    caution: str = ""
    diff_url: str = ""
    mark: str = ""

    @property
    def possible(self) -> bool:
        """Tell whether there is a suspect and a candidate."""
        return self.suspect is not None and self.candidate is not None

    def reversed(self) -> "Offer":
        """Return the roll-forward offer: from the candidate to the suspect it replaced (behaviour 56)."""
        return self.replace(suspect=self.candidate, candidate=self.suspect, reason="roll forward", considered=())


_SHOWN = 8


def choose_rollback(
    history: tuple[Deployment, ...],
    cluster: str,
    alerted_at: datetime,
    rules: RollbackRules,
    blamed: Mapping[str, str] | None = None,
) -> Offer:
    """Choose the suspect and the candidate for a rollback.

    `history` is the whole deployment history of the cluster, in any order. The suspect is the newest deployment, if it
    began within the suspicion window before the alert. The candidate is the newest deployment older than the suspect
    that is known-good; never simply the previous one (behaviour 49). `blamed`: versions known to be bad,
    with the reason: flagged, suspected in an earlier incident, or tried without success.
    """
    rows = newest_first(history)
    before = [row for row in rows if row.started_at <= alerted_at]
    if not before:
        return Offer(cluster=cluster, reason=f"{cluster}: no deploy before the alert")
    suspect = before[0]
    age = alerted_at - suspect.started_at
    if age > rules.suspicion_window:
        window = in_words(rules.suspicion_window)
        reason = (
            f"{cluster}: no deploy in the last {window} (newest: {suspect.version}, {in_words(age)} before the alert)"
        )
        return Offer(cluster=cluster, reason=reason)
    bad = {**rolled_back(rows), **(blamed or {})}
    considered = tuple(_consider(place, before, rules, bad) for place in range(1, len(before)))
    chosen = next((c.deployment for c in considered if c.taken), None)
    considered = tuple(c if not c.taken or c.deployment is chosen else _next_in_line(c) for c in considered)
    found = Offer(cluster=cluster, suspect=suspect, considered=considered[:_SHOWN], reason="", mark=rows[0].id)
    if chosen is None:
        reason = f"{cluster}: {suspect.version} is suspect, but there is no known-good version before it"
        return found.replace(reason=reason)
    return found.replace(
        candidate=chosen,
        reason=f"{suspect.version} was deployed to {cluster} {in_words(age)} before the alert",
        caution=irreversible(before[: before.index(chosen)], rules) or _changed_since(rows[0], suspect, bad),
        diff_url=rules.diff_url.format(candidate=chosen.version, suspect=suspect.version) if rules.diff_url else "",
    )


def newest_first(history: tuple[Deployment, ...]) -> list[Deployment]:
    """Sort a history newest first."""
    return sorted(history, key=lambda row: (row.started_at, row.id), reverse=True)


def rolled_back(rows: list[Deployment]) -> dict[str, str]:
    """Return the versions that were rolled back, with the reason; `rows` are newest first.

    A rollback is a change to a version whose first deployment is older. This finds rollbacks without a
    `rollback_from`, and a roll-forward after a rollback marks no version as bad.
    """
    oldest_first = rows[::-1]
    first = {row.version: place for place, row in reversed(list(enumerate(oldest_first)))}
    bad: dict[str, str] = {}
    for before, after in pairwise(oldest_first):
        left = after.rollback_from or before.version
        if left in first and first[after.version] < first[left]:
            bad[left] = f"was rolled back to {after.version}"
    return bad


def _next_in_line(candidate: Candidate) -> Candidate:
    return candidate.replace(taken=False, reason=f"known-good but older ({candidate.reason})")


def _consider(place: int, rows: list[Deployment], rules: RollbackRules, bad: Mapping[str, str]) -> Candidate:
    """Judge one deployment older than the suspect; `rows` are newest first, starting with the suspect."""
    row, suspect = rows[place], rows[0]
    served = rows[place - 1].started_at - row.started_at
    if row.version == suspect.version:
        return Candidate(deployment=row, taken=False, reason="same version as the suspect")
    if row.status not in ("success", NEVER_SETTLED):
        return Candidate(deployment=row, taken=False, reason=f"status {row.status}")
    if row.version in bad:
        return Candidate(deployment=row, taken=False, reason=bad[row.version])
    if served < rules.bake_time:
        reason = f"in service for only {in_words(served)} (bake time {in_words(rules.bake_time)})"
        return Candidate(deployment=row, taken=False, reason=reason)
    settled = "" if row.status == "success" else "; completion not reported by the Ops Portal"
    return Candidate(deployment=row, taken=True, reason=f"in service for {in_words(served)}{settled}")


def irreversible(left: list[Deployment], rules: RollbackRules) -> str:
    """Return which of the releases to roll back is marked irreversible, or ""."""
    for row in left:
        for word in (row.version, *row.labels):
            for pattern in rules.irreversible:
                if re.search(pattern, word):
                    return f"{row.version} is marked irreversible ({word} matches {pattern})"
    return ""


def _changed_since(newest: Deployment, suspect: Deployment, bad: Mapping[str, str]) -> str:
    """Return that a newer version was deployed after the alert began, or ""; ignore versions known to be bad."""
    if newest.id == suspect.id or newest.version in bad:
        return ""
    return f"{newest.version} was deployed after the alert began"


def portal_would_pick(rows: list[Deployment], suspect_id: str) -> str | None:
    """Return the version that the Ops Portal's own rollback would choose (docs/vendor-notes.md#ops-portal), or None.

    It looks at the two newest rows only, skips the given one, and takes the first with status success.
    """
    return next((row.version for row in rows[:2] if row.id != suspect_id and row.status == "success"), None)

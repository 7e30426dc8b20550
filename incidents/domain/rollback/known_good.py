"""Choose the suspect deployment and the last known-good one (runbook, "Rollback Procedures", step 1)."""

import re
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

from pydantic import AliasChoices, AwareDatetime, Field

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.rollback.config import Rollback as RollbackRules

NEVER_SETTLED = "in_progress"
"""Status that deployments never leave at a deployer without completion; time in service shows that they finished."""
UNFINISHED = "unfinished"
"""Status of a deployment that is still running, at a deployer that does report its end."""


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


_KNOWN_GOOD = "known-good"
"""How the reason begins for which a known-good deployment was skipped. Recorded in histories."""


class Candidate(Frozen):
    """A deployment that was considered: selected or skipped, with the reason."""

    deployment: Deployment
    selected: bool = Field(validation_alias=AliasChoices("selected", "taken"))  # `taken` in histories recorded before
    reason: str

    @property
    def known_good(self) -> bool:
        """Tell whether a responder may choose it."""
        return self.selected or self.reason.startswith(_KNOWN_GOOD)


class Offer(Frozen):
    """A possible rollback of one cluster. Without suspect or candidate, `reason` says why there is none.

    `recent`: the newest deployments of the service, newest first. `caution`: why it needs approval; "" if it does not.
    `mark`: id of the newest deployment of the service, so that later ones are recognized as new.
    """

    cluster: str
    suspect: Deployment | None = None
    candidate: Deployment | None = None
    considered: tuple[Candidate, ...] = ()
    recent: tuple[Deployment, ...] = ()
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


class Search(Frozen):
    """What a rollback is looked for.

    `cluster`: its name. `alerted_at`: start of the alert, by the monitoring's clock. `rules`: `rollback` of
    runbook.yaml. `blamed`: versions known to be bad, with the reason: flagged, suspected in an earlier incident, or
    tried without success. `deploys`: what the incident's service is deployed as; empty: any deployment may be to blame.
    `restored`: ids of the deployments that a verified rollback made. `wanted`: the version that a responder chose among
    the known-good ones; empty: the newest.
    """

    cluster: str
    alerted_at: AwareDatetime
    rules: RollbackRules
    blamed: dict[str, str] = {}
    deploys: tuple[str, ...] = ()
    restored: frozenset[str] = frozenset()
    wanted: str = ""


_SHOWN = 8
_SHOWN_LEFT_OUT = 3
_SHOWN_RECENT = 3


def choose_rollback(history: tuple[Deployment, ...], search: Search) -> Offer:
    """Choose the suspect and the candidate for a rollback. `history`: all of the cluster's, in any order.

    The suspect is the deployment that began the version running when the alert fired, if it is within the suspicion
    window. It is never what a verified rollback restored, a redeployment of the same version, or a deployment of other
    services (behaviour 90). The candidate is the newest deployment older than the suspect that is known-good; never
    simply the previous one (behaviour 49).
    """
    everything = newest_first(history)
    rows = [row for row in everything if touches(row, search.deploys)]
    return _choose(search, everything, rows).replace(recent=tuple(rows[:_SHOWN_RECENT]))


def _choose(search: Search, everything: list[Deployment], rows: list[Deployment]) -> Offer:
    """Return the offer; `rows` are those of `everything` that touch the service, both newest first."""
    cluster, alerted_at, rules = search.cluster, search.alerted_at, search.rules
    before = _running_at(alerted_at, rows, rules)
    if (cure := _restored_since(rows, before, search)) is not None:
        return Offer(cluster=cluster, reason=f"{cluster}: {_cured(cure)}")
    if not before or alerted_at - before[0].started_at > rules.suspicion_window:
        left_out = _left_out(everything, before, search)
        return Offer(cluster=cluster, reason=f"{cluster}: {_why_no_suspect(before, alerted_at, rules)}{left_out}")
    return _offer(search.replace(blamed={**rolled_back(rows), **search.blamed}), rows, before)


def _running_at(alerted_at: datetime, rows: list[Deployment], rules: RollbackRules) -> list[Deployment]:
    """Return the rows from the one that began the version running when the alert fired, newest first."""
    before = [row for row in rows if row.started_at <= alerted_at + rules.clock_tolerance]
    return before[_began_running(before) :]


def _offer(search: Search, rows: list[Deployment], before: list[Deployment]) -> Offer:
    """Return the offer for a suspect, `before[0]`; `rows` are all of the service, both newest first."""
    alerted_at, rules, bad = search.alerted_at, search.rules, search.blamed
    found = _choose_candidate(search, before).replace(mark=rows[0].id)
    if found.candidate is None:
        return found
    suspect, left = before[0], rows[: rows.index(found.candidate)]
    return found.replace(
        reason=f"{suspect.version} was deployed to {search.cluster} {_when(suspect, alerted_at)}",
        caution=irreversible(left, rules) or _changed_since(rows[0], suspect, bad) or _begun_after(suspect, alerted_at),
    )


def _choose_candidate(search: Search, before: list[Deployment]) -> Offer:
    """Choose the newest known-good deployment; `before` are newest first, starting with the suspect."""
    cluster, rules, wanted = search.cluster, search.rules, search.wanted
    suspect = before[0]
    considered = tuple(_consider(place, before, rules, search.blamed) for place in range(1, len(before)))
    chosen = next((c.deployment for c in considered if c.selected and wanted in ("", c.deployment.version)), None)
    considered = tuple(c if not c.selected or c.deployment is chosen else _next_in_line(c, wanted) for c in considered)
    none = f"{cluster}: {suspect.version} is suspect, but there is no known-good version before it"
    if wanted:
        none = f"{cluster}: {wanted} is not a known-good version before {suspect.version}"
    found = Offer(cluster=cluster, suspect=suspect, considered=considered[:_SHOWN], reason=none)
    if chosen is None:
        return found
    diff_url = rules.diff_url.format(candidate=chosen.version, suspect=suspect.version) if rules.diff_url else ""
    return found.replace(candidate=chosen, diff_url=diff_url)


def touches(row: Deployment, deploys: tuple[str, ...]) -> bool:
    """Tell whether a deployment may have changed the service; one that names no services may have changed any."""
    return not deploys or not row.services or bool(set(row.services) & set(deploys))


def _began_running(before: list[Deployment]) -> int:
    """Return the place of the deployment that began the newest version; those before it are redeployments."""
    place = 0
    while place + 1 < len(before) and _is_redeployment(before[place], before[place + 1]):
        place += 1
    return place


def _is_redeployment(row: Deployment, older: Deployment) -> bool:
    return row.version == older.version and older.status in ("success", NEVER_SETTLED)


def _restored_since(rows: list[Deployment], before: list[Deployment], search: Search) -> Deployment | None:
    """Return the verified rollback's deployment that the suspect is, or that has replaced it; None if there is none."""
    newer = rows[: rows.index(before[0]) + 1] if before else []
    return next((row for row in newer if row.id in search.restored and row.version not in search.blamed), None)


def describe_recent(offer: Offer, alerted_at: datetime) -> str:
    """Return the newest deployments of the service in one line; "" if there are none."""
    recent = ", ".join(f"{row.version} {_when(row, alerted_at)}" for row in offer.recent)
    return f"newest deploys to {offer.cluster}: {recent}" if recent else ""


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


def _cured(cure: Deployment) -> str:
    return f"{cure.version} was restored by a verified rollback. If it is bad, flag it (`incident flag`)"


def _why_no_suspect(before: list[Deployment], alerted_at: datetime, rules: RollbackRules) -> str:
    if not before:
        return "no deploy before the alert"
    newest = f"newest: {before[0].version}, {_when(before[0], alerted_at)}"
    return f"no deploy in the last {in_words(rules.suspicion_window)} ({newest})"


def _left_out(everything: list[Deployment], before: list[Deployment], search: Search) -> str:
    """Return what was deployed lately and is no suspect, with the reason; "" if there is nothing."""
    alerted_at, said = search.alerted_at, []
    for row in everything:
        if row in before or alerted_at - row.started_at > search.rules.suspicion_window:
            continue
        if not touches(row, search.deploys):
            said.append(f"{row.version}, {_when(row, alerted_at)}, deployed only {', '.join(row.services)}")
        elif row.started_at > alerted_at:
            said.append(f"{row.version} was deployed {_when(row, alerted_at)}")
        else:
            said.append(f"{row.version} was redeployed {_when(row, alerted_at)}")
    return "".join(f"; {words}" for words in said[:_SHOWN_LEFT_OUT])


def _when(row: Deployment, alerted_at: datetime) -> str:
    """Return when a deployment began, relative to the alert."""
    if row.started_at > alerted_at:
        return f"{in_words(row.started_at - alerted_at)} after the alert"
    return f"{in_words(alerted_at - row.started_at)} before the alert"


def _begun_after(suspect: Deployment, alerted_at: datetime) -> str:
    """Return that the suspect is one only by the clocks' tolerance, or ""."""
    if suspect.started_at <= alerted_at:
        return ""
    return f"{suspect.version} was deployed {_when(suspect, alerted_at)}, within the tolerance for clock skew"


def _next_in_line(candidate: Candidate, wanted: str) -> Candidate:
    why = f"{_KNOWN_GOOD} but {'not the one requested' if wanted else 'older'}"
    return candidate.replace(selected=False, reason=f"{why} ({candidate.reason})")


def _consider(place: int, rows: list[Deployment], rules: RollbackRules, bad: Mapping[str, str]) -> Candidate:
    """Judge one deployment older than the suspect; `rows` are newest first, starting with the suspect."""
    row, suspect = rows[place], rows[0]
    served = rows[place - 1].started_at - row.started_at
    if row.version == suspect.version:
        return Candidate(deployment=row, selected=False, reason="same version as the suspect")
    if row.status not in ("success", NEVER_SETTLED):
        return Candidate(deployment=row, selected=False, reason=f"status {row.status}")
    if row.version in bad:
        return Candidate(deployment=row, selected=False, reason=bad[row.version])
    if served < rules.bake_time:
        reason = f"in service for only {in_words(served)} (bake time {in_words(rules.bake_time)})"
        return Candidate(deployment=row, selected=False, reason=reason)
    settled = "" if row.status == "success" else "; completion not reported by the deployer"
    return Candidate(deployment=row, selected=True, reason=f"in service for {in_words(served)}{settled}")


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
    if newest.version == suspect.version or newest.version in bad:
        return ""
    return f"{newest.version} was deployed after the alert began"

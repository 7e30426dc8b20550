"""What the incident learns of its rollbacks: offers, progress, ends, and offers that nobody decided."""

from datetime import datetime
from itertools import takewhile

from incidents.domain.config.model import RollbackPolicy, RunbookConfig
from incidents.domain.core.duration import in_words
from incidents.domain.core.public_text import PublicText
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import monitor, resolve
from incidents.domain.incident.parts import RollbackRequest, Status
from incidents.domain.rollback.known_good import Offer
from incidents.domain.rollback.order import RollbackProgress, RollbackResult
from incidents.domain.rollback.state import Judgement, RollbackState, RollbackStatus
from incidents.domain.updates.publishing import record_news


def apply_offers(incident: Incident, offers: tuple[Offer, ...], runbook: RunbookConfig, at: datetime) -> Incident:
    """Take in what could be rolled back: offered to the responders, or begun at once where the policy says so.

    A look that a responder asked for carries their approval: their request stands until it is answered here.
    """
    request = incident.rollback_request
    incident = incident.replace(rollback_request=None)
    for offer in offers:
        if request is not None and request.cluster not in ("", offer.cluster):
            continue
        incident = _one_offer(incident, offer, request, runbook, at)
    return incident


def _one_offer(
    incident: Incident, offer: Offer, request: RollbackRequest | None, runbook: RunbookConfig, at: datetime
) -> Incident:
    policy = runbook.policy(incident.severity).rollback
    if not offer.possible or offer.suspect is None or offer.candidate is None or policy is RollbackPolicy.NEVER:
        why = offer.reason if not offer.possible else f"the runbook never rolls back a {incident.severity}"
        return incident.logged(at, SYSTEM, Kind.ROLLBACK, f"No rollback offered: {why}{_passed_over(offer)}")
    before = incident.rollback(offer.cluster)
    if before is not None and before.status.under_way:
        return incident
    decided_by = _decided_by(incident, offer, request, policy, runbook)
    status = RollbackStatus.APPROVED if decided_by else RollbackStatus.OFFERED
    insist = request is not None and request.insist
    if before is None:
        state = RollbackState(offer=offer, status=status, since=at, decided_by=decided_by, insist=insist)
    else:
        state = before.next_attempt(offer, status, at, decided_by=decided_by, insist=insist)
    if decided_by == SYSTEM:
        incident = incident.replace(automatic_rollbacks=(*incident.automatic_rollbacks, offer.cluster))
    incident = incident.with_rollback(state)
    what = f"{offer.cluster} from {offer.suspect.version} to {offer.candidate.version} ({offer.reason})"
    if decided_by:
        text = f"Rolling back {what}, " + ("as the runbook says" if decided_by == SYSTEM else f"for {decided_by}")
    else:
        asks = f"Approve or decline it within {in_words(runbook.rollback.approve_within)}."
        held = f" Not by itself: {offer.caution}." if offer.caution else ""
        diff = f" What changed: {offer.diff_url}" if offer.diff_url else ""
        text = f"Rollback offered: {what}. {asks}{held}{diff}"
    return incident.logged(at, SYSTEM, Kind.ROLLBACK, text + _passed_over(offer), announce=True)


def _decided_by(
    incident: Incident, offer: Offer, request: RollbackRequest | None, policy: RollbackPolicy, runbook: RunbookConfig
) -> str:
    """Return who has decided for it already: the one who asked, the runbook, or "" if a person is to be asked.

    The runbook decides by itself at most once for each cluster, and never where caution is due: a release that cannot
    be taken back, a deployment since the alert began (BEHAVIOURS 50, 52 and 56).
    """
    if request is not None and request.by != SYSTEM:
        return request.by
    tries = incident.automatic_rollbacks.count(offer.cluster)
    allowed = 2 if runbook.rollback.second_attempt else 1
    automatic = policy is RollbackPolicy.AUTOMATIC and not offer.caution and tries < allowed
    return SYSTEM if automatic else ""


def _passed_over(offer: Offer) -> str:
    newer = takewhile(lambda candidate: not candidate.taken, offer.considered)
    over = [f"{candidate.deployment.version} {candidate.reason}" for candidate in newer]
    return f". Passed over: {'; '.join(over[:3])}" if over else ""


def record_rollback_progress(incident: Incident, progress: RollbackProgress, at: datetime) -> Incident:
    """Record what a running rollback says of its progress. `quiet` progress is shown, and no line of the timeline."""
    state = _running(incident, progress.cluster, progress.attempt)
    if progress.manifest is not None:
        incident = incident.replace(manifests=(*incident.manifests, progress.manifest))
    if state is None:
        return incident
    state = state.moved(RollbackStatus.RUNNING) if state.may(RollbackStatus.RUNNING) else state
    if progress.undecided and state.may(RollbackStatus.UNDECIDED):
        state = state.moved(RollbackStatus.UNDECIDED)
    ordered = state.ordered or progress.ordered
    incident = incident.with_rollback(state.replace(progress=progress.says, ordered=ordered))
    if progress.quiet:
        return incident
    text = f"Rollback of {progress.cluster}: {progress.says}"
    return incident.logged(at, SYSTEM, Kind.ROLLBACK, text, announce=progress.undecided)


def record_rollback_result(incident: Incident, ended: RollbackResult, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record how a rollback ended. Healthy everywhere means mitigated; a resolution that waited for it now happens."""
    state = _running(incident, ended.cluster, ended.attempt)
    if state is None or not state.may(ended.status):
        return incident
    incident = incident.with_rollback(state.moved(ended.status, detail=ended.detail))
    text = f"Rollback of {ended.cluster}: {ended.status}: {ended.detail}"
    incident = incident.logged(at, SYSTEM, Kind.ROLLBACK, text, announce=True)
    return _after(incident, state, ended.status, runbook, at)


def record_rollback_verdict(
    incident: Incident, state: RollbackState, word: Judgement, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Record a person's verdict. A process that still probes has to be told of it."""
    to = RollbackStatus.HEALTHY if word.healthy else RollbackStatus.UNHEALTHY
    told_later = word if state.status.under_way else None
    newer = state.moved(to, detail=f"judged by {word.by}: {word.reason or 'no reason given'}", judgement=told_later)
    return _after(incident.with_rollback(newer), state.replace(decided_by=word.by), to, runbook, at)


def _after(
    incident: Incident, state: RollbackState, status: RollbackStatus, runbook: RunbookConfig, at: datetime
) -> Incident:
    if status is RollbackStatus.HEALTHY:
        return _recovered(incident, runbook, at)
    incident = drop_resolve_intent(incident, at)
    if status is RollbackStatus.HELD:
        return incident
    incident = record_news(incident, at, PublicText.trusted(runbook.templates.texts.rollback_failed))
    return _what_next(incident, state, status, runbook, at)


def _recovered(incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    texts = runbook.templates.texts
    incident = record_news(incident, at, PublicText.trusted(texts.rolled_back))
    open_ones = (RollbackStatus.UNHEALTHY, RollbackStatus.INCONCLUSIVE, RollbackStatus.FAILED)
    if any(r.status.under_way or r.status in open_ones for r in incident.rollbacks) or incident.over:
        return incident
    if incident.resolve_intent is not None:
        intent = incident.resolve_intent
        said = PublicText.trusted(intent.text or texts.resolved)  # looked through when it was said
        return resolve(incident.replace(resolve_intent=None), runbook, at, intent.by, said)
    if incident.status == Status.MONITORING:
        return incident
    return monitor(incident, runbook, at, SYSTEM, PublicText.trusted(texts.rolled_back_monitoring))


def _what_next(
    incident: Incident, state: RollbackState, status: RollbackStatus, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Say what can be done now; try the next candidate without a person only if the policy allows it."""
    if incident.over:
        return incident
    cluster = state.offer.cluster
    again = state.decided_by == SYSTEM and status is RollbackStatus.UNHEALTHY
    if again and runbook.rollback.second_attempt and incident.automatic_rollbacks.count(cluster) < 2:
        request = RollbackRequest(by=SYSTEM, cluster=cluster)
        text = f"Looking for the next candidate for {cluster}, as the runbook allows"
        incident = incident.replace(rollback_request=request, looks=incident.looks + 1)
        return incident.logged(at, SYSTEM, Kind.ROLLBACK, text, announce=True)
    number = incident.number
    forward = f" with `--forward` it goes back to {_suspect(state)}," if state.ordered else ""
    text = (
        f"{cluster} needs a person: `incident rollback {number} --cluster {cluster}` tries the next candidate,"
        f"{forward} `incident decline {number}` leaves it as it is"
    )
    return incident.logged(at, SYSTEM, Kind.ROLLBACK, text, announce=True)


def _suspect(state: RollbackState) -> str:
    return state.offer.suspect.version if state.offer.suspect else "what was there"


def record_rollback_failure(incident: Incident, cluster: str, reason: str, at: datetime) -> Incident:
    """Record that the rollback's own process ended without a verdict, or never began, such as for the lock."""
    state = incident.rollback(cluster)
    if state is None or not state.status.under_way:
        return incident
    to = RollbackStatus.HELD if state.status is RollbackStatus.APPROVED else RollbackStatus.FAILED
    known = "; the candidate was ordered, so look at what runs" if state.ordered else "; nothing was deployed"
    incident = incident.with_rollback(state.moved(to, detail=f"{reason}{known}"))
    return drop_resolve_intent(incident, at)


def expire_offer(incident: Incident, cluster: str, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record that nobody decided in time: what was offered may be out of date, so it is looked at again when asked."""
    state = incident.rollback(cluster)
    if state is None or not state.may(RollbackStatus.EXPIRED):
        return incident
    incident = incident.with_rollback(state.moved(RollbackStatus.EXPIRED, detail="nobody decided in time"))
    text = f"The offer to roll back {cluster} lapsed: nobody decided. `incident rollback {incident.number}` looks again"
    return incident.logged(at, SYSTEM, Kind.ROLLBACK, text, announce=True)


def drop_resolve_intent(incident: Incident, at: datetime) -> Incident:
    """Drop a resolution that waited for the rollback."""
    intent = incident.resolve_intent
    if intent is None:
        return incident
    text = f"The resolution by {intent.by} is dropped: the rollback did not end healthy"
    return incident.replace(resolve_intent=None).logged(at, SYSTEM, Kind.STATUS, text, announce=True)


def _running(incident: Incident, cluster: str, attempt: int) -> RollbackState | None:
    state = incident.rollback(cluster)
    return state if state is not None and state.attempt == attempt and state.status.under_way else None


def known_bad_versions(incident: Incident) -> dict[str, str]:
    """Return the versions that this incident knows to be bad, and why: flagged, or tried without help."""
    why = "was tried already in this incident"
    tried = dict.fromkeys((version for state in incident.rollbacks for version in state.all_tried), why)
    flagged = {flag.version: f"flagged as bad by {flag.by}: {flag.reason}" for flag in incident.flags}
    return {**tried, **flagged}


def bad_releases(incident: Incident) -> tuple[str, ...]:
    """Return the versions that later incidents must not roll back to: flagged ones, and this incident's suspects.

    A suspect whose rollback was declined is cleared, and a false alarm accuses nobody.
    """
    if incident.status == Status.CANCELLED:
        return tuple(flag.version for flag in incident.flags)
    suspects = [
        state.offer.suspect.version
        for state in incident.rollbacks
        if state.offer.suspect and state.status is not RollbackStatus.DECLINED and not state.insist
    ]
    return tuple(dict.fromkeys((*(flag.version for flag in incident.flags), *suspects)))

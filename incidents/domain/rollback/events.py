"""Apply rollback events to the incident: offers, progress, results, verdicts, expired offers."""

from datetime import datetime
from itertools import takewhile

from incidents.domain.alerting.sources import not_ended
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.status import Status
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.commands import Resolve
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import monitor, resolve
from incidents.domain.rollback.approval import first_of_two, needs_two, who_approves
from incidents.domain.rollback.config import RollbackPolicy
from incidents.domain.rollback.known_good import Offer
from incidents.domain.rollback.order import RollbackProgress, RollbackResult
from incidents.domain.rollback.state import ResponderVerdict, RollbackRequest, RollbackState, RollbackStatus
from incidents.domain.updates.publishing import record_news


def apply_offers(incident: Incident, offers: tuple[Offer, ...], runbook: RunbookConfig, at: datetime) -> Incident:
    """Offer each possible rollback to the responders, or start it at once where the policy allows.

    A responder's rollback request counts as approval, or as the first of two; it is cleared here.
    """
    request = incident.rollback.request
    incident = incident.replace(rollback=incident.rollback.replace(request=None))
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
        why = offer.reason if not offer.possible else f"rollback is disabled for {incident.severity}"
        text, asked = f"No rollback offered: {why}{_skipped(offer)}", request.by if request is not None else ""
        people = (asked,) if asked not in ("", SYSTEM) else ()
        return incident.logged(at, SYSTEM, Kind.ROLLBACK, text, announce=request is not None, mentions=people)
    before = incident.rollback.of(offer.cluster)
    if before is not None and before.status.under_way:
        return incident
    if before is not None and before.status is RollbackStatus.OFFERED:  # searched anew: that offer is out of date
        before = before.moved(RollbackStatus.EXPIRED)
    decided_by = _decided_by(incident, offer, request, policy, runbook)
    if decided_by == SYSTEM:
        automatic = (*incident.rollback.automatic, offer.cluster)
        incident = incident.replace(rollback=incident.rollback.replace(automatic=automatic))
    first = first_of_two(incident, request, runbook)
    insist = request is not None and request.insist
    incident = incident.with_rollback(_attempt(before, offer, decided_by, insist, at).replace(approved_by=first))
    what = f"{offer.cluster} from {offer.suspect.version} to {offer.candidate.version}"
    text = _announcement(what, offer, decided_by, runbook) + who_approves(incident, first, runbook)
    decision = "" if decided_by else offer.cluster
    return incident.logged(at, SYSTEM, Kind.ROLLBACK, text + _skipped(offer), announce=True, decision=decision)


def _attempt(before: RollbackState | None, offer: Offer, decided_by: str, insist: bool, at: datetime) -> RollbackState:
    """Return the first attempt or the one after `before`: approved if it is decided, offered otherwise."""
    status = RollbackStatus.APPROVED if decided_by else RollbackStatus.OFFERED
    decision = {"decided_by": decided_by, "decided_at": at if decided_by else None, "insist": insist}
    if before is None:
        return RollbackState.model_validate({"offer": offer, "status": status, "since": at} | decision)
    return before.next_attempt(offer, status, at, **decision)


def _announcement(what: str, offer: Offer, decided_by: str, runbook: RunbookConfig) -> str:
    """Return the sentence in the channel: the rollback starts, or a responder is asked to approve it."""
    if decided_by:
        return f"Rolling back {what} " + ("(automatic)" if decided_by == SYSTEM else f"(requested by {decided_by})")
    asks = f"Approve or decline within {in_words(runbook.rollback.approve_within)}."
    held = f" Needs approval because {offer.caution}." if offer.caution else ""
    diff = f" Diff: {offer.diff_url}" if offer.diff_url else ""
    return f"Rollback offered: {what} ({offer.reason}). {asks}{held}{diff}"


def _decided_by(
    incident: Incident, offer: Offer, request: RollbackRequest | None, policy: RollbackPolicy, runbook: RunbookConfig
) -> str:
    """Return who decided: the requester, `SYSTEM`, or "" if a responder must approve.

    Automatic at most once per cluster (twice with `second_attempt`), and never with a caution: an irreversible
    release, or a deployment since the alert began (behaviours 50, 52 and 56).
    """
    if needs_two(incident, runbook):
        return ""
    if request is not None and request.by != SYSTEM:
        return request.by
    tries = incident.rollback.automatic.count(offer.cluster)
    allowed = 2 if runbook.rollback.second_attempt else 1
    automatic = policy is RollbackPolicy.AUTOMATIC and not offer.caution and tries < allowed
    return SYSTEM if automatic else ""


def _skipped(offer: Offer) -> str:
    newer = takewhile(lambda candidate: not candidate.selected, offer.considered)
    over = [f"{candidate.deployment.version} ({candidate.reason})" for candidate in newer]
    return f". Skipped {'; '.join(over[:3])}" if over else ""


def record_rollback_progress(incident: Incident, progress: RollbackProgress, at: datetime) -> Incident:
    """Record the progress of a running rollback. `quiet` progress is shown but not added to the timeline."""
    state = _running(incident, progress.cluster, progress.attempt)
    if progress.manifest is not None:
        incident = incident.replace(
            evidence=incident.evidence.replace(manifests=(*incident.evidence.manifests, progress.manifest))
        )
    if state is None:
        return incident
    state = state.moved(RollbackStatus.RUNNING) if state.may(RollbackStatus.RUNNING) else state
    if progress.undecided and state.may(RollbackStatus.UNDECIDED):
        state = state.moved(RollbackStatus.UNDECIDED)
    probed = progress.quiet or progress.undecided
    incident = incident.with_rollback(
        state.replace(
            progress=progress.summary,
            ordered=state.ordered or progress.ordered,
            deployment=progress.deployment or state.deployment,
            verifying_since=state.verifying_since or (at if probed else None),
        )
    )
    if progress.quiet:
        return incident
    text = f"Rollback of {progress.cluster}: {progress.summary}"
    decision = progress.cluster if progress.undecided else ""
    return incident.logged(at, SYSTEM, Kind.ROLLBACK, text, announce=progress.undecided, decision=decision)


def record_rollback_result(incident: Incident, ended: RollbackResult, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record a rollback's result. All healthy means mitigated; a pending resolution then takes effect."""
    state = _running(incident, ended.cluster, ended.attempt)
    if state is None or not state.may(ended.status):
        return incident
    incident = incident.with_rollback(state.moved(ended.status, detail=ended.detail))
    text = f"Rollback of {ended.cluster} {ended.status}: {ended.detail}"
    # With a resolution waiting for it, one message follows that says what became of both.
    incident = incident.logged(at, SYSTEM, Kind.ROLLBACK, text, announce=incident.resolve_intent is None)
    return _after(incident, state, ended.status, runbook, at)


def record_rollback_verdict(
    incident: Incident, state: RollbackState, word: ResponderVerdict, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Record a responder's verdict. A verification that is still running is notified."""
    to = RollbackStatus.HEALTHY if word.healthy else RollbackStatus.UNHEALTHY
    pending = word if state.status.under_way else None
    newer = state.moved(to, detail=f"judged by {word.by}: {word.reason or 'no reason given'}", judgement=pending)
    return _after(incident.with_rollback(newer), state.replace(decided_by=word.by), to, runbook, at)


def _after(
    incident: Incident, state: RollbackState, status: RollbackStatus, runbook: RunbookConfig, at: datetime
) -> Incident:
    if status is RollbackStatus.HEALTHY:
        return _recovered(incident, runbook, at)
    if status is RollbackStatus.HELD:
        return drop_resolve_intent(incident, state.offer.cluster, status, at)
    incident = record_news(incident, at, PublicText.trusted(runbook.templates.texts.rollback_failed))
    return _what_next(incident, state, status, runbook, at)


def _recovered(incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    texts = runbook.templates.texts
    incident = record_news(incident, at, PublicText.trusted(texts.rolled_back))
    if any(state.status.under_way for state in incident.rollback.clusters) or incident.over:
        return incident
    if incident.resolve_intent is not None:
        return _fulfill_intent(incident, incident.resolve_intent, runbook, at)
    if any(state.status.unhelpful for state in incident.rollback.clusters) or incident.status == Status.MONITORING:
        return incident
    return monitor(incident, runbook, at, SYSTEM, PublicText.trusted(texts.rolled_back_monitoring))


def _fulfill_intent(incident: Incident, intent: Resolve, runbook: RunbookConfig, at: datetime) -> Incident:
    """Resolve as requested, unless an alert is firing and the resolution was not forced."""
    incident = incident.replace(resolve_intent=None)
    if incident.alerting.firing and runbook.policy(incident.severity).confirm_resolution and not intent.force:
        text = f"Rollback verified, but not resolved. {not_ended(incident, runbook)}"
        return incident.logged(at, SYSTEM, Kind.STATUS, text, announce=True, mentions=(intent.by,))
    said = PublicText.trusted(intent.text or runbook.templates.texts.resolved)  # screened when it was posted
    return resolve(incident, runbook, at, intent.by, said)


def _what_next(
    incident: Incident, state: RollbackState, status: RollbackStatus, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Ask for a decision; try the next candidate without approval only if the policy allows it.

    A resolution that waits for the rollback is answered in the same message: not resolved.
    """
    if incident.over:
        return incident
    cluster, asked = state.offer.cluster, incident.resolve_intent
    mentions = (asked.by,) if asked else ()
    unresolved = f"{_not_resolved(cluster, status)} " if asked else ""
    incident = incident.replace(resolve_intent=None)
    again = state.decided_by == SYSTEM and status is RollbackStatus.UNHEALTHY
    if again and runbook.rollback.second_attempt and incident.rollback.automatic.count(cluster) < 2:
        request = RollbackRequest(by=SYSTEM, cluster=cluster)
        text = f"{unresolved}Searching the next candidate for {cluster} (automatic second attempt)"
        incident = incident.replace(
            rollback=incident.rollback.replace(request=request, searches=incident.rollback.searches + 1)
        )
        return incident.logged(at, SYSTEM, Kind.ROLLBACK, text, announce=True, mentions=mentions)
    number = incident.number
    command = f"incident rollback {number} --cluster {cluster}"
    forward = f" roll forward to {_suspect(state)} (`{command} --forward`)," if state.ordered else ""
    text = (
        f"{unresolved}Decision needed for {cluster}: try the next version (`{command}`),{forward}"
        f" or leave it (`incident decline {number}`)"
    )
    return incident.logged(at, SYSTEM, Kind.ROLLBACK, text, announce=True, mentions=mentions, decision=cluster)


def _suspect(state: RollbackState) -> str:
    return state.offer.suspect.version if state.offer.suspect else "the previous version"


def record_rollback_failure(incident: Incident, cluster: str, reason: str, at: datetime) -> Incident:
    """Record that the rollback workflow ended without a verdict, or never started, such as for the lock."""
    state = incident.rollback.of(cluster)
    if state is None or not state.status.under_way:
        return incident
    to = RollbackStatus.HELD if state.status is RollbackStatus.APPROVED else RollbackStatus.FAILED
    known = (
        "; the redeployment was started, so check the running version" if state.ordered else "; nothing was deployed"
    )
    incident = incident.with_rollback(state.moved(to, detail=f"{reason}{known}"))
    return drop_resolve_intent(incident, cluster, to, at)


def expire_offer(incident: Incident, cluster: str, runbook: RunbookConfig, at: datetime) -> Incident:
    """Expire an undecided offer: it may be out of date, so a later request searches again."""
    state = incident.rollback.of(cluster)
    if state is None or not state.may(RollbackStatus.EXPIRED):
        return incident
    incident = incident.with_rollback(state.moved(RollbackStatus.EXPIRED, detail="not decided in time"))
    text = f"Rollback offer for {cluster} expired undecided. To search again: `incident rollback {incident.number}`"
    return incident.logged(at, SYSTEM, Kind.ROLLBACK, text, announce=True)


def drop_resolve_intent(incident: Incident, cluster: str, status: RollbackStatus, at: datetime) -> Incident:
    """Drop a resolution that was waiting for the rollback, and notify its requester (behaviour 89)."""
    intent = incident.resolve_intent
    if intent is None:
        return incident
    return incident.replace(resolve_intent=None).logged(
        at, SYSTEM, Kind.STATUS, _not_resolved(cluster, status), announce=True, mentions=(intent.by,)
    )


def why_not_resolved(incident: Incident) -> str:
    """Return in one line why a resolution that waited for rollbacks has not taken effect, as far as the state says."""
    for state in incident.rollback.clusters:
        if state.status.unhelpful or state.status is RollbackStatus.HELD:
            return _not_resolved(state.offer.cluster, state.status)
    if firing := incident.alerting.firing:
        return f"Not resolved: still firing: {', '.join(alert.title for alert in firing[:3])}."
    return f"Not resolved: {incident.name} is {incident.shown_status}. See `incident show`."


def _not_resolved(cluster: str, status: RollbackStatus) -> str:
    why = "failed verification" if status is RollbackStatus.UNHEALTHY else f"is {status}"
    return f"Not resolved: the rollback of {cluster} {why}. Resolve again once service is healthy."


def _running(incident: Incident, cluster: str, attempt: int) -> RollbackState | None:
    state = incident.rollback.of(cluster)
    return state if state is not None and state.attempt == attempt and state.status.under_way else None

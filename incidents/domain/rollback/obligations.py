"""Obligations of rollbacks: roll back, search the deployment history again, expire offers, page for decisions."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult, DeploymentsSearched
from incidents.domain.config.communication import Reach
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.display.summary import rollback_text
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, Source, at_once
from incidents.domain.obligation_spec import (
    LIVE,
    LIVE_OR_OVER,
    ObligationSpec,
    Owed,
    RetryLimit,
    WorkflowStep,
)
from incidents.domain.paging.keys import own_key
from incidents.domain.paging.on_call import on_call_of
from incidents.domain.paging.page_content import page_details, page_links
from incidents.domain.paging.state import Call
from incidents.domain.rollback import activity_requests as rollback_requests
from incidents.domain.rollback.bad_releases import known_bad_versions
from incidents.domain.rollback.bound import ends_by
from incidents.domain.rollback.events import apply_offers, expire_offer, record_rollback_failure
from incidents.domain.rollback.state import RollbackState, RollbackStatus

_NEEDS_DECISION = (
    RollbackStatus.EXPIRED,
    RollbackStatus.HELD,
    RollbackStatus.UNDECIDED,
    RollbackStatus.UNHEALTHY,
    RollbackStatus.INCONCLUSIVE,
    RollbackStatus.FAILED,
)
"""Statuses in which a rollback waits for a responder's decision: page on-call."""


def rollbacks_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield what each rollback of a live incident asks for."""
    for state in incident.rollback.clusters:
        yield from _rollback(state, incident, runbook)


def _rollback(state: RollbackState, incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    cluster, since, status = state.offer.cluster, state.since, state.status
    key = Key("rollback", cluster, state.attempt)
    if status.under_way:
        summary = f"Roll back {cluster}"
        until = ends_by(state, runbook.rollback)
        yield at_once(
            ObligationKind.ROLLBACK, key, since, summary, subject=cluster, sequence=state.attempt, until=until
        )
    if status is RollbackStatus.OFFERED:
        yield Obligation(
            key=key.under("expires"),
            kind=ObligationKind.OFFER_EXPIRES,
            due=since + runbook.rollback.approve_within,
            since=since,
            summary=f"Rollback offer for {cluster} expires",
            subject=cluster,
        )
    ended_before = incident.reopened_at is not None and since < incident.reopened_at
    if status in _NEEDS_DECISION and not ended_before and runbook.policy(incident.severity).page:
        summary = f"Page on-call for a decision (rollback of {cluster} is {status})"
        yield at_once(
            ObligationKind.DECISION_PAGE, Key("alarm", key.kind, *key.parts, status), since, summary, subject=cluster
        )


def look_again(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the search for a rollback that a responder asked for."""
    if incident.rollback.request is not None:
        key, summary = Key("look", incident.rollback.searches), "Search the deployment history again"
        subject = Source.DEPLOYMENTS.value
        yield at_once(ObligationKind.SEARCH_DEPLOYMENTS, key, incident.opened_at, summary, subject=subject)


def rollback_verdicts(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the signal to each rollback workflow that still verifies what a person has judged."""
    for state in incident.rollback.clusters:
        if state.judgement is not None:
            cluster = state.offer.cluster
            key = Key("rollback", cluster, state.attempt, "verdict")
            summary = f"Send the verdict to the rollback of {cluster}"
            yield at_once(ObligationKind.SEND_VERDICT, key, state.since, summary, subject=cluster)


def find_rollback(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[DeploymentsSearched] | DeploymentsSearched:
    """Search the deployments of the service for one to roll back."""
    clusters = tuple(dict.fromkeys(region.cluster for region in runbook.regions_of(incident.service)))
    if not clusters:
        return DeploymentsSearched(skipped=f"runbook.yaml has no service {incident.service}")
    return rollback_requests.FindRollback(
        key=obligation.key,
        workflow_id=incident.workflow_id,
        number=incident.number,
        service=incident.service,
        clusters=clusters,
        alerted_at=incident.reopened_at or incident.started_at,
        rules=runbook.rollback,
        deploys=runbook.service(incident.service).deploys,
        blamed=known_bad_versions(incident),
        restored=incident.rollback.restored,
        version=incident.rollback.request.version if incident.rollback.request else "",
    )


def build_decision_page(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest | ActivityResult:
    """Page for a decision about a rollback."""
    state = incident.rollback.of(obligation.subject)
    if state is None:
        return ActivityResult(skipped="this rollback no longer exists")
    summary = f"{incident.name}: the rollback of {obligation.subject} is {state.status}: {state.detail}"
    return activity_requests.SendPage(
        key=obligation.key,
        dedup_key=own_key(incident, obligation.key),
        summary=one_line(summary, 1000),
        source=incident.service,
        severity=runbook.pager_severity(incident.severity),
        details=page_details(incident, runbook, on_call_of(incident, runbook))
        | {"state": rollback_text(incident, state)},
        to=on_call_of(incident, runbook),
        links=page_links(incident, runbook),
    )


def apply_found_offers(
    incident: Incident, obligation: Obligation, result: DeploymentsSearched, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Offer what can be rolled back."""
    return apply_offers(incident, result.offers, runbook, at)


def drop_request(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Drop the responder's request: it cannot be answered."""
    return incident.replace(rollback=incident.rollback.replace(request=None))


def apply_rollback_failure(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Record the rollback as failed."""
    return record_rollback_failure(incident, obligation.subject, reason, at)


def apply_verdict_sent(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Forget the verdict: its rollback workflow has it."""
    state = incident.rollback.of(obligation.subject)
    return incident.with_rollback(state.replace(judgement=None)) if state else incident


def apply_offer_expiry(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Expire an offer that was not decided in time."""
    incident = incident.with_fulfilled(obligation.key)
    return expire_offer(incident, obligation.subject, runbook, at)


_ROLLBACKS = Owed(rollbacks_owed, LIVE)
SEARCH_DEPLOYMENTS = ObligationSpec(
    ObligationKind.SEARCH_DEPLOYMENTS,
    (Owed(look_again, LIVE),),
    build_request=find_rollback,
    apply_result=apply_found_offers,
    apply_failure=drop_request,
    apply_skip=drop_request,
    timeline=Kind.ROLLBACK,
)
ROLLBACK = ObligationSpec(
    ObligationKind.ROLLBACK,
    (_ROLLBACKS,),
    workflow_step=WorkflowStep.START_ROLLBACK,
    apply_failure=apply_rollback_failure,
    timeline=Kind.ROLLBACK,
    has_own_deadline=True,
)
SEND_VERDICT = ObligationSpec(
    ObligationKind.SEND_VERDICT,
    (Owed(rollback_verdicts, LIVE_OR_OVER, survives=False),),
    workflow_step=WorkflowStep.SIGNAL_ROLLBACK,
    apply_result=apply_verdict_sent,
    timeline=Kind.ROLLBACK,
)
OFFER_EXPIRES = ObligationSpec(ObligationKind.OFFER_EXPIRES, (_ROLLBACKS,), apply_due=apply_offer_expiry)


def record_decision_page(incident: Incident, obligation: Obligation, runbook: RunbookConfig) -> Incident:
    """Remember the page for a decision: it is resolved with the incident."""
    call = Call(key=obligation.key, contact=on_call_of(incident, runbook), reach=Reach.PAGE)
    return incident.replace(paging=incident.paging.with_call(call))


DECISION_PAGE = ObligationSpec(
    ObligationKind.DECISION_PAGE,
    (_ROLLBACKS,),
    build_request=build_decision_page,
    apply_begun=record_decision_page,
    timeline=Kind.PAGE,
    retry_for=RetryLimit.PAGE,
    withdrawable=True,
)

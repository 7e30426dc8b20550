"""What the recovery owes: rollbacks and whoever must hear of them, the stability window, the customers' word."""

from collections.abc import Iterator

from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Status
from incidents.domain.obligation import (
    Obligation,
    ObligationKind,
    Source,
    at_once,
)
from incidents.domain.rollback.state import RollbackState, RollbackStatus

_NEEDS_A_PERSON = (
    RollbackStatus.EXPIRED,
    RollbackStatus.HELD,
    RollbackStatus.UNDECIDED,
    RollbackStatus.UNHEALTHY,
    RollbackStatus.INCONCLUSIVE,
    RollbackStatus.FAILED,
)
"""Where a rollback waits for a decision that nobody but a person can take: whoever is on call is paged."""


def recovery(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield what a live incident owes to its recovery."""
    opened = incident.opened_at
    if incident.rollback_request is not None:
        says = "Look at the deployments again"
        yield at_once(
            ObligationKind.LOOK_AGAIN, f"look/{incident.looks}", opened, says, subject=Source.DEPLOYMENTS.value
        )
    for state in incident.rollbacks:
        yield from _rollback(state, incident, runbook)
    if incident.monitoring_since is not None:
        since = incident.monitoring_since
        yield Obligation(
            key=f"stability/{since.isoformat()}",
            kind=ObligationKind.STABILITY,
            due=since + runbook.policy(incident.severity).stability_window,
            since=since,
            says="See whether it stayed stable",
        )
    if incident.postmortem_started and not incident.round:
        yield at_once(ObligationKind.POSTMORTEM, "postmortem/0", opened, "Begin the post-mortem")
    if incident.round and incident.standing(f"postmortem/{incident.round}") is StepStatus.DONE:
        since = incident.reopened_at or opened
        key = f"postmortem-withdraw/{incident.round}"
        yield at_once(ObligationKind.WITHDRAW_POSTMORTEM, key, since, "Withdraw the post-mortem's deadline: reopened")


def _rollback(state: RollbackState, incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    cluster, since, status = state.offer.cluster, state.since, state.status
    key = f"rollback/{cluster}/{state.attempt}"
    if status.under_way:
        says = f"Roll back {cluster}"
        yield at_once(ObligationKind.ROLLBACK, key, since, says, subject=cluster, sequence=state.attempt)
    if status is RollbackStatus.OFFERED:
        yield Obligation(
            key=f"{key}/lapses",
            kind=ObligationKind.OFFER_LAPSES,
            due=since + runbook.rollback.approve_within,
            since=since,
            says=f"The offer to roll back {cluster} lapses",
            subject=cluster,
        )
    if status in _NEEDS_A_PERSON and runbook.policy(incident.severity).page:
        says = f"Page for a decision: the rollback of {cluster} is {status}"
        yield at_once(ObligationKind.ALARM, f"alarm/{key}/{status}", since, says, subject=cluster)


def rollback_verdicts(incident: Incident) -> Iterator[Obligation]:
    """Yield the processes that still probe what a person has judged: they have to be told, also when all is over."""
    for state in incident.rollbacks:
        if state.judgement is not None:
            cluster = state.offer.cluster
            key, says = f"rollback/{cluster}/{state.attempt}/judged", f"Tell the rollback of {cluster} its verdict"
            yield at_once(ObligationKind.TELL_ROLLBACK, key, state.since, says, subject=cluster)


def customers(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield whom to ask whether service is restored, once a rollback has helped (runbook, rollback step 4).

    It holds up nothing. Whoever has not answered in time is recorded as such.
    """
    since = incident.mitigated_at
    helped = any(state.status is RollbackStatus.HEALTHY for state in incident.rollbacks)
    if since is None or not helped or incident.number is None or incident.status == Status.CANCELLED:
        return
    if incident.private:  # nobody outside hears of it from us (BEHAVIOURS 24)
        return
    for customer in affected(incident, runbook):
        key = f"customer/{since.isoformat()}/{customer}"
        yield at_once(
            ObligationKind.ASK_CUSTOMER, key, since, f"Ask {customer} whether service is restored", subject=customer
        )
        if incident.standing(key) is not StepStatus.DONE:
            continue
        if not any(said.customer == customer and said.at >= since for said in incident.confirmations):
            yield Obligation(
                key=f"{key}/unanswered",
                kind=ObligationKind.NO_ANSWER,
                due=since + runbook.customers.answer_within,
                since=since,
                says=f"{customer} should have answered",
                subject=customer,
            )


def affected(incident: Incident, runbook: RunbookConfig) -> tuple[str, ...]:
    """Return the customers to ask: those of the assessment, or else all whom the runbook knows."""
    named = incident.assessment.customers if incident.assessment else ()
    return tuple(dict.fromkeys(named or runbook.customers.contacts))

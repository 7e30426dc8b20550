"""Obligations of the incident itself: its number, the end of the stability window, its closing."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import NumberAllocated
from incidents.domain.alerting.sources import not_ended
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.status import Status
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.customers.obligations import NO_ANSWER
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import resolve
from incidents.domain.numbering import Allocation
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import (
    LIVE,
    ObligationSpec,
    Owed,
    OwedAfter,
    Phase,
    RetryLimit,
    spent_instants,
)
from incidents.domain.surge.membership import informs_customers, join_surge

_FOLLOWS_FOR = timedelta(days=7)
"""How long after its last alert a merged incident stays, so that later alerts of it follow to the other one."""


def number_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the number, which almost everything else waits for."""
    if incident.number is None:
        yield at_once(ObligationKind.NUMBER, Key("number"), incident.opened_at, "Get the incident's number")


def build_number(
    obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime
) -> ActivityRequest[NumberAllocated]:
    """Allocate the number: the same one for the same first run."""
    allocation = Allocation(
        first_run_id=incident.first_run_id,
        workflow_id=incident.workflow_id,
        opened_at=incident.opened_at,
        severity=incident.severity,
        rank=runbook.rank(incident.severity),
        drill=incident.drill,
        apart=incident.backfilled or not informs_customers(incident),
        surge_per_minute=runbook.intake.surge.per_minute,
        recurrence_within=timedelta() if incident.backfilled else runbook.intake.recurrence_within,
    )
    return activity_requests.AllocateNumber(key=obligation.key, allocation=allocation)


def apply_number(
    incident: Incident, obligation: Obligation, result: NumberAllocated, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Take the number, link the incident that this one repeats, and join a surge."""
    incident = incident.replace(number=result.number)
    if result.recurrence_of is not None and incident.recurrence_of is None:
        incident = incident.replace(recurrence_of=result.recurrence_of)
    if (repeated := incident.recurrence_of) is not None:
        text = f"Repeats INC-{repeated}: see `incident show {repeated}`"
        incident = incident.logged(at, SYSTEM, Kind.OPENED, text, announce=True)
    return join_surge(incident, result.surge_parent, runbook, at)


def stability(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the end of the stability window."""
    if incident.monitoring_since is not None:
        since = incident.monitoring_since
        yield Obligation(
            key=Key("stability", since.isoformat()),
            kind=ObligationKind.STABILITY,
            due=since + runbook.policy(incident.severity).stability_window,
            since=since,
            summary="Stability window ends",
        )


def stable(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record that the stability window is over: resolve automatically if the runbook allows it, else ask a person."""
    incident = incident.with_fulfilled(obligation.key).replace(stable_since=obligation.since)
    if incident.alerting.firing:
        text = f"The stability window is over, but not every alert has ended. {not_ended(incident, runbook)}"
        return incident.logged(at, SYSTEM, Kind.STATUS, text, announce=True)
    if runbook.policy(incident.severity).confirm_resolution:
        text = f"No alerts since {obligation.since:%H:%M} UTC: ready to resolve"
        return incident.logged(at, SYSTEM, Kind.STATUS, text, announce=True)
    words = PublicText.trusted(runbook.templates.texts.stable)
    return resolve(incident, runbook, at, SYSTEM, words)


def closing(incident: Incident, runbook: RunbookConfig, others: list[Obligation]) -> Iterator[Obligation]:
    """Yield the end of the incident: after the reopen window, or, if it cannot come back, when all else is done.

    What waits for the evidence store is done after the end.
    """
    others = [obligation for obligation in others if incident.ledger.postponement(obligation.key) is None]
    if not incident.over or incident.closed:
        return
    ended = incident.resolved_at or incident.timeline[-1].at
    if incident.merging.into is not None:
        due = ended + _FOLLOWS_FOR
        key = Key("close", incident.paging.repage_count, "merged")
        summary = "Alerts no longer follow the merge; incident closes"
        yield Obligation(key=key, kind=ObligationKind.CLOSE, due=due, since=ended, summary=summary)
        return
    for_good = incident.status == Status.CANCELLED or incident.postmortem.published or incident.backfilled
    if for_good and others:
        return
    due = ended if for_good else ended + runbook.policy(incident.highest_severity).reopen_window
    due = max([due, *(obligation.due for obligation in others if obligation.kind is NO_ANSWER.kind)])
    if (waiting := incident.alerting.waiting) is not None and waiting.reopens:
        due = max(due, waiting.until)
    if incident.drill and incident.exercise.review is None and incident.status == Status.RESOLVED:
        due = max(due, ended + runbook.drill.review_within)
    key = Key("close", incident.paging.repage_count)
    yield Obligation(
        key=key, kind=ObligationKind.CLOSE, due=due, since=ended, summary="Reopen window ends; incident closes"
    )


def close(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Reopen window ends; incident closes: from now on, an alert opens a new one."""
    incident = incident.with_fulfilled(obligation.key).replace(closed=True)
    unreviewed = incident.drill and incident.exercise.review is None and incident.status == Status.RESOLVED
    text = "Closed without a drill review" if unreviewed else "Closed: the reopen window is over"
    return incident.logged(at, SYSTEM, Kind.STATUS, text)


NUMBER = ObligationSpec(
    ObligationKind.NUMBER,
    (Owed(number_owed, frozenset({Phase.BACKFILLED, Phase.LIVE, Phase.OVER})),),
    build_request=build_number,
    apply_result=apply_number,
    retry_for=RetryLimit.FOREVER,
)
STABILITY = ObligationSpec(
    ObligationKind.STABILITY, (Owed(stability, LIVE),), apply_due=stable, spent=spent_instants("stability")
)
CLOSE = ObligationSpec(
    ObligationKind.CLOSE,
    (),
    owed_after=OwedAfter(closing, frozenset({Phase.BACKFILLED, Phase.OVER}), survives=False),
    apply_due=close,
)

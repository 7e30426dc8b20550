"""Obligations of the incident itself: its number, the end of the stability window, its closing."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest, ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.text.public_text import PublicText
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.customers.obligations import NO_ANSWER
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import resolve
from incidents.domain.incident.parts import Status
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import (
    LIVE,
    ObligationSpec,
    Owed,
    OwedAfter,
    Phase,
    RetryLimit,
)


def number_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the number, which almost everything else waits for."""
    if incident.number is None:
        yield at_once(ObligationKind.NUMBER, "number", incident.opened_at, "Get the incident's number")


def build_number(obligation: Obligation, incident: Incident, runbook: RunbookConfig, at: datetime) -> ActivityRequest:
    """Allocate the number: the same one for the same first run."""
    return activity_requests.AllocateNumber(
        key=obligation.key, first_run_id=incident.first_run_id, workflow_id=incident.workflow_id
    )


def apply_number(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Take the number."""
    return incident.replace(number=result.number)


def stability(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the end of the stability window."""
    if incident.monitoring_since is not None:
        since = incident.monitoring_since
        yield Obligation(
            key=f"stability/{since.isoformat()}",
            kind=ObligationKind.STABILITY,
            due=since + runbook.policy(incident.severity).stability_window,
            since=since,
            says="Stability window ends",
        )


def stable(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record that the stability window is over: resolve by itself where the runbook allows it, else ask a person."""
    incident = incident.replace(fulfilled=(*incident.fulfilled, obligation.key), stable_since=obligation.since)
    if incident.firing:
        text = f"The stability window is over, but {len(incident.firing)} alert(s) still fire"
        return incident.logged(at, SYSTEM, Kind.STATUS, text, announce=True)
    if runbook.policy(incident.severity).confirm_resolution:
        text = f"Stable since {obligation.since:%H:%M} UTC: resolve it when you are satisfied"
        return incident.logged(at, SYSTEM, Kind.STATUS, text, announce=True)
    words = PublicText.trusted(runbook.templates.texts.stable)
    return resolve(incident, runbook, at, SYSTEM, words)


def closing(incident: Incident, runbook: RunbookConfig, others: list[Obligation]) -> Iterator[Obligation]:
    """Yield the end of the incident: after the reopen window, or, if it cannot come back, when all else is done."""
    if not incident.over or incident.closed:
        return
    ended = incident.resolved_at or incident.timeline[-1].at
    for_good = incident.status == Status.CANCELLED or incident.postmortem_published or incident.backfilled
    if for_good and others:
        return
    due = ended if for_good else ended + runbook.policy(incident.highest_severity).reopen_window
    due = max([due, *(obligation.due for obligation in others if obligation.kind is NO_ANSWER.kind)])
    key = f"close/{incident.repage_count}"
    yield Obligation(
        key=key, kind=ObligationKind.CLOSE, due=due, since=ended, says="Reopen window ends; incident closes"
    )


def close(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Reopen window ends; incident closes: from now on, an alert opens a new one."""
    incident = incident.replace(fulfilled=(*incident.fulfilled, obligation.key), closed=True)
    return incident.logged(at, SYSTEM, Kind.STATUS, "Closed: the reopen window is over")


NUMBER = ObligationSpec(
    ObligationKind.NUMBER,
    (Owed(number_owed, frozenset({Phase.BACKFILLED, Phase.LIVE, Phase.OVER})),),
    build_request=build_number,
    apply_result=apply_number,
    retry_for=RetryLimit.FOREVER,
)
STABILITY = ObligationSpec(ObligationKind.STABILITY, (Owed(stability, LIVE),), apply_due=stable)
CLOSE = ObligationSpec(
    ObligationKind.CLOSE,
    (),
    owed_after=OwedAfter(closing, frozenset({Phase.BACKFILLED, Phase.OVER}), survives=False),
    apply_due=close,
)

"""The results of obligations: due, done, skipped on purpose, or failed for good, and what follows from each."""

from datetime import datetime

from incidents.domain.activity_results import ActivityResult, ResourcesChanged, check_family
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.ledger import Postponed, Unfulfilled, in_attempts
from incidents.domain.core.postponing import describe_postponed, postpone
from incidents.domain.core.program_errors import settle_hint, what_to_do
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.core.vendor_failure import VendorFailure
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.steps import update_steps
from incidents.domain.obligation import Obligation
from incidents.domain.operators.obligations import REPORT_FAULT
from incidents.domain.operators.state import CredentialRejection
from incidents.domain.registry import spec_of


def begun(incident: Incident, obligation: Obligation, runbook: RunbookConfig) -> Incident:
    """Record that an obligation was begun: a later attempt looks for the effect of this one before it acts."""
    incident = incident.replace(ledger=incident.ledger.begin(obligation.key, obligation.kind))
    return spec_of(obligation).apply_begun(incident, obligation, runbook)


def apply_due(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Fulfil an obligation that only changes the incident's own state.

    Raises:
        ValueError: an obligation of this kind is fulfilled by an activity or a workflow.
    """
    apply = spec_of(obligation).apply_due
    if apply is None:
        raise ValueError(f"{obligation.kind} is not fulfilled by a change of state")
    return apply(incident, obligation, runbook, at)


def fulfilled(
    incident: Incident, obligation: Obligation, outcome: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Record that an obligation was done, or skipped on purpose.

    A second report of the same obligation changes nothing.

    Raises:
        TypeError: an obligation of this kind has no such result.
    """
    if incident.ledger.settled(obligation.key):
        return incident
    late = incident.ledger.postponement(obligation.key)
    incident = incident.replace(ledger=incident.ledger.end_attempt(obligation.key).resume(obligation.key))
    if outcome.skipped is not None:
        return _skipped(incident, obligation, outcome.skipped, runbook, at)
    spec = spec_of(obligation)
    check_family(outcome, spec.apply_result)
    incident = incident.with_fulfilled(obligation.key)
    if not spec.is_current(incident, obligation):
        return _moved_on(incident, outcome)
    if spec.shares_resources and isinstance(outcome, ResourcesChanged):
        incident = incident.replace(resources=incident.resources.merged(outcome.resources))
    incident = _done(incident, obligation, outcome, runbook, at)
    if late is not None and spec.silent:
        text = f"{obligation.summary}: saved, after {in_attempts(late.times)} that failed"
        incident = incident.logged(at, SYSTEM, spec.timeline, text, announce=True)
    return update_steps(incident, runbook, at)


def _done(
    incident: Incident, obligation: Obligation, outcome: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    spec = spec_of(obligation)
    if not spec.silent:
        detail = f": {outcome.detail}" if outcome.detail else ""
        text = f"{obligation.summary}{detail}"
        incident = incident.logged(at, SYSTEM, spec.timeline, text, announce=spec.announce)
    return spec.apply_result(incident, obligation, outcome, runbook, at)


def _skipped(incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime) -> Incident:
    spec = spec_of(obligation)
    skip = Unfulfilled(key=obligation.key, reason=reason, at=at)
    incident = incident.with_skips(skip)
    incident = spec.apply_skip(incident, obligation, reason, runbook, at)
    if not spec.logs_undone:
        return incident
    text = f"Skipped: {obligation.summary}: {reason}"
    return update_steps(incident.logged(at, SYSTEM, spec.timeline, text), runbook, at)


def _moved_on(incident: Incident, outcome: ActivityResult) -> Incident:
    """Remember a channel that was opened too late: it is archived like the one that was left."""
    channel = outcome.resources.channel_id if isinstance(outcome, ResourcesChanged) else None
    return (
        incident.replace(chat=incident.chat.replace(former_channels=(*incident.chat.former_channels, channel)))
        if channel
        else incident
    )


def failed(
    incident: Incident,
    obligation: Obligation,
    reason: str,
    runbook: RunbookConfig,
    at: datetime,
    *,
    unauthorized: VendorFailure | None = None,
    attempts: int | None = None,
    again: bool = False,
) -> Incident:
    """Record that an obligation failed: for good, or until it is tried `again`.

    The incident continues; a responder may retry, skip or do it by hand.

    `unauthorized`: the vendor that rejected our credentials, if that was why: the operators are notified. `attempts`:
    how often it was tried, if that is known.
    """
    if incident.ledger.settled(obligation.key):
        return incident
    spec = spec_of(obligation)
    if spec.repeats:
        return spec.apply_failure(incident, obligation, reason, runbook, at)
    if unauthorized is not None:
        incident = _with_rejection(incident, unauthorized, reason, at)
    if again and (postponed := postpone(incident.ledger, obligation.key, reason, at)) is not None:
        return _postponed(incident, obligation, postponed, at)
    failure = Unfulfilled(key=obligation.key, reason=reason, at=at, attempts=attempts)
    incident = incident.replace(ledger=incident.ledger.resume(obligation.key)).with_failure(failure)
    incident = spec.apply_failure(incident, obligation, reason, runbook, at)
    if not spec.logs_undone:
        return incident
    text = f"Failed: {obligation.summary}: {failure.described}. Next: {settle_hint(obligation.key, incident.number)}"
    announce = again or not spec.silent
    return update_steps(incident.logged(at, SYSTEM, spec.timeline, text, announce=announce), runbook, at)


def _with_rejection(incident: Incident, vendor: VendorFailure, reason: str, at: datetime) -> Incident:
    """Remember, once for each vendor, that it rejected our credentials."""
    known = incident.operators.rejections
    if any(rejection.vendor == vendor.vendor for rejection in known):
        return incident
    rejection = CredentialRejection(**dict(vendor), reason=reason, at=at)
    return incident.replace(operators=incident.operators.replace(rejections=(*known, rejection)))


def _postponed(incident: Incident, obligation: Obligation, postponed: Postponed, at: datetime) -> Incident:
    """Record that an obligation is tried again; the timeline says it once."""
    incident = incident.replace(ledger=incident.ledger.postpone(postponed))
    if postponed.times > 1:
        return incident
    text = describe_postponed(obligation.summary, postponed)
    return incident.logged(at, SYSTEM, spec_of(obligation).timeline, text, announce=True)


def abandoned(incident: Incident, obligation: Obligation, error: str, at: datetime) -> Incident:
    """Record that an obligation failed, by the simplest means: `failed` itself raised."""
    failure = Unfulfilled(key=obligation.key, reason=error, at=at)
    incident = incident.with_failure(failure)
    text = (
        f"Failed: {obligation.summary}: error in this program ({error}). {what_to_do(obligation.key, incident.number)}"
    )
    return incident.logged(at, SYSTEM, Kind.CHECKLIST, text, announce=not spec_of(obligation).silent)


def faulty(incident: Incident, obligation: Obligation, error: str, at: datetime) -> Incident:
    """Keep the error that failed an obligation, to notify the operators; not a failure to notify them."""
    if obligation.kind is REPORT_FAULT.kind:
        return incident
    return incident.replace(operators=incident.operators.with_fault(obligation.summary, error, at))


def agenda_broke(incident: Incident, error: str, at: datetime) -> Incident:
    """Record, once for each error, that the agenda cannot be derived as a whole."""
    operators = incident.operators.with_fault("deriving the agenda", error, at)
    if operators == incident.operators:
        return incident
    text = (
        f"Error in this program ({error}): some obligations cannot be derived. Paging continues; publish updates"
        " manually (`incident update`) until it is fixed."
    )
    return incident.replace(operators=operators).logged(at, SYSTEM, Kind.STATUS, text, announce=True)

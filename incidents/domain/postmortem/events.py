"""Apply what became of a post-mortem's obligations: due, done, failed, or broken by an error of this program."""

from datetime import datetime

from incidents.domain.activity_results import ActivityResult, check_family
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.ledger import Unfulfilled
from incidents.domain.core.postponing import describe_postponed, postpone
from incidents.domain.core.timeline import SYSTEM
from incidents.domain.postmortem.obligations.obligation import Due, PostmortemObligation
from incidents.domain.postmortem.obligations.records import REPORT_FAULT
from incidents.domain.postmortem.obligations.registry import spec_of
from incidents.domain.postmortem.postmortem import Postmortem


def mark_begun(postmortem: Postmortem, obligation: PostmortemObligation) -> Postmortem:
    """Record that an obligation was started."""
    postmortem = spec_of(obligation).apply_begun(postmortem)
    return postmortem.replace(ledger=postmortem.ledger.begin(obligation.key, obligation.kind))


def apply_due(
    postmortem: Postmortem, obligation: PostmortemObligation, runbook: RunbookConfig, at: datetime
) -> Postmortem:
    """Fulfill an obligation that only changes the post-mortem's own state.

    Raises:
        ValueError: an obligation of this kind is fulfilled by an activity.
    """
    apply = spec_of(obligation).apply_due
    if apply is None:
        raise ValueError(f"{obligation.kind} is not fulfilled by a change of state")
    return apply(postmortem, Due(obligation, runbook, at))


def apply_result(
    postmortem: Postmortem,
    obligation: PostmortemObligation,
    result: ActivityResult,
    runbook: RunbookConfig,
    at: datetime,
) -> Postmortem:
    """Record that an obligation was done or skipped. Idempotent.

    Raises:
        TypeError: an obligation of this kind has no such result.
    """
    if postmortem.ledger.settled(obligation.key):
        return postmortem
    postmortem = postmortem.replace(ledger=postmortem.ledger.resume(obligation.key))
    spec = spec_of(obligation)
    due = Due(obligation, runbook, at)
    check_family(result, spec.apply_result)
    if spec.poll is not None:
        return spec.apply_result(spec.poll(postmortem, due), due, result)
    postmortem = spec.apply_result(postmortem.with_fulfilled(obligation.key), due, result)
    if spec.silent or spec.logs_itself(result):
        return postmortem
    detail = f"skipped: {result.skipped}" if result.skipped is not None else result.detail
    return postmortem.logged(at, SYSTEM, f"{obligation.summary} ({detail})" if detail else obligation.summary)


def record_failure(
    postmortem: Postmortem,
    obligation: PostmortemObligation,
    reason: str,
    runbook: RunbookConfig,
    at: datetime,
    *,
    again: bool = False,
) -> Postmortem:
    """Record that an obligation failed: for good, or until it is tried `again`.

    The deadline stands; a failed poll is repeated.
    """
    spec = spec_of(obligation)
    if spec.poll is not None:
        return spec.poll(postmortem, Due(obligation, runbook, at))
    if again and (postponed := postpone(postmortem.ledger, obligation.key, reason, at)) is not None:
        postmortem = postmortem.replace(ledger=postmortem.ledger.postpone(postponed))
        text = describe_postponed(obligation.summary, postponed)
        return postmortem.logged(at, SYSTEM, text) if postponed.times == 1 else postmortem
    postmortem = postmortem.replace(ledger=postmortem.ledger.resume(obligation.key))
    failure = Unfulfilled(key=obligation.key, reason=reason, at=at)
    return postmortem.with_failure(failure).logged(at, SYSTEM, f"Failed: {obligation.summary} ({reason})")


def record_program_error(
    postmortem: Postmortem, obligation: PostmortemObligation, error: str, at: datetime
) -> Postmortem:
    """Record that an error in this program blocked an obligation; the deadline and the others stand."""
    failure = Unfulfilled(key=obligation.key, reason=error, at=at)
    text = f"Failed: {obligation.summary} (error in this program, {error}). Nothing written is lost. Do it manually."
    return postmortem.with_failure(failure).logged(at, SYSTEM, text)


def record_fault(postmortem: Postmortem, obligation: PostmortemObligation, error: str, at: datetime) -> Postmortem:
    """Record the error for the operators, unless the failed obligation was their notification."""
    if spec_of(obligation) is REPORT_FAULT:
        return postmortem
    return postmortem.replace(operators=postmortem.operators.with_fault(obligation.summary, error, at))


def record_agenda_error(postmortem: Postmortem, error: str, at: datetime) -> Postmortem:
    """Record, once per error, that the agenda cannot be derived."""
    operators = postmortem.operators.with_fault("deriving the post-mortem's agenda", error, at)
    if operators == postmortem.operators:
        return postmortem
    text = f"Error in this program ({error}): no reminders or deadlines for this post-mortem until it is fixed."
    return postmortem.replace(operators=operators).logged(at, SYSTEM, text)

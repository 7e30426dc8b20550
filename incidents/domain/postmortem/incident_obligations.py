"""Obligations of the incident to its post-mortem: start it, update it, withdraw it."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain.activity_results import ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.status import Status
from incidents.domain.core.timeline import Kind
from incidents.domain.evidence.obligations import evidence_key, is_settled_or_late
from incidents.domain.incident.checklist import StepStatus
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import (
    LIVE,
    OVER,
    ObligationSpec,
    Owed,
    Phase,
    WorkflowStep,
)


def postmortem_owed(incident: Incident, runbook: RunbookConfig) -> bool:
    """Return whether a post-mortem is required: by the highest severity reached (behaviour 69), or once it is started.

    A false positive requires none, and a drill a review instead (behaviour 81).
    """
    if incident.drill:
        return False
    owed = runbook.policy(incident.highest_severity).postmortem or incident.postmortem.started
    return owed and incident.status != Status.CANCELLED


def backfilled_postmortem(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the post-mortem of an incident that was written down afterwards, if one was asked for (behaviour 82)."""
    if incident.postmortem.started and incident.number is not None:
        at = incident.timeline[-1].at
        yield at_once(
            ObligationKind.POSTMORTEM, Key("postmortem", incident.times_resolved), at, "Start the post-mortem"
        )


def early_postmortem(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the post-mortem that a responder started before the first resolution."""
    if incident.postmortem.started and not incident.times_resolved:
        yield at_once(ObligationKind.POSTMORTEM, Key("postmortem", 0), incident.opened_at, "Start the post-mortem")


def resolved_postmortem(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the post-mortem once the evidence of the resolution is saved or late, and again for each correction."""
    if incident.number is None or not postmortem_owed(incident, runbook) or not is_settled_or_late(incident):
        return
    key, ended = Key("postmortem", len(incident.intervals)), incident.resolved_at or incident.timeline[-1].at
    yield at_once(ObligationKind.POSTMORTEM, key, ended, "Start the post-mortem")
    if incident.corrections and key in incident.ledger.fulfilled:
        corrected, summary = incident.corrections[-1].at, "Send the correction to the post-mortem"
        key = Key("postmortem-corrected", len(incident.corrections))
        yield at_once(ObligationKind.POSTMORTEM, key, corrected, summary)


def late_evidence(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield sending the evidence to a post-mortem that was started before the evidence store could take it."""
    key, fulfilled = evidence_key(incident), incident.ledger.fulfilled
    started = Key("postmortem", incident.times_resolved)
    if not incident.postmortem.pending or key not in fulfilled or started not in fulfilled:
        return
    if fulfilled.index(key) > fulfilled.index(started):  # keys are in the order in which they were fulfilled
        since, summary = incident.timeline[-1].at, "Send the late evidence to the post-mortem"
        again = Key("postmortem-evidence", incident.times_resolved)
        yield at_once(ObligationKind.POSTMORTEM, again, since, summary)


def reopened_postmortem(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the withdrawal of the post-mortem's deadline when the incident is reopened."""
    if incident.times_resolved and incident.standing(Key("postmortem", incident.times_resolved)) is StepStatus.DONE:
        since = incident.reopened_at or incident.opened_at
        key = Key("postmortem-withdraw", incident.times_resolved)
        yield at_once(ObligationKind.WITHDRAW_POSTMORTEM, key, since, "Withdraw the post-mortem deadline (reopened)")


def cancelled_postmortem(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the end of a post-mortem that was started for a false alarm."""
    if incident.status == Status.CANCELLED and incident.postmortem.handed_over:
        since = incident.timeline[-1].at
        summary = "End the post-mortem (false alarm)"
        yield at_once(ObligationKind.WITHDRAW_POSTMORTEM, Key("postmortem-withdraw", "cancelled"), since, summary)


def record_handover(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Remember that the post-mortem's workflow was started: a false alarm has to end it."""
    return incident.replace(postmortem=incident.postmortem.replace(handed_over=True))


POSTMORTEM = ObligationSpec(
    ObligationKind.POSTMORTEM,
    (
        Owed(backfilled_postmortem, frozenset({Phase.BACKFILLED}), survives=False),
        Owed(early_postmortem, LIVE),
        Owed(resolved_postmortem, OVER, survives=False),
        Owed(late_evidence, OVER | {Phase.CLOSED}, survives=False),
    ),
    workflow_step=WorkflowStep.START_POSTMORTEM,
    apply_result=record_handover,
    timeline=Kind.POSTMORTEM,
)
WITHDRAW_POSTMORTEM = ObligationSpec(
    ObligationKind.WITHDRAW_POSTMORTEM,
    (Owed(reopened_postmortem, LIVE), Owed(cancelled_postmortem, OVER, survives=False)),
    workflow_step=WorkflowStep.WITHDRAW_POSTMORTEM,
    timeline=Kind.POSTMORTEM,
)

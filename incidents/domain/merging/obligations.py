"""Obligation of merged incidents: send each other what they know and what reaches them."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain.activity_results import ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.lifecycle import reopen
from incidents.domain.merging.state import MergeMessageKind
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import LIVE_OR_OVER, ObligationSpec, Owed, WorkflowStep


def message_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the next message to another incident: one at a time, so that they arrive in order."""
    if incident.merging.outgoing:
        key, since = Key("merge", incident.merging.sent), incident.timeline[-1].at
        subject = incident.merging.outgoing[0].target
        yield at_once(ObligationKind.MERGE, key, since, f"Send the merge message to {subject}", subject=subject)


def apply_message(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Go on with the next message."""
    return incident.replace(merging=incident.merging.after_sending())


def apply_unsent(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Undo the merge if the other incident has ended meanwhile: nothing may be lost between the two.

    What could not be sent is recorded here already. If that leaves nothing to work on, the incident stays merged.
    """
    into, target = incident.merging.into, obligation.subject
    lost = [message for message in incident.merging.outgoing if message.target == target]
    incident = incident.replace(merging=incident.merging.without_messages_to(target))
    never_arrived = any(message.kind is MergeMessageKind.ABSORBED for message in lost)
    if into is None or into.workflow_id != target or not (never_arrived or incident.alerting.firing):
        return incident
    incident = incident.replace(merging=incident.merging.replace(into=None))
    text = f"INC-{into.number} has ended: this incident is no longer merged into it"
    incident = incident.logged(at, SYSTEM, Kind.STATUS, text, announce=True)
    return reopen(incident, runbook, at, SYSTEM, f"INC-{into.number} has ended", attended=False)


def spent_messages(incident: Incident) -> Iterator[Key]:
    """Yield the keys of the messages before the next one."""
    yield from (Key("merge", number) for number in range(incident.merging.sent))


MERGE = ObligationSpec(
    ObligationKind.MERGE,
    (Owed(message_owed, LIVE_OR_OVER),),
    workflow_step=WorkflowStep.SEND_MERGE_MESSAGE,
    apply_result=apply_message,
    apply_failure=apply_unsent,
    spent=spent_messages,
    timeline=Kind.STATUS,
    silent=True,
    repeats=True,
)

"""Obligations of a surge: the children and the parent tell each other who informs the customers."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain.activity_results import ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import LIVE, LIVE_OR_OVER, ObligationSpec, Owed, WorkflowStep
from incidents.domain.surge.membership import can_inform, leave_surge, why_released, without_child
from incidents.domain.surge.state import SurgeMessage, SurgeMessageKind

_JOIN, _LEFT = Key("surge", "join"), Key("surge", "left")


def messages_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the messages to the parent, and to the children that this incident cannot inform the customers for."""
    since, parent = incident.timeline[-1].at, incident.surge.parent
    if parent is not None and not incident.surge.left:
        summary = f"Join the surge of INC-{parent.number}"
        yield at_once(ObligationKind.SURGE, _JOIN, since, summary, subject=parent.workflow_id)
    if parent is not None and incident.surge.notify_parent and incident.ledger.settled(_JOIN):
        summary = f"Leave the surge of INC-{parent.number}"
        yield at_once(ObligationKind.SURGE, _LEFT, since, summary, subject=parent.workflow_id)
    for child in incident.surge.active_children:
        if not can_inform(incident, child, runbook):
            key, summary = (
                Key("surge", "release", child.number),
                f"Let INC-{child.number} publish its own customer updates",
            )
            yield at_once(ObligationKind.SURGE, key, since, summary, subject=child.workflow_id, sequence=child.number)


def surge_message(incident: Incident, obligation: Obligation) -> SurgeMessage:
    """Return the message that fulfills an obligation of `messages_owed`."""
    if obligation.sequence:
        child = next(child for child in incident.surge.children if child.number == obligation.sequence)
        return SurgeMessage(
            kind=SurgeMessageKind.RELEASED,
            number=child.number,
            workflow_id=child.workflow_id,
            severity=child.severity,
            reason=why_released(incident),
        )
    return SurgeMessage(
        kind=SurgeMessageKind.LEFT if obligation.key == _LEFT else SurgeMessageKind.JOINED,
        number=incident.number or 0,
        workflow_id=incident.workflow_id,
        severity=incident.severity,
        reason=incident.surge.left,
    )


def apply_sent(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Forget a child that was released."""
    return without_child(incident, obligation.sequence) if obligation.sequence else incident


def apply_unsent(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Forget a child that has ended; publish own customer updates again if the parent has."""
    if obligation.sequence:
        return without_child(incident, obligation.sequence)
    incident = leave_surge(incident, "closed", runbook, at)
    return incident.replace(surge=incident.surge.replace(notify_parent=False))


def leaving(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the end of a child's membership once it is more severe than its parent was."""
    parent = incident.surge.informing
    if parent is None or runbook.rank(incident.severity) >= runbook.rank(parent.severity):
        return
    since = incident.episode.since
    yield at_once(
        ObligationKind.SURGE_LEAVE, Key("surge", "leave"), since, "Publish this incident's own customer updates"
    )


def leave(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Publish this incident's own customer updates again."""
    incident = incident.with_fulfilled(obligation.key)
    return leave_surge(incident, f"this is a {incident.severity}", runbook, at, notify_parent=True)


SURGE = ObligationSpec(
    ObligationKind.SURGE,
    (Owed(messages_owed, LIVE_OR_OVER),),
    workflow_step=WorkflowStep.SEND_SURGE_MESSAGE,
    apply_result=apply_sent,
    apply_failure=apply_unsent,
    repeats=True,
    timeline=Kind.STATUS,
    silent=True,
    housekeeping=True,
)
SURGE_LEAVE = ObligationSpec(ObligationKind.SURGE_LEAVE, (Owed(leaving, LIVE),), apply_due=leave)

"""Who informs the customers in a surge (behaviour 14): the parent for its children, until it cannot any more."""

from datetime import datetime
from typing import assert_never

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.status import Status
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.surge.state import SurgeChild, SurgeMessage, SurgeMessageKind, SurgeParent
from incidents.domain.updates.publishing import opening_text, publish, scheduled_text
from incidents.domain.updates.state import UpdateKind


def informs_customers(incident: Incident) -> bool:
    """Tell whether the incident can inform customers at all: not a private one, nor one of an unknown service."""
    return not incident.private and not incident.alerting.unknown_service


def join_surge(incident: Incident, parent: SurgeParent | None, runbook: RunbookConfig, at: datetime) -> Incident:
    """Leave the customers' information to the parent: what was not delivered to them yet is withdrawn."""
    if parent is None or not informs_customers(incident):
        return incident
    updates = tuple(
        update.replace(channels=tuple(channel for channel in update.channels if not channel.read_by_customers))
        for update in incident.updates.published
    )
    incident = incident.replace(
        surge=incident.surge.replace(parent=parent), updates=incident.updates.replace(published=updates)
    )
    text = (
        f"Surge: more than {runbook.intake.surge.per_minute} incidents opened within a minute. INC-{parent.number}"
        " informs the customers; this incident publishes no customer updates while that one is open."
    )
    return incident.logged(at, SYSTEM, Kind.STATUS, text, announce=True)


def leave_surge(
    incident: Incident, reason: str, runbook: RunbookConfig, at: datetime, *, notify_parent: bool = False
) -> Incident:
    """Publish this incident's own customer updates again, the first one now.

    Args:
        incident: The child.
        reason: Why its parent no longer informs its customers.
        runbook: Its runbook.
        at: Workflow time, aware UTC.
        notify_parent: The parent does not know.
    """
    parent = incident.surge.informing
    if parent is None:
        return incident
    incident = incident.replace(surge=incident.surge.replace(left=reason, notify_parent=notify_parent))
    if incident.over:
        return incident
    text = f"INC-{parent.number} no longer informs the customers ({reason}): this incident publishes its own updates"
    incident = incident.logged(at, SYSTEM, Kind.STATUS, text, announce=True)
    cadence = runbook.policy(incident.severity).updates
    if cadence.every is None:
        return incident
    words = opening_text(incident, runbook)
    if incident.status == Status.MONITORING:
        words, _ = scheduled_text(incident, runbook, at, None)
    return publish(incident, runbook, at, UpdateKind.STATUS, words, channels=cadence.channels, anchor=at)


def can_inform(incident: Incident, child: SurgeChild, runbook: RunbookConfig) -> bool:
    """Tell whether this incident can inform the customers for a child: it is open, and at least as severe."""
    severe = runbook.rank(incident.severity) <= runbook.rank(child.severity)
    return not incident.over and severe and informs_customers(incident)


def why_released(incident: Incident) -> str:
    """Return why this incident no longer informs the customers for a child, in words."""
    if incident.over:
        return incident.shown_status
    return "lower severity" if informs_customers(incident) else "no customer updates"


def apply_surge_message(incident: Incident, message: SurgeMessage, runbook: RunbookConfig, at: datetime) -> Incident:
    """Apply a message of another incident of the surge. A repeated delivery changes nothing."""
    match message.kind:
        case SurgeMessageKind.JOINED:
            return _add_child(incident, message, at)
        case SurgeMessageKind.LEFT:
            return without_child(incident, message.number)
        case SurgeMessageKind.RELEASED:
            return leave_surge(incident, message.reason, runbook, at) if message.number == incident.number else incident
        case kind:
            assert_never(kind)


def _add_child(incident: Incident, message: SurgeMessage, at: datetime) -> Incident:
    children = incident.surge.children
    if any(child.number == message.number for child in children):
        return incident
    child = SurgeChild(number=message.number, workflow_id=message.workflow_id, severity=message.severity)
    incident = incident.replace(surge=incident.surge.replace(children=(*children, child)))
    first = not children
    more = " It does so for others that join, too: see the summary." if first else ""
    text = f"Surge: this incident informs the customers for INC-{message.number}.{more}"
    return incident.logged(at, SYSTEM, Kind.STATUS, text, announce=first)


def without_child(incident: Incident, number: int) -> Incident:
    """Return the incident that no longer informs the customers for that child."""
    children = tuple(
        child.replace(active=False) if child.number == number else child for child in incident.surge.children
    )
    return incident.replace(surge=incident.surge.replace(children=children), revision=incident.revision + 1)

"""Obligations of status updates: publish on schedule and on every channel, remind responders, open the ticket."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain.chat.channel import channel_key
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.obligation_spec import (
    LIVE,
    LIVE_OR_OVER,
    ObligationSpec,
    Owed,
    RetryLimit,
)
from incidents.domain.updates import build_request as requests
from incidents.domain.updates.publishing import delivery_key, has_ticket, next_due, publish_due, release_at


def cadence(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the next status update, its reminder, and the request for a written update."""
    due = next_due(incident, runbook)
    if due is None or incident.update_anchor is None:
        return
    sequence = len(incident.updates) + 1
    since = incident.updates[-1].at if incident.updates else incident.opened_at
    release = max(release_at(incident, runbook, due), since)
    says = f"Publish status update {sequence}"
    yield Obligation(
        key=f"update/{sequence}", kind=ObligationKind.UPDATE, due=release, since=since, says=says, sequence=sequence
    )
    before = runbook.policy(incident.severity).updates.remind_before
    if before and incident.resources.channel_id:
        yield Obligation(
            key=f"update/{sequence}/reminder",
            kind=ObligationKind.REMIND,
            due=max(due - before, since),
            since=since,
            says=f"Post the draft of update {sequence} for review",
            sequence=sequence,
        )
    if incident.no_news >= runbook.updates.nudge_after and incident.resources.channel_id:
        key = f"update/{sequence}/nudge"
        says = f'Last {incident.no_news} updates said "no change": please write the next one'
        yield at_once(ObligationKind.NUDGE, key, since, says, sequence=sequence)


def deliveries(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the newest update for each channel; older ones are superseded (behaviours 35 and 36)."""
    if incident.number is None:
        return
    newest = {channel: update for update in incident.updates for channel in update.channels}
    for channel, update in newest.items():
        if channel is Channel.SLACK and not incident.settled(channel_key(incident)):
            continue
        says = f"Publish update {update.sequence} on {channel}"
        key = delivery_key(update.sequence, channel)
        yield at_once(ObligationKind.DELIVER, key, update.at, says, subject=channel.value, sequence=update.sequence)


def ticket_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the ticket in the issue tracker, where this severity gets one."""
    if incident.number is not None and has_ticket(incident, runbook):
        yield at_once(ObligationKind.TICKET, "ticket", incident.episode.since, "Open the ticket")


def update_due(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Publish the status update that is due."""
    incident = incident.replace(fulfilled=(*incident.fulfilled, obligation.key))
    return publish_due(incident, runbook, at)


_CADENCE = Owed(cadence, LIVE)
UPDATE = ObligationSpec(ObligationKind.UPDATE, (_CADENCE,), apply_due=update_due)
REMIND = ObligationSpec(ObligationKind.REMIND, (_CADENCE,), build_request=requests.remind)
NUDGE = ObligationSpec(ObligationKind.NUDGE, (_CADENCE,), build_request=requests.nudge)
DELIVER = ObligationSpec(
    ObligationKind.DELIVER,
    (Owed(deliveries, LIVE_OR_OVER),),
    build_request=requests.delivery,
    timeline=Kind.DELIVERY,
    retry_for=RetryLimit.PUBLISH,
    withdrawable=True,
)
TICKET = ObligationSpec(ObligationKind.TICKET, (Owed(ticket_owed, LIVE),), build_request=requests.ticket)

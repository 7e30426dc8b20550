"""Obligations of status updates: publish on schedule and on every channel, remind responders, open the ticket."""

from collections.abc import Iterator
from datetime import datetime

from incidents.domain.chat.channel import channel_key
from incidents.domain.config.communication import Channel
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.timeline import SYSTEM, Kind
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
from incidents.domain.updates.delivery import delivery, record_audience, redaction
from incidents.domain.updates.overdue import failed_update, overdue_key, overdue_text, undelivered
from incidents.domain.updates.publishing import (
    DIGEST,
    NUDGED,
    OVERDUE,
    REMINDER,
    delivery_key,
    has_ticket,
    next_due,
    publish_due,
    release_at,
    update_key,
)


def cadence(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the next status update, its reminder, and the request for a written update."""
    due = next_due(incident, runbook)
    if due is None or incident.updates.anchor is None:
        return
    sequence = incident.updates.count + 1
    since = incident.updates.published[-1].at if incident.updates.published else incident.opened_at
    release = max(release_at(incident, runbook, due), since)
    summary = f"Publish status update {sequence}"
    yield Obligation(
        key=update_key(sequence),
        kind=ObligationKind.UPDATE,
        due=release,
        since=since,
        summary=summary,
        sequence=sequence,
    )
    before = runbook.policy(incident.severity).updates.remind_before
    if before and incident.resources.channel_id:
        yield Obligation(
            key=update_key(sequence).under(REMINDER),
            kind=ObligationKind.REMIND,
            due=max(due - before, since),
            since=since,
            summary=f"Post the draft of update {sequence} for review",
            sequence=sequence,
        )
    if incident.updates.no_news >= runbook.updates.nudge_after and incident.resources.channel_id:
        key = update_key(sequence).under(NUDGED)
        summary = f'Last {incident.updates.no_news} updates said "no change": please write the next one'
        yield at_once(ObligationKind.NUDGE, key, since, summary, sequence=sequence)


def deliveries(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the newest update for each channel; older ones are superseded (behaviours 35 and 36)."""
    if incident.number is None:
        return
    newest = {channel: update for update in incident.updates.published for channel in update.channels}
    for channel, update in newest.items():
        if channel is Channel.SLACK and not incident.ledger.settled(channel_key(incident)):
            continue
        summary = f"Publish update {update.sequence} on {channel}"
        key = delivery_key(update.sequence, channel)
        yield at_once(ObligationKind.DELIVER, key, update.at, summary, subject=channel.value, sequence=update.sequence)


def overdue_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the record that an update is overdue, once for each update that is not out."""
    after = runbook.updates.overdue_after
    if after is None:
        return
    for update in (*undelivered(incident), *failed_update(incident, runbook)):
        yield Obligation(
            key=overdue_key(update.sequence),
            kind=ObligationKind.UPDATE_OVERDUE,
            due=update.due + after,
            since=update.due,
            summary=f"Mark status update {update.sequence} as overdue unless it is out",
            sequence=update.sequence,
        )


def record_overdue(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record in the timeline and in the channel that an update is overdue."""
    updates = (*undelivered(incident), *failed_update(incident, runbook))
    update = next(update for update in updates if update.sequence == obligation.sequence)
    incident = incident.with_fulfilled(obligation.key)
    return incident.logged(at, SYSTEM, Kind.UPDATE, overdue_text(update.sequence, update.channels), announce=True)


def ticket_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the ticket in the issue tracker, where this severity gets one, and a better title for it."""
    if incident.number is None or not has_ticket(incident, runbook):
        return
    since = incident.episode.since
    yield at_once(ObligationKind.TICKET, Key("ticket"), since, "Open the ticket")
    if incident.updates.titles and incident.resources.ticket is not None:
        key = Key("ticket", "title", incident.updates.titles)
        yield at_once(ObligationKind.TICKET, key, since, "Change the ticket's title", sequence=incident.updates.titles)


def redaction_owed(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the removal of a private incident from the status page that showed it (behaviour 24).

    Only workflows since 0.2.0 count redactions: histories of before do not owe it.
    """
    if incident.private and incident.updates.redactions:
        key, summary = Key("redact-page", incident.updates.redactions), "Remove the incident from the status page"
        since, sequence = incident.updates.published[-1].at, incident.updates.count
        yield at_once(ObligationKind.REDACT_PAGE, key, since, summary, sequence=sequence)


def announce_unredacted(
    incident: Incident, obligation: Obligation, reason: str, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Ask in the channel for what this program cannot do: the page goes on showing a private incident."""
    text = f"Private, but still on the status page: {reason}"
    return incident.logged(at, SYSTEM, Kind.DELIVERY, text, announce=True)


def redact_page(incident: Incident) -> Incident:
    """Ask for the removal from the status page of an incident that has become private, if the page showed it."""
    updates = incident.updates
    if not any(Channel.STATUS_PAGE in update.channels for update in updates.published):
        return incident
    return incident.replace(updates=updates.replace(redactions=updates.redactions + 1))


def update_due(incident: Incident, obligation: Obligation, runbook: RunbookConfig, at: datetime) -> Incident:
    """Publish the status update that is due."""
    incident = incident.with_fulfilled(obligation.key)
    return publish_due(incident, runbook, at)


def spent_keys(incident: Incident) -> Iterator[Key]:
    """Yield the keys of updates in the archive: each was published and superseded on every channel."""
    at_hand = {update.sequence for update in incident.updates.published}
    for sequence in range(1, incident.updates.count + 1):
        if sequence not in at_hand:
            yield update_key(sequence)
            yield from (update_key(sequence).under(part) for part in (REMINDER, NUDGED, DIGEST, OVERDUE))
            yield from (delivery_key(sequence, channel) for channel in Channel)


def is_delivery(obligation: Obligation) -> bool:
    """Tell whether an obligation publishes an update in one channel."""
    return obligation.kind is ObligationKind.DELIVER


def is_publication(obligation: Obligation) -> bool:
    """Tell whether an obligation publishes the update that is due: its deliveries are obligations of their own."""
    return obligation.kind is ObligationKind.UPDATE


_CADENCE = Owed(cadence, LIVE)
UPDATE = ObligationSpec(ObligationKind.UPDATE, (_CADENCE,), apply_due=update_due, spent=spent_keys)
REMIND = ObligationSpec(ObligationKind.REMIND, (_CADENCE,), build_request=requests.remind)
NUDGE = ObligationSpec(ObligationKind.NUDGE, (_CADENCE,), build_request=requests.nudge)
UPDATE_OVERDUE = ObligationSpec(
    ObligationKind.UPDATE_OVERDUE, (Owed(overdue_owed, LIVE_OR_OVER),), apply_due=record_overdue, housekeeping=True
)
DELIVER = ObligationSpec(
    ObligationKind.DELIVER,
    (Owed(deliveries, LIVE_OR_OVER),),
    build_request=delivery,
    apply_begun=record_audience,
    timeline=Kind.DELIVERY,
    retry_for=RetryLimit.PUBLISH,
    withdrawable=True,
)
REDACT_PAGE = ObligationSpec(
    ObligationKind.REDACT_PAGE,
    (Owed(redaction_owed, LIVE_OR_OVER),),
    build_request=redaction,
    apply_skip=announce_unredacted,
    timeline=Kind.DELIVERY,
    retry_for=RetryLimit.PUBLISH,
    shares_resources=False,
)
TICKET = ObligationSpec(ObligationKind.TICKET, (Owed(ticket_owed, LIVE),), build_request=requests.ticket_request)

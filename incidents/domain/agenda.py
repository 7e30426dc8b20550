"""The agenda: every obligation that the incident has, derived from its state.

Nothing is scheduled and nothing is cancelled: an obligation is owed while the state says so. What was fulfilled is
remembered by key. A change of severity therefore needs no code here; the next call gives the new agenda.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta

from incidents.domain.chat.obligations import archive, channel_key, room
from incidents.domain.config.communication import Channel, Reach
from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Status
from incidents.domain.obligation import (
    HOUSEKEEPING,
    Obligation,
    ObligationKind,
    Source,
    at_once,
)
from incidents.domain.paging.obligations import (
    attention,
    barest_page,
    lifted,
    operators_told,
)
from incidents.domain.rollback.recovery import customers, rollback_verdicts
from incidents.domain.updates.deadlines import deadlines, in_order
from incidents.domain.updates.publishing import delivery_key, has_ticket


def agenda(incident: Incident, runbook: RunbookConfig) -> list[Obligation]:
    """Return every obligation that is owed, now or later, the earliest first."""
    found = [obligation for obligation in _duties(incident, runbook) if not incident.settled(obligation.key)]
    found += _closing(incident, runbook, found)
    return in_order(found)


def surviving_agenda(incident: Incident, runbook: RunbookConfig) -> list[Obligation]:
    """Return what can be derived when the agenda as a whole cannot: each part by itself, the page in any case.

    The incident's aftermath and closing are left out: what is not known to be done must not end it.
    """
    parts: tuple[Callable[[], Iterable[Obligation]], ...] = (
        lambda: _number(incident),
        lambda: operators_told(incident),
        lambda: attention(incident, runbook),
        lambda: barest_page(incident),
        lambda: room(incident, runbook, []),
        lambda: _deliveries(incident),
        lambda: deadlines(incident, runbook),
        lambda: _response(incident, runbook),
    )
    found: dict[str, Obligation] = {}
    for part in parts:
        with suppress(Exception):
            found |= {obligation.key: obligation for obligation in part() if not incident.settled(obligation.key)}
    return in_order(list(found.values()))


def patience(obligation: Obligation, runbook: RunbookConfig) -> timedelta:
    """Return how long a failing obligation is tried again. The number needs no vendor and is never given up."""
    if obligation.kind is ObligationKind.NUMBER:
        return timedelta(days=3650)
    if obligation.kind in (
        ObligationKind.PAGE,
        ObligationKind.ALARM,
        ObligationKind.ACKNOWLEDGE_PAGE,
        ObligationKind.RESOLVE_PAGE,
    ):
        return runbook.patience.page
    if obligation.kind in (ObligationKind.ESCALATE, ObligationKind.ON_CALL):
        return runbook.patience.reach
    if obligation.kind in _PUBLISHED:
        return runbook.patience.publish
    return runbook.patience.others


_PUBLISHED = HOUSEKEEPING - {ObligationKind.ON_CALL, ObligationKind.CHECK_ALERTS} | {
    ObligationKind.CHANNEL,
    ObligationKind.DELIVER,
    ObligationKind.EVIDENCE,
}
"""What a vendor's outage of an hour must not lose: what is published, and the place where people work."""


def postmortem_owed(incident: Incident, runbook: RunbookConfig) -> bool:
    """Tell whether it owes a post-mortem: by the highest severity ever reached (BEHAVIOURS 69), or once it is started.

    A false positive owes none.
    """
    owed = runbook.policy(incident.highest_severity).postmortem or incident.postmortem_started
    return owed and incident.status != Status.CANCELLED


def evidence_key(incident: Incident) -> str:
    """Return the key of the preservation of what this resolution has left behind."""
    return f"evidence/{incident.repage_count + 1}"


def _duties(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    if incident.closed:
        yield from archive(incident)
        yield from lifted(incident)
        return
    yield from _number(incident)
    if incident.backfilled:
        yield from _record(incident)
        yield from _late_postmortem(incident)
        return
    yield from attention(incident, runbook)
    coming = deadlines(incident, runbook)
    yield from room(incident, runbook, coming)
    yield from _deliveries(incident)
    yield from rollback_verdicts(incident)
    yield from customers(incident, runbook)
    yield from _record(incident)
    if incident.over:
        yield from _aftermath(incident, runbook)
        yield from _withdrawn(incident)
    else:
        yield from _response(incident, runbook)
        yield from coming


def _number(incident: Incident) -> Iterator[Obligation]:
    if incident.number is None:
        yield at_once(ObligationKind.NUMBER, "number", incident.opened_at, "Get the incident's number")


def _late_postmortem(incident: Incident) -> Iterator[Obligation]:
    """Yield the post-mortem of an incident that was written down afterwards, if one was asked for (BEHAVIOURS 82)."""
    if incident.postmortem_started and incident.number is not None:
        at = incident.timeline[-1].at
        yield at_once(ObligationKind.POSTMORTEM, f"postmortem/{incident.round}", at, "Hand over to the post-mortem")


def _record(incident: Incident) -> Iterator[Obligation]:
    """Yield the record for the reports, anew when one of its figures changes."""
    if incident.number is not None and (incident.over or incident.corrections):
        key = f"record/{incident.round}/{incident.status}/{len(incident.corrections)}/{len(incident.updates)}"
        since = incident.timeline[-1].at
        yield at_once(ObligationKind.RECORD, key, since, "Keep the record for the reports")


def _response(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the automatic steps of the first-response checklist."""
    opened, policy = incident.opened_at, runbook.policy(incident.severity)
    for source in Source:
        yield at_once(
            ObligationKind.INVESTIGATE,
            f"investigate/{source}",
            opened,
            f"Investigate: look at {source}",
            subject=source.value,
        )
    if incident.number is None:
        return
    if policy.war_room and incident.resources.bridge_url is None:
        yield at_once(ObligationKind.WAR_ROOM, "war-room", incident.episode.since, "Open the war room")
    if has_ticket(incident, runbook):
        yield at_once(ObligationKind.TICKET, "ticket", incident.episode.since, "Open the ticket")


def _deliveries(incident: Incident) -> Iterator[Obligation]:
    """Yield the newest update for each channel; older ones are superseded (BEHAVIOURS 35 and 36)."""
    if incident.number is None:
        return
    newest = {channel: update for update in incident.updates for channel in update.channels}
    for channel, update in newest.items():
        if channel is Channel.SLACK and not incident.settled(channel_key(incident)):
            continue
        says = f"Publish update {update.sequence} on {channel}"
        key = delivery_key(update.sequence, channel)
        yield at_once(ObligationKind.DELIVER, key, update.at, says, subject=channel.value, sequence=update.sequence)


def _aftermath(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield what an ended incident still owes: the record, the post-mortem, and its own closing."""
    ended = incident.resolved_at or incident.timeline[-1].at
    number = len(incident.intervals)
    for key in (*incident.fulfilled, *incident.begun):
        if key.startswith("alarm/") or (key.startswith("escalate/") and key.endswith(f"/{Reach.PAGE}")):
            says = f"Resolve the page {key}"
            yield at_once(ObligationKind.RESOLVE_PAGE, f"page-resolve/{key}", ended, says, subject=key)
    if incident.number is not None:
        yield at_once(ObligationKind.EVIDENCE, evidence_key(incident), ended, "Preserve the incident's record")
        if postmortem_owed(incident, runbook) and incident.settled(evidence_key(incident)):
            yield at_once(ObligationKind.POSTMORTEM, f"postmortem/{number}", ended, "Hand over to the post-mortem")
            if incident.corrections and f"postmortem/{number}" in incident.fulfilled:
                key = f"postmortem-corrected/{len(incident.corrections)}"
                yield at_once(
                    ObligationKind.POSTMORTEM,
                    key,
                    incident.corrections[-1].at,
                    "Tell the post-mortem what was corrected",
                )


def _withdrawn(incident: Incident) -> Iterator[Obligation]:
    """Yield the end of a post-mortem that was begun for what turned out to be no incident."""
    if incident.status == Status.CANCELLED and any(key.startswith("postmortem/") for key in incident.fulfilled):
        since = incident.timeline[-1].at
        says = "End the post-mortem: it was no incident"
        yield at_once(ObligationKind.WITHDRAW_POSTMORTEM, "postmortem-withdraw/cancelled", since, says)


def _closing(incident: Incident, runbook: RunbookConfig, others: list[Obligation]) -> Iterator[Obligation]:
    """Yield the end of the incident: after the reopen window, or, if it cannot come back, when all else is done."""
    if not incident.over or incident.closed:
        return
    ended = incident.resolved_at or incident.timeline[-1].at
    for_good = incident.status == Status.CANCELLED or incident.postmortem_published or incident.backfilled
    if for_good and others:
        return
    due = ended if for_good else ended + runbook.policy(incident.highest_severity).reopen_window
    due = max([due, *(obligation.due for obligation in others if obligation.kind is ObligationKind.NO_ANSWER)])
    key = f"close/{incident.repage_count}"
    yield Obligation(key=key, kind=ObligationKind.CLOSE, due=due, since=ended, says="Close the incident for good")

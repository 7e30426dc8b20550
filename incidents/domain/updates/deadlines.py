"""What a live incident has promised for a time that is known: updates, calls, response targets, the recovery."""

from collections.abc import Iterator

from incidents.domain.config.model import Runbook
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import (
    ORDER,
    Duty,
    Obligation,
    at_once,
)
from incidents.domain.paging.ladder import ladder, ladder_start
from incidents.domain.paging.targets import open_targets
from incidents.domain.rollback.recovery import recovery
from incidents.domain.updates.publishing import next_due, release_at


def promises(incident: Incident, runbook: Runbook) -> list[Obligation]:
    """Return what is promised and not settled yet, the earliest first; nothing once the incident is over."""
    if incident.over:
        return []
    found = (
        *cadence(incident, runbook),
        *ladder(incident, runbook),
        *_targets(incident, runbook),
        *recovery(incident, runbook),
    )
    return in_order([duty for duty in found if not incident.settled(duty.key)])


def in_order(duties: list[Obligation]) -> list[Obligation]:
    """Return duties as they are to be done: the earliest first, at the same moment by their kind."""
    return sorted(duties, key=lambda duty: (duty.due, ORDER[duty.duty], duty.key))


def cadence(incident: Incident, runbook: Runbook) -> Iterator[Obligation]:
    """Yield the next status update, the reminder before it, and the question for words of a person's own."""
    due = next_due(incident, runbook)
    if due is None or incident.update_anchor is None:
        return
    sequence = len(incident.updates) + 1
    since = incident.updates[-1].at if incident.updates else incident.opened_at
    release = max(release_at(incident, runbook, due), since)
    says = f"Publish status update {sequence}"
    yield Obligation(key=f"update/{sequence}", duty=Duty.UPDATE, due=release, since=since, says=says, sequence=sequence)
    before = runbook.policy(incident.severity).updates.remind_before
    if before and incident.resources.channel_id:
        yield Obligation(
            key=f"update/{sequence}/reminder",
            duty=Duty.REMIND,
            due=max(due - before, since),
            since=since,
            says=f"Show the responders the draft of update {sequence}",
            sequence=sequence,
        )
    if incident.no_news >= runbook.updates.nudge_after and incident.resources.channel_id:
        key = f"update/{sequence}/nudge"
        yield at_once(Duty.NUDGE, key, since, "Ask the commander for words of their own", sequence=sequence)


def _targets(incident: Incident, runbook: Runbook) -> Iterator[Obligation]:
    since, number = ladder_start(incident, runbook)
    for target in open_targets(incident, runbook, since):
        yield Obligation(
            key=f"target/{incident.severity}/{number}/{target.name}",
            duty=Duty.TARGET,
            due=target.due,
            since=since,
            says=f"Target: {target.says}",
            subject=target.name,
        )

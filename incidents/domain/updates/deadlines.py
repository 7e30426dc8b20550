"""What a live incident has promised for a time that is known: updates, calls, response targets, the recovery."""

from collections.abc import Iterator

from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import (
    ORDER,
    Obligation,
    ObligationKind,
    at_once,
)
from incidents.domain.paging.ladder import ladder, ladder_start
from incidents.domain.paging.targets import open_targets
from incidents.domain.rollback.recovery import recovery
from incidents.domain.updates.publishing import next_due, release_at


def deadlines(incident: Incident, runbook: RunbookConfig) -> list[Obligation]:
    """Return what is promised and not settled yet, the earliest first; nothing once the incident is over."""
    if incident.over:
        return []
    found = (
        *cadence(incident, runbook),
        *ladder(incident, runbook),
        *_targets(incident, runbook),
        *recovery(incident, runbook),
    )
    return in_order([obligation for obligation in found if not incident.settled(obligation.key)])


def in_order(obligations: list[Obligation]) -> list[Obligation]:
    """Return obligations as they are to be done: the earliest first, at the same moment by their kind."""
    return sorted(obligations, key=lambda obligation: (obligation.due, ORDER[obligation.kind], obligation.key))


def cadence(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the next status update, the reminder before it, and the question for words of a person's own."""
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
            says=f"Show the responders the draft of update {sequence}",
            sequence=sequence,
        )
    if incident.no_news >= runbook.updates.nudge_after and incident.resources.channel_id:
        key = f"update/{sequence}/nudge"
        yield at_once(ObligationKind.NUDGE, key, since, "Ask the commander for words of their own", sequence=sequence)


def _targets(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    since, number = ladder_start(incident, runbook)
    for target in open_targets(incident, runbook, since):
        yield Obligation(
            key=f"target/{incident.severity}/{number}/{target.name}",
            kind=ObligationKind.TARGET,
            due=target.due,
            since=since,
            says=f"Target: {target.says}",
            subject=target.name,
        )

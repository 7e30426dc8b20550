"""Obligations that end pages at the pager: acknowledge and resolve them, and what is spent of that."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from incidents.domain.activity_results import ActivityResult
from incidents.domain.config.communication import Reach
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.status import Status
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation, ObligationKind, at_once
from incidents.domain.paging.keys import acknowledgement_key, resolve_key
from incidents.domain.paging.spent import (
    may_be_open,
    open_callings,
)

_MOST_OPEN = 10
"""Pages of earlier re-pages that stay open at the pager, and resolutions of pages that are owed at a time."""


def page_settlement(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the acknowledgement of the page once it is acknowledged here, its resolution once nobody is needed."""
    unneeded = incident.status == Status.MONITORING and not incident.paging.attended
    if not incident.over:
        yield from _replaced_pages(incident)
    if incident.over or unneeded:
        # Resolved also when nobody was needed: a pager would stay silent about an acknowledged page that comes again.
        ended = incident.resolved_at or incident.monitoring_since or incident.timeline[-1].at
        callings = open_callings(incident) if incident.over else _current(incident)
        yield from _resolutions(incident, callings, ended, "Resolve the page")
    elif incident.paging.attended and _current(incident) and not _resolved(incident):
        since = max(incident.acknowledged_at or incident.opened_at, incident.opened_at)
        yield at_once(
            ObligationKind.ACKNOWLEDGE_PAGE,
            acknowledgement_key(incident.paging.repage_count),
            since,
            "Acknowledge the page",
        )


def _replaced_pages(incident: Incident) -> Iterator[Obligation]:
    """Yield the resolution of pages that another one replaced: a more severe one, or many newer ones.

    Else the pager would escalate both, and the end of a long incident would resolve hundreds of pages.
    """
    since, paging = incident.paging.last_paged_at or incident.opened_at, incident.paging
    callings = open_callings(incident)
    graver = [calling for calling in callings if calling in paging.superseded]
    yield from _resolutions(incident, graver, since, "Resolve the page that a more severe one replaced")
    old = [n for n in callings if n < paging.repage_count - _MOST_OPEN and n not in paging.superseded]
    yield from _resolutions(incident, old, since, "Resolve the page that newer ones replaced")


def _resolutions(incident: Incident, callings: Sequence[int], since: datetime, summary: str) -> Iterator[Obligation]:
    """Yield the resolution of pages, the first few at a time."""
    left = [calling for calling in callings if not incident.ledger.settled(resolve_key(calling))]
    for calling in left[:_MOST_OPEN]:
        yield at_once(ObligationKind.RESOLVE_PAGE, resolve_key(calling), since, summary, sequence=calling)


def _current(incident: Incident) -> tuple[int, ...]:
    """Return the number of the last re-page, if its page may be open."""
    return tuple(number for number in open_callings(incident) if number == incident.paging.repage_count)


def _resolved(incident: Incident) -> bool:
    """Tell whether the page of the last calling is or is being resolved: there is nothing left to acknowledge."""
    key = resolve_key(incident.paging.repage_count)
    return key in incident.ledger.fulfilled or incident.ledger.is_begun(key)


def escalation_pages(incident: Incident, runbook: RunbookConfig) -> Iterator[Obligation]:
    """Yield the resolution of the pages of escalations and of rollbacks that needed a decision."""
    ended = incident.resolved_at or incident.timeline[-1].at
    for call in incident.paging.calls:
        if call.calling is None and call.reach is Reach.PAGE and may_be_open(incident, call):
            key, summary = resolve_key(call.key), f"Resolve the page to {runbook.contacts[call.contact].name}"
            yield at_once(ObligationKind.RESOLVE_PAGE, key, ended, summary, subject=call.contact, page=call.key)


def forget_page(
    incident: Incident, obligation: Obligation, result: ActivityResult, runbook: RunbookConfig, at: datetime
) -> Incident:
    """Forget that a page of an earlier re-page may be open, once it is resolved."""
    if obligation.page:
        return incident
    return incident.replace(paging=incident.paging.without_page(obligation.sequence))

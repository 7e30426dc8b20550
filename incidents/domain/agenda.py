"""The agenda: every obligation that the incident has, derived from its state.

Nothing is scheduled and nothing is cancelled: an obligation is owed while the state says so. What was fulfilled is
remembered by key. A change of severity therefore needs no code here; the next call gives the new agenda.
"""

from collections.abc import Iterator
from contextlib import suppress

from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident
from incidents.domain.obligation import Obligation
from incidents.domain.obligation_spec import phase_of
from incidents.domain.paging.obligations import barest_page
from incidents.domain.registry import OWED, OWED_AFTER, in_order


def agenda(incident: Incident, runbook: RunbookConfig) -> list[Obligation]:
    """Return every obligation that is owed, now or later, the earliest first."""
    phase, found = phase_of(incident), list[Obligation]()
    for owed in OWED:
        if phase in owed.phases:
            found += _unsettled(owed.derive(incident, runbook), incident)
    for after in OWED_AFTER:
        if phase in after.phases:
            found += _unsettled(after.derive(incident, runbook, found), incident)
    return in_order(found)


def surviving_agenda(incident: Incident, runbook: RunbookConfig) -> list[Obligation]:
    """Return what can be derived when the agenda as a whole cannot: each part on its own, the page in any case.

    The incident's aftermath and closing are left out: what is not known to be done must not end it.
    """
    phase, found = phase_of(incident), dict[str, Obligation]()
    for owed in OWED:
        if owed.survives and phase in owed.phases:
            with suppress(Exception):
                found |= {o.key: o for o in _unsettled(owed.derive(incident, runbook), incident)}
    for after in OWED_AFTER:
        if after.survives and phase in after.phases:
            with suppress(Exception):
                found |= {o.key: o for o in _unsettled(after.derive(incident, runbook, list(found.values())), incident)}
    found |= {o.key: o for o in _unsettled(barest_page(incident), incident)}
    return in_order(list(found.values()))


def _unsettled(obligations: Iterator[Obligation], incident: Incident) -> list[Obligation]:
    return [_postponed(o, incident) for o in obligations if not incident.ledger.settled(o.key)]


def _postponed(obligation: Obligation, incident: Incident) -> Obligation:
    """Return an obligation that failed before with the time of its next attempt."""
    postponed = incident.ledger.postponement(obligation.key)
    return obligation if postponed is None else obligation.replace(due=max(obligation.due, postponed.until))

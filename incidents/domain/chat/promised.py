"""What the summary in the channel says comes next."""

from collections.abc import Iterable

from incidents.domain.config.model import RunbookConfig
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.obligations import STABILITY
from incidents.domain.obligation import Obligation
from incidents.domain.paging.obligations import ESCALATE, TARGET
from incidents.domain.rollback.obligations import OFFER_EXPIRES
from incidents.domain.updates.obligations import UPDATE

# Their summaries are part of the pinned message, and a replay compares that with the one recorded: a change of their
# wording needs `workflow.patched`.
_PROMISED = (UPDATE, ESCALATE, TARGET, OFFER_EXPIRES, STABILITY)
_ORDER = {spec.kind: place for place, spec in enumerate(_PROMISED)}
_DERIVED = tuple(dict.fromkeys(owed for spec in _PROMISED for owed in spec.owed))


def promised(incident: Incident, runbook: RunbookConfig) -> list[Obligation]:
    """Return the updates, escalations, targets and window ends still to come, the earliest first."""
    if incident.over:
        return []
    found = (obligation for owed in _DERIVED for obligation in owed.derive(incident, runbook))
    return promised_among(o for o in found if not incident.ledger.settled(o.key))


def promised_among(owed: Iterable[Obligation]) -> list[Obligation]:
    """Return the same from what is owed."""
    coming = [o for o in owed if o.kind in _ORDER and o.due > o.since]
    return sorted(coming, key=lambda obligation: (obligation.due, _ORDER[obligation.kind], obligation.key))

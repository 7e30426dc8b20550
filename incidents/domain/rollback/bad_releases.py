"""Which versions are known to be bad, and which releases an incident is about."""

from incidents.domain.incident.incident import Incident
from incidents.domain.rollback.state import RollbackState, RollbackStatus


def known_bad_versions(incident: Incident) -> dict[str, str]:
    """Return the versions that this incident knows to be bad, with the reason: flagged, or tried without success."""
    why = "already tried in this incident"
    tried = dict.fromkeys((version for state in incident.rollback.clusters for version in state.all_tried), why)
    flagged = {flag.version: f"flagged as bad by {flag.by}: {flag.reason}" for flag in incident.rollback.flags}
    return {**tried, **flagged}


def bad_releases(incident: Incident) -> tuple[str, ...]:
    """Return the versions that later incidents must not roll back to: flagged ones, and this incident's suspects.

    A suspect whose rollback was declined is cleared, unless only its candidate was flagged; a false alarm adds no
    suspects.
    """
    if incident.is_false_alarm:
        return tuple(flag.version for flag in incident.rollback.flags)
    flagged = tuple(flag.version for flag in incident.rollback.flags)
    suspects = [
        state.offer.suspect.version
        for state in incident.rollback.clusters
        if state.offer.suspect and not state.insist and not _is_cleared(state, flagged)
    ]
    return tuple(dict.fromkeys((*flagged, *suspects)))


def _is_cleared(state: RollbackState, flagged: tuple[str, ...]) -> bool:
    """Tell whether a person declined the rollback for what it was, and not because its candidate is bad."""
    candidate = state.offer.candidate
    return state.status is RollbackStatus.DECLINED and (candidate is None or candidate.version not in flagged)

"""What the timeline says of several alerts in one line."""

from collections.abc import Iterable
from datetime import datetime

from incidents.cutting import cut
from incidents.domain.core.time.instants import not_used
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident

_MOST_NAMED = 20
"""Alerts that one line of the timeline names."""


def names_of(titles: Iterable[str]) -> str:
    """Return different titles, at most `_MOST_NAMED` of them, on one line."""
    found = [cut(title, 200) for title in dict.fromkeys(titles)]
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return ", ".join(found[:_MOST_NAMED]) + more


def log_out_of_bounds(
    incident: Incident, which: str, claims: Iterable[tuple[str, datetime | None, datetime]], at: datetime
) -> Incident:
    """Record in one line which instants were out of bounds (behaviour 26): title, what was claimed, what is used."""
    found = [(title, claimed, used) for title, claimed, used in claims if claimed is not None]
    if not found:
        return incident
    [title, claimed, used], others = found[0], len(found) - 1
    more = f" (and of {others} more)" if others else ""
    return incident.logged(at, SYSTEM, Kind.ALERT, not_used(f"{which} of {cut(title, 200)}{more}", claimed, used))

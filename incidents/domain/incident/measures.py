"""Time to detect and time to acknowledge, defined once for post-mortem, report and search attributes (behaviour 99)."""

from datetime import datetime, timedelta

from incidents.domain.incident.commands import Mark
from incidents.domain.incident.incident import Incident

DEFINITIONS = (
    "Time to detect: from the corrected start to the alert; unknown unless the start was corrected.",
    "Time to acknowledge: from the first page to the acknowledgement; from the alert if nobody was paged before it.",
    "Time to mitigate and time to resolve: from the start.",
)


def alerted_at(incident: Incident) -> datetime:
    """Return when the alert began: the start as it was before any correction."""
    corrected = (c.was for c in incident.corrections if c.which == Mark.STARTED)
    return next(corrected, incident.started_at)


def time_to_detect(incident: Incident) -> timedelta | None:
    """Return the time from the corrected start to the alert; None (unknown) unless the start was corrected."""
    alerted = alerted_at(incident)
    return max(alerted - incident.started_at, timedelta()) if alerted != incident.started_at else None


def time_to_acknowledge(incident: Incident) -> timedelta | None:
    """Return the time to acknowledge; None if it was never acknowledged."""
    if incident.first_acknowledged_at is None:
        return None
    return since_page(incident.first_acknowledged_at, incident.paging.first_paged_at, alerted_at(incident))


def since_page(acknowledged: datetime, paged: datetime | None, alerted: datetime) -> timedelta:
    """Return the time from the first page, or from the alert if there was none before the acknowledgement."""
    since = paged if paged is not None and paged <= acknowledged else alerted
    return max(acknowledged - since, timedelta())

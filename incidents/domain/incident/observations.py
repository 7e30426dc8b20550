"""What the metrics count of an incident: the differences between two of its states."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from incidents import metrics
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.measures import time_to_acknowledge
from incidents.metrics import Metric


@dataclass(frozen=True)
class Observation:
    """One event to count, or one duration (`took`) to add to a histogram.

    `key`: tells it from the incident's others.
    """

    metric: Metric
    key: str
    labels: dict[str, str] = field(default_factory=dict)
    took: timedelta | None = None


def observe(before: Incident | None, after: Incident) -> Iterator[Observation]:
    """Yield what happened between two states of an incident; `before` is None when it has just been opened.

    Drills and past incidents that were recorded afterwards (backfilled) count as nothing.
    """
    if after.drill or after.backfilled:
        return
    severity = {"severity": str(after.severity)}
    if after.number is not None and (before is None or before.number is None):
        yield Observation(metrics.OPENED, "opened", severity)
    yield from _response(before, after, severity)
    seen = before.updates.count if before is not None else 0
    for update in after.updates.published:
        if update.sequence > seen and update.has_due_time:
            late = max(update.at - update.due, timedelta())
            key = f"update/{update.sequence}"
            yield Observation(metrics.UPDATE_LATENESS, key, {"severity": str(update.severity)}, late)
    known = frozenset(failure.key for failure in before.ledger.failures) if before is not None else frozenset()
    for failure in after.ledger.failures:
        if failure.key not in known:
            key = f"failed/{failure.key}/{failure.at.isoformat()}"
            yield Observation(metrics.OBLIGATIONS_FAILED, key, {"kind": failure.key.kind})


def _response(before: Incident | None, after: Incident, severity: dict[str, str]) -> Iterator[Observation]:
    """Yield the first page, the first acknowledgement, and each resolution."""
    paged = after.paging.first_paged_at
    if paged is not None and (before is None or before.paging.first_paged_at is None):
        yield Observation(metrics.TIME_TO_PAGE, "paged", severity, max(paged - after.opened_at, timedelta()))
    acknowledged = time_to_acknowledge(after)
    if acknowledged is not None and (before is None or before.first_acknowledged_at is None):
        yield Observation(metrics.TIME_TO_ACKNOWLEDGE, "acknowledged", severity, acknowledged)
    was_over = before is not None and before.resolved_at is not None
    if after.resolved_at is not None and not was_over and not after.is_false_alarm:
        took = max(after.resolved_at - after.started_at, timedelta())
        yield Observation(metrics.TIME_TO_RESOLVE, f"resolved/{after.resolved_at.isoformat()}", severity, took)

"""Our metrics: the one list that programs, dashboard, alert rules and docs/operating.md are checked against.

Temporal's SDK adds its own, which begin with `temporal_`. Labels have few values: no titles, customers or numbers.
"""

from dataclasses import dataclass
from enum import StrEnum

SHARED = ("namespace", "task_queue", "workflow_type")
"""Labels that Temporal's SDK adds to what a workflow counts."""


class Kind(StrEnum):
    """What a metric is to Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Program(StrEnum):
    """Which programs expose a metric."""

    WORKER = "worker"
    GATEWAY = "gateway"
    BOTH = "both"


@dataclass(frozen=True)
class Metric:
    """One metric. `name`: as Prometheus shows it. `buckets`: upper bounds of a histogram, in its unit.

    `in_workflow`: workflows count it, by the SDK's meter, which is silent during a replay.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    program: Program = Program.BOTH
    buckets: tuple[float, ...] = ()
    in_workflow: bool = False

    @property
    def instrument(self) -> str:
        """Return the name without the unit, or the suffix of a counter, that the SDK's exporter adds."""
        return self.name.removesuffix("_total").removesuffix("_seconds")

    @property
    def shown_labels(self) -> tuple[str, ...]:
        """Return all labels that a series has."""
        return (*self.labels, *SHARED) if self.in_workflow else self.labels


_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_UNTIL_PAGED = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR)
_UNTIL_ACKNOWLEDGED = (
    *(_MINUTE * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * hours for hours in (1, 2, 4, 8, 24)),
)
"""The runbook's targets are among them: 5 min (P0), 15 min (P1), 30 min (escalation), hours (P2, P3)."""
_UNTIL_RESOLVED = (5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, *(_HOUR * hours for hours in (1, 2, 4, 8, 24)), 7 * _DAY)
_LATE = (1.0, 5.0, 15.0, 30.0, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 4 * _HOUR)
"""60 s is what counts as on time (`PUNCTUAL` of incidents/domain/updates/state.py)."""
_CALL = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

OPENED = Metric(
    "incidents_opened_total",
    Kind.COUNTER,
    "Incidents opened, without drills",
    ("severity",),
    Program.WORKER,
    in_workflow=True,
)
TIME_TO_PAGE = Metric(
    "incidents_time_to_page_seconds",
    Kind.HISTOGRAM,
    "From the opening of an incident to its first page",
    ("severity",),
    Program.WORKER,
    _UNTIL_PAGED,
    in_workflow=True,
)
TIME_TO_ACKNOWLEDGE = Metric(
    "incidents_time_to_acknowledge_seconds",
    Kind.HISTOGRAM,
    "From the first page of an incident to its acknowledgement; from the alert if nobody was paged before",
    ("severity",),
    Program.WORKER,
    _UNTIL_ACKNOWLEDGED,
    in_workflow=True,
)
TIME_TO_RESOLVE = Metric(
    "incidents_time_to_resolve_seconds",
    Kind.HISTOGRAM,
    "From the start of an incident to its resolution; each resolution counts",
    ("severity",),
    Program.WORKER,
    _UNTIL_RESOLVED,
    in_workflow=True,
)
UPDATE_LATENESS = Metric(
    "incidents_update_lateness_seconds",
    Kind.HISTOGRAM,
    "From the due time of a status update to its publication; within 60 s is on time",
    ("severity",),
    Program.WORKER,
    _LATE,
    in_workflow=True,
)
OBLIGATIONS_FAILED = Metric(
    "incidents_obligations_failed_total",
    Kind.COUNTER,
    "Obligations that were given up: not done, and not retried any more",
    ("kind",),
    Program.WORKER,
    in_workflow=True,
)
OPEN = Metric("incidents_open", Kind.GAUGE, "Incidents that are not resolved, without drills", ("severity", "status"))
UNACKNOWLEDGED = Metric(
    "incidents_unacknowledged", Kind.GAUGE, "Open incidents that nobody has acknowledged, without drills", ("severity",)
)
UPDATES_OVERDUE = Metric(
    "incidents_updates_overdue",
    Kind.GAUGE,
    "Open incidents with a status update overdue for longer than `updates.overdue_after`, without drills",
    ("severity",),
)
OBLIGATIONS_OVERDUE = Metric(
    "incidents_obligations_overdue",
    Kind.GAUGE,
    "Incidents with an obligation due for longer than its `retry_for` and 60 s",
    program=Program.WORKER,
)
OBLIGATIONS_FAILING = Metric(
    "incidents_obligations_failing",
    Kind.GAUGE,
    "Activities of open workflows whose last attempt failed, and which are retried",
    ("activity",),
    Program.WORKER,
)
STUCK = Metric(
    "incidents_workflows_stuck",
    Kind.GAUGE,
    "Open workflows whose workflow task keeps failing, or waits for a worker",
    ("reason",),
    Program.WORKER,
)
QUEUE_AGE = Metric(
    "incidents_queue_backlog_age_seconds",
    Kind.GAUGE,
    "Age of the oldest task that waits for a worker, as Temporal estimates it",
    ("queue", "type"),
)
QUEUE_SIZE = Metric(
    "incidents_queue_backlog_tasks",
    Kind.GAUGE,
    "Tasks that wait for a worker, as Temporal estimates them",
    ("queue", "type"),
)
TEMPORAL_UP = Metric(
    "incidents_temporal_up",
    Kind.GAUGE,
    "1 if Temporal answered this process; while it is 0, the gauges that are read from Temporal are absent",
)
NOBODY = Metric("incidents_nobody_can_be_paged", Kind.GAUGE, "1 if this process has no pager for a severity that pages")
VENDOR_CALLS = Metric(
    "incidents_vendor_calls_total",
    Kind.COUNTER,
    "Calls to vendors: ok, rejected, not_found, unauthorized, rate_limited, unavailable, or error (of ours)",
    ("vendor", "operation", "result"),
)
VENDOR_LATENCY = Metric(
    "incidents_vendor_call_seconds",
    Kind.HISTOGRAM,
    "Duration of calls to vendors, answered or not",
    ("vendor", "operation"),
    buckets=_CALL,
)
ALERTS = Metric(
    "incidents_webhooks_total",
    Kind.COUNTER,
    "Alert webhooks: accepted (some may be on disk only: incidents_spooled_alerts), rejected, or failed",
    ("source", "result"),
    Program.GATEWAY,
)
SPOOLED = Metric(
    "incidents_spooled_alerts",
    Kind.GAUGE,
    "Alert webhooks on this machine's disk that wait for Temporal",
    program=Program.GATEWAY,
)
BUILD = Metric("incidents_build_info", Kind.GAUGE, "1; the label is the version of this program", ("version",))

METRICS = (
    OPEN,
    UNACKNOWLEDGED,
    OPENED,
    TIME_TO_PAGE,
    TIME_TO_ACKNOWLEDGE,
    TIME_TO_RESOLVE,
    UPDATE_LATENESS,
    UPDATES_OVERDUE,
    OBLIGATIONS_OVERDUE,
    OBLIGATIONS_FAILING,
    OBLIGATIONS_FAILED,
    STUCK,
    QUEUE_AGE,
    QUEUE_SIZE,
    TEMPORAL_UP,
    NOBODY,
    VENDOR_CALLS,
    VENDOR_LATENCY,
    ALERTS,
    SPOOLED,
    BUILD,
)

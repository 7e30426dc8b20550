"""The watch for one heartbeat: when it is overdue, and the alert that says so."""

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime

from incidents.domain.alerting.alert import Alert
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.heartbeat.config import HeartbeatRule


class HeartbeatWatch(Frozen):
    """What is known of one heartbeat.

    `last_at`: when it last came, or when the watch began if it `came` never. `reported_for`: the `last_at` whose
    successor is reported as absent; None while nothing is reported.
    """

    name: str
    rule: HeartbeatRule
    last_at: AwareDatetime
    came: bool = False
    reported_for: AwareDatetime | None = None

    def record(self, at: datetime, now: datetime) -> Self:
        """Return the watch after a heartbeat. One that comes late by another way changes nothing."""
        at = min(at, now)
        return self.replace(last_at=at, came=True) if at > self.last_at else self

    @property
    def overdue_at(self) -> datetime:
        """When the next heartbeat is overdue."""
        return self.last_at + self.rule.every + self.rule.grace

    @property
    def returned(self) -> bool:
        """Tell whether a heartbeat has come after its absence was reported."""
        return self.reported_for is not None and self.last_at > self.reported_for

    def is_absent(self, now: datetime) -> bool:
        """Tell whether it is overdue, and that is not reported yet."""
        return self.reported_for is None and now >= self.overdue_at


def render_current_details(watch: HeartbeatWatch) -> str:
    """Return the watch's current details. Times are absolute, so that the text stays correct between changes."""
    came = f"Last heartbeat: {watch.last_at:%Y-%m-%d %H:%M:%S} UTC"
    last = came if watch.came else f"No heartbeat since the watch began: {watch.last_at:%Y-%m-%d %H:%M:%S} UTC"
    if watch.reported_for is not None and not watch.returned:
        return f"**Absent** since {watch.overdue_at:%Y-%m-%d %H:%M:%S} UTC, reported\n\n{last}"
    return f"{last}\n\nOverdue at {watch.overdue_at:%Y-%m-%d %H:%M:%S} UTC (every {in_words(watch.rule.every)})"


class HeartbeatReport(Frozen):
    """The report to the intake: the heartbeat is absent or, with `returned_at`, has returned."""

    name: str
    rule: HeartbeatRule
    overdue_at: AwareDatetime
    last_at: AwareDatetime | None
    returned_at: AwareDatetime | None = None


def build_report(watch: HeartbeatWatch) -> HeartbeatReport:
    """Return the report that is due: of a return, or else of an absence."""
    if watch.returned:
        return HeartbeatReport(
            name=watch.name,
            rule=watch.rule,
            overdue_at=watch.last_at,
            last_at=watch.last_at,
            returned_at=watch.last_at,
        )
    last = watch.last_at if watch.came else None
    return HeartbeatReport(name=watch.name, rule=watch.rule, overdue_at=watch.overdue_at, last_at=last)


def build_alert(report: HeartbeatReport, runbook: RunbookConfig) -> Alert:
    """Return the alert of a report. Its fingerprint is the heartbeat's name, so that a return ends the absence."""
    rule, name = report.rule, f"Heartbeat {report.name}"
    since = f"since {report.last_at:%Y-%m-%d %H:%M} UTC" if report.last_at else "since monitoring began"
    return Alert(
        name=name,
        labels={
            "alertname": name,
            "heartbeat": report.name,
            "service": rule.service,
            "environment": rule.environment,
            runbook.intake.severity_label: rule.severity,
        },
        summary=rule.title or f"No heartbeat of {report.name}",
        description=f"No heartbeat of {report.name} {since}; expected every {in_words(rule.every)}.",
        started_at=report.overdue_at,
        ended_at=report.returned_at,
        fingerprint=f"heartbeat-{report.name}",
        source="heartbeat",
    )

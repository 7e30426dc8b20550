"""Past incidents, recorded afterwards: they count with their own times, and nobody is notified."""

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, Field, field_validator, model_validator

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.severity import Severity
from incidents.domain.core.status import Status
from incidents.domain.core.text.untrusted import all_printable
from incidents.domain.core.time.instants import EARLIEST
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.opening import open_incident
from incidents.domain.incident.state import Episode, Interval, Opening


class Backfill(Frozen):
    """A past incident. `postmortem`: require one, due from now (behaviour 82)."""

    title: str = Field(min_length=1, max_length=200)
    service: str = Field(min_length=1, max_length=200)
    severity: Severity
    started_at: AwareDatetime
    acknowledged_at: AwareDatetime | None = None
    mitigated_at: AwareDatetime | None = None
    resolved_at: AwareDatetime
    by: str = Field(min_length=1, max_length=100)
    note: str = Field(default="", max_length=5000)
    postmortem: bool = False

    @field_validator("*", mode="before")
    @classmethod
    def _printable(cls, value: Any) -> Any:
        return all_printable(value)

    @model_validator(mode="after")
    def _ordered(self) -> "Backfill":
        times = [self.started_at, self.acknowledged_at, self.mitigated_at, self.resolved_at]
        known = [time for time in times if time is not None]
        if any(time < EARLIEST for time in known):
            raise ValueError(f"a time is before {EARLIEST.year}")
        if known != sorted(known):
            raise ValueError("times must be in order (started, acknowledged, mitigated, resolved)")
        return self

    @property
    def key(self) -> str:
        """The correlation key, which keeps an incident from being recorded twice."""
        return f"backfill/{self.service}/{self.started_at:%Y%m%dT%H%M%SZ}"


def build_opening(backfill: Backfill) -> Opening:
    """Return the opening of a past incident."""
    return Opening(
        key=backfill.key,
        title=backfill.title,
        service=backfill.service,
        severity=backfill.severity,
        alerted_at=backfill.started_at,
        source="backfill",
        reporter=backfill.by,
    )


def build_backfilled_incident(backfill: Backfill, runbook: RunbookConfig, workflow_id: str, at: datetime) -> Incident:
    """Return the resolved incident. Its only obligations are its number and its record."""
    fresh = open_incident(
        build_opening(backfill), runbook, backfill.started_at, workflow_id=workflow_id, first_run_id=backfill.key
    )
    over = fresh.replace(
        backfilled=True,
        alerting=fresh.alerting.replace(unknown_service=""),
        status=Status.RESOLVED,
        updates=fresh.updates.replace(published=(), anchor=None),
        timeline=(),
        episodes=(Episode(severity=backfill.severity, since=backfill.started_at, until=backfill.resolved_at),),
        acknowledged_at=backfill.acknowledged_at,
        paging=fresh.paging.replace(attended=backfill.acknowledged_at is not None),
        mitigated_at=backfill.mitigated_at or backfill.resolved_at,
        resolved_at=backfill.resolved_at,
        resolved_by=backfill.by,
        intervals=(Interval(since=backfill.started_at, until=backfill.resolved_at, by=backfill.by),),
        postmortem=fresh.postmortem.replace(started=backfill.postmortem),
    )
    said = f"Backfilled: {backfill.title}. {backfill.note}".strip()
    return over.logged(at, backfill.by, Kind.NOTE, said)

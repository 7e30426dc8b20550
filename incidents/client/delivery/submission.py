"""What a sender submits: an alert payload, or an incident that a person declares. It is kept in the spool as bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from incidents.client.alert_sources.registry import parse_alerts
from incidents.client.delivery.spool import Entry
from incidents.domain.alerting.alert import Alert, grouped
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.payload import read_json
from incidents.domain.incident.opening import opening_from
from incidents.domain.incident.state import Opening

_ALERTS = "alerts"


class Declared(Frozen):
    """An incident that a person declared."""

    workflow_id: str
    opening: Opening


@dataclass(frozen=True)
class Submission:
    """Alerts, or an incident that a person declared. `body`: the bytes to keep. `source`: who sent the alerts."""

    received_at: datetime
    body: bytes
    alerts: tuple[Alert, ...] = ()
    declared: Declared | None = None
    source: str = ""

    @classmethod
    def of_alerts(cls, body: bytes, received_at: datetime, source: str = "") -> "Submission":
        """Read an alert payload. `source`: who sent it, where that is known.

        Raises:
            NotJson: the body is not JSON.
            MalformedAlert: it is not an alert.
        """
        return cls(received_at, body, alerts=parse_alerts(read_json(body), received_at, source), source=source)

    @classmethod
    def of_declared(cls, declared: Declared, received_at: datetime) -> "Submission":
        """Return the submission of an incident that a person declares."""
        return cls(received_at, declared.model_dump_json().encode(), declared=declared)

    @classmethod
    def of_entry(cls, entry: Entry) -> "Submission":
        """Read what was kept.

        Raises:
            NotJson, MalformedAlert, ValidationError: this version of the program cannot read it.
        """
        if entry.kind == "declared":
            return cls.of_declared(Declared.model_validate_json(entry.body), entry.received_at)
        return cls.of_alerts(entry.body, entry.received_at, entry.kind.removeprefix(_ALERTS).removeprefix("."))

    @property
    def kind(self) -> str:
        """What the spool calls it."""
        if self.declared:
            return "declared"
        return f"{_ALERTS}.{self.source}" if self.source else _ALERTS

    def openings(self, runbook: RunbookConfig) -> Iterator[tuple[str, Opening | None]]:
        """Yield the workflow id of each incident that it is for, with its opening; None if its alerts have ended."""
        if self.declared is not None:
            yield self.declared.workflow_id, self.declared.opening
        for key, group in grouped(self.alerts, runbook.intake).items():
            firing = tuple(alert for alert in group if alert.firing)
            yield f"incident-{key}", opening_from(firing, key, runbook) if firing else None

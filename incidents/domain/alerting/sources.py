"""Alert sources that can be asked and silenced, and those that cannot (behaviour 87): unknown is never "ended"."""

from datetime import datetime
from typing import assert_never

from incidents.cutting import cut
from incidents.domain.alerting.config import AlertApi
from incidents.domain.alerting.state import AlertState
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.timeline import SYSTEM, Kind
from incidents.domain.incident.incident import Incident

_MOST_NAMED = 3
"""Alerts that one line names."""


def can_be_asked(alert: AlertState, runbook: RunbookConfig) -> bool:
    """Tell whether the alert's source has an API that silences it and tells whether it still fires."""
    match runbook.intake.api_of(alert.source):
        case AlertApi.ALERTMANAGER | AlertApi.GRAFANA:
            return True
        case AlertApi.NONE:
            return False
        case api:
            assert_never(api)


def silenceable(incident: Incident, runbook: RunbookConfig) -> tuple[AlertState, ...]:
    """Return the firing alerts that are ever silenced: few, with known labels, of a source with an API."""
    return tuple(alert for alert in incident.alerting.firing if alert.labels and can_be_asked(alert, runbook))


def unaskable(incident: Incident, runbook: RunbookConfig) -> tuple[AlertState, ...]:
    """Return the alerts that are not known to have ended and whose source cannot be asked."""
    return tuple(alert for alert in incident.alerting.firing if not can_be_asked(alert, runbook))


def log_unaskable(incident: Incident, runbook: RunbookConfig, at: datetime) -> Incident:
    """Record and announce which firing alerts cannot be silenced or asked about; nothing if there are none."""
    found = unaskable(incident, runbook)
    if not found:
        return incident
    sources = ", ".join(dict.fromkeys(alert.source for alert in found))
    text = (
        f"Not silenced: {_names(found)}. {sources} cannot be silenced or polled: it may notify again, and the"
        " end is known only when it is reported."
    )
    return incident.logged(at, SYSTEM, Kind.ALERT, text, announce=True)


def not_ended(incident: Incident, runbook: RunbookConfig) -> str:
    """Return which alerts still fire, and which are not known to have ended, in words; empty if all have ended."""
    silent = unaskable(incident, runbook)
    firing = tuple(alert for alert in incident.alerting.firing if alert not in silent)
    said = [f"Still firing: {_names(firing)}"] if firing else []
    if silent:
        sources = ", ".join(dict.fromkeys(alert.source for alert in silent))
        said.append(f"Not known to have ended: {_names(silent)} ({sources} cannot be polled)")
    return ". ".join(said)


def _names(alerts: tuple[AlertState, ...]) -> str:
    more = f" and {len(alerts) - _MOST_NAMED} more" if len(alerts) > _MOST_NAMED else ""
    return ", ".join(cut(alert.title, 200) for alert in alerts[:_MOST_NAMED]) + more

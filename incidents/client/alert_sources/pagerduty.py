"""PagerDuty's webhooks, version 3: an incident there is an alert here (https://developer.pagerduty.com/docs/webhooks).

An incident that is one of our own pages is none: it would open an incident for each page.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel

from incidents.client.alert_sources.payload import NO_START, checked
from incidents.client.paging.own_pages import workflow_of
from incidents.domain.alerting.alert import Alert, fingerprint_of

NAME = "PagerDuty"
_BEGINS = frozenset({"incident.triggered", "incident.reopened"})
_READ = _BEGINS | {"incident.priority_updated", "incident.resolved"}
"""Events that say something about the alert; all others say what people do at PagerDuty."""


class _Reference(BaseModel):
    summary: str | None = None


class _Incident(BaseModel):
    id: str
    title: str = ""
    status: str = ""
    incident_key: str | None = None
    html_url: str | None = None
    created_at: AwareDatetime | None = None
    reopened_at: AwareDatetime | None = None
    service: _Reference | None = None
    priority: _Reference | None = None
    urgency: str | None = None


class _Event(BaseModel):
    event_type: str
    occurred_at: AwareDatetime
    data: dict[str, Any]


class _Webhook(BaseModel):
    event: _Event


def recognizes(payload: Mapping[str, Any]) -> bool:
    """Tell whether it is an event with a type."""
    event = payload.get("event")
    return isinstance(event, dict) and "event_type" in event


def read(payload: Mapping[str, Any], received_at: datetime) -> tuple[Alert, ...]:
    """Return the alert; none for another event, or for a page of ours.

    Raises:
        MalformedAlert: it is not this webhook.
    """
    event = checked(_Webhook, payload).event
    if event.event_type not in _READ:
        return ()
    incident = checked(_Incident, event.data)
    return () if workflow_of(incident.incident_key or "") else (_alert(event, incident),)


def _alert(event: _Event, incident: _Incident) -> Alert:
    ended = event.event_type == "incident.resolved" or incident.status == "resolved"
    known_start = event.occurred_at if ended or event.event_type in _BEGINS else NO_START
    return Alert(
        name=incident.title or "PagerDuty incident",
        labels=_labels(incident),
        summary=incident.title,
        started_at=incident.reopened_at or incident.created_at or known_start,
        ended_at=event.occurred_at if ended else None,
        fingerprint=fingerprint_of({"pagerduty_incident": incident.id}),
        link=incident.html_url or "",
        source=NAME,
    )


def _labels(incident: _Incident) -> dict[str, str]:
    """Return the labels. The severity is the urgency: what a priority means, each PagerDuty account decides."""
    found = {
        "alertname": incident.title,
        "service": incident.service.summary if incident.service else None,
        "severity": incident.urgency,
        "priority": incident.priority.summary if incident.priority else None,
    }
    return {label: value for label, value in found.items() if value}

"""Sentry's webhooks of an internal integration: issue alerts and metric alerts, and the resolution of an issue.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/. Only alert rules open incidents: the
resource `issue` also tells of every new issue, and is there for the end of an alert.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from incidents.client.alert_sources.payload import checked
from incidents.domain.alerting.alert import Alert, fingerprint_of

NAME = "Sentry"
_PROJECT = re.compile(r"/projects/[^/]+/([^/]+)/")
"""The project in the URL of an event: the payload itself has only its number."""
_Id = Annotated[str, Field(coerce_numbers_to_str=True)]


class _Event(BaseModel):
    issue_id: _Id
    title: str = ""
    culprit: str | None = None
    level: str = ""
    datetime: AwareDatetime | None = None
    url: str = ""
    web_url: str = ""


class _IssueAlert(BaseModel):
    event: _Event
    triggered_rule: str = ""


class _Project(BaseModel):
    slug: str = ""


class _Issue(BaseModel):
    id: _Id
    title: str = ""
    level: str = ""
    project: _Project = _Project()


class _Rule(BaseModel):
    id: _Id
    name: str = ""
    environment: str | None = None
    projects: list[str] = []


class _Metric(BaseModel):
    alert_rule: _Rule
    date_started: AwareDatetime | None = None
    date_closed: AwareDatetime | None = None


class _MetricAlert(BaseModel):
    metric_alert: _Metric
    description_title: str = ""
    description_text: str = ""
    web_url: str | None = None


class _Webhook(BaseModel):
    action: str
    data: dict[str, Any]


def recognizes(payload: Mapping[str, Any]) -> bool:
    """Tell whether it has an action and the data of one of the three."""
    data = payload.get("data")
    return "action" in payload and isinstance(data, dict) and bool({"event", "metric_alert", "issue"} & data.keys())


def read(payload: Mapping[str, Any], received_at: datetime) -> tuple[Alert, ...]:
    """Return the alert; none for another event, such as a new issue or the installation.

    Raises:
        MalformedAlert: it is not this webhook.
    """
    webhook = checked(_Webhook, payload)
    if "metric_alert" in webhook.data:
        return (_metric(checked(_MetricAlert, webhook.data), webhook.action, received_at),)
    if "event" in webhook.data and webhook.action == "triggered":
        return (_fired(checked(_IssueAlert, webhook.data), received_at),)
    if "issue" in webhook.data and webhook.action == "resolved":
        return (_resolved(checked(_Issue, _object(webhook.data["issue"])), received_at),)
    return ()


def _fired(alert: _IssueAlert, received_at: datetime) -> Alert:
    event = alert.event
    project = _PROJECT.search(event.url)
    return Alert(
        name=alert.triggered_rule or event.title or "Sentry issue",
        labels=_labels(alert.triggered_rule or event.title, project[1] if project else "", event.level),
        summary=event.title,
        description=event.culprit or "",
        started_at=event.datetime or received_at,
        fingerprint=_of_issue(event.issue_id),
        link=event.web_url,
        source=NAME,
    )


def _resolved(issue: _Issue, received_at: datetime) -> Alert:
    return Alert(
        name=issue.title or "Sentry issue",
        labels=_labels(issue.title, issue.project.slug, issue.level),
        summary=issue.title,
        started_at=received_at,
        ended_at=received_at,
        fingerprint=_of_issue(issue.id),
        source=NAME,
    )


def _metric(alert: _MetricAlert, action: str, received_at: datetime) -> Alert:
    metric = alert.metric_alert
    rule = metric.alert_rule
    labels = _labels(rule.name, rule.projects[0] if rule.projects else "", "" if action == "resolved" else action)
    return Alert(
        name=rule.name or "Sentry metric alert",
        labels=labels | ({"environment": rule.environment} if rule.environment else {}),
        summary=alert.description_title or rule.name,
        description=alert.description_text,
        started_at=metric.date_started or received_at,
        ended_at=(metric.date_closed or received_at) if action == "resolved" else None,
        fingerprint=fingerprint_of({"sentry_rule": rule.id}),
        link=alert.web_url or "",
        source=NAME,
    )


def _labels(name: str, project: str, severity: str) -> dict[str, str]:
    """Return the labels that an alert and its end have alike, and the severity.

    The project is the service. The environment of an issue's event is none of them: its end does not name it.
    """
    found = {"alertname": name, "service": project, "severity": severity}
    return {label: value for label, value in found.items() if value}


def _of_issue(issue_id: str) -> str:
    return fingerprint_of({"sentry_issue": issue_id})


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

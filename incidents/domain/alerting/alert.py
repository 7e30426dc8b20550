"""Alerts, normalised: what any monitoring system said, and which incident it belongs to."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, BeforeValidator, StringConstraints, ValidationError

from incidents.domain.config.model import Intake, RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.payload import first_fault
from incidents.domain.core.severity import Severity
from incidents.domain.core.text.untrusted import (
    all_printable,
    cut,
    one_line,
    printable,
)
from incidents.domain.core.time.instants import bounded

_NEVER = "0001-01-01"
"""How Go spells an instant that is not set: an alert that has not ended ends so."""
_LONGEST_KEY = 200

MOST_ALERTS = 1000
"""Alerts of one webhook that are taken. A body of the size that is read holds more only if they are made to be many."""
_MOST_LABELS, _LONGEST_NAME, _LONGEST_VALUE = 200, 200, 2000
"""Labels of an alert, and characters of a label's name and value."""
_LONGEST_TITLE, _LONGEST_DESCRIPTION, _LONGEST_LINK, _LONGEST_SOURCE = 200, 2000, 2000, 100


class MalformedAlert(Exception):
    """The payload is not an alert that we understand. The message is one line that says what is wrong."""


class Alert(Frozen):
    """One alert of a monitoring system, firing or resolved.

    `claimed_start`, `claimed_end`: what the sender said, where that is out of bounds (`runbook.instants`) and the
    arrival stands in its place. `exact_labels`: the labels are the sender's; if not, they match nothing there.
    """

    name: str
    labels: dict[str, str] = {}
    summary: str = ""
    description: str = ""
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    fingerprint: str
    link: str = ""
    source: str = "alertmanager"
    claimed_start: AwareDatetime | None = None
    claimed_end: AwareDatetime | None = None
    exact_labels: bool = True

    @property
    def firing(self) -> bool:
        """Tell whether the alert had not ended when it was sent."""
        return self.ended_at is None

    @property
    def title(self) -> str:
        """What the alert says in one line."""
        said = (text.strip() for text in (self.summary, self.description, self.name))
        return next((text.splitlines()[0] for text in said if text), "alert without a name")


class _WebhookAlert(BaseModel):
    status: str
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: AwareDatetime  # noqa: N815 - Alertmanager's spelling
    endsAt: str = ""  # noqa: N815
    generatorURL: str = ""  # noqa: N815
    fingerprint: str = ""


class _Webhook(BaseModel):
    version: str
    alerts: list[_WebhookAlert]


class _Simple(BaseModel):
    title: Annotated[str, BeforeValidator(all_printable), StringConstraints(strip_whitespace=True, min_length=1)]
    service: str | None = None
    environment: str | None = None
    severity: str | None = None
    description: str = ""
    started_at: AwareDatetime | None = None
    status: str = "firing"
    labels: dict[str, str] = {}
    link: str = ""
    source: str = "json"


def parse_alerts(payload: Any, received_at: datetime) -> tuple[Alert, ...]:
    """Normalise an Alertmanager webhook (version 4, which SigNoz sends too) or our own simple JSON.

    The simple form is `{"title", "service", "environment", "severity", "description", "started_at", "status",
    "labels", "link"}`, of which only the title is needed.

    What is longer than needed is cut, what no screen shows is left out, an instant out of bounds becomes the arrival.
    Of more than `MOST_ALERTS` alerts the first are taken.

    Raises:
        MalformedAlert: neither of the two.
    """
    return tuple(in_bounds(_tidy(alert), received_at) for alert in _parsed(payload, received_at))


def _parsed(payload: Any, received_at: datetime) -> tuple[Alert, ...]:
    if not isinstance(payload, dict):
        raise MalformedAlert("an alert payload is a JSON object")
    try:
        if "alerts" in payload:
            return _from_webhook(_Webhook.model_validate(payload))
        return (_from_simple(_Simple.model_validate(payload), received_at),)
    except ValidationError as error:
        raise MalformedAlert(first_fault(error)) from None


def _from_webhook(webhook: _Webhook) -> tuple[Alert, ...]:
    if webhook.version != "4":
        raise MalformedAlert(f"version: Alertmanager's webhook version 4 is understood, not {_quoted(webhook.version)}")
    if not webhook.alerts:
        raise MalformedAlert("alerts: the list is empty")
    return tuple(_from_webhook_alert(alert) for alert in webhook.alerts[:MOST_ALERTS])


def _from_webhook_alert(alert: _WebhookAlert) -> Alert:
    if alert.status not in ("firing", "resolved"):
        raise MalformedAlert(f"alerts.status: firing or resolved, not {_quoted(alert.status)}")
    ended = alert.status == "resolved"
    known_end = alert.endsAt and not alert.endsAt.startswith(_NEVER)
    return Alert(
        name=alert.labels.get("alertname", "alert"),
        labels=alert.labels,
        summary=alert.annotations.get("summary", ""),
        description=alert.annotations.get("description", ""),
        started_at=alert.startsAt,
        ended_at=(alert.endsAt if known_end else alert.startsAt) if ended else None,
        fingerprint=alert.fingerprint or _fingerprint(alert.labels),
        link=alert.generatorURL,
    )


def _from_simple(alert: _Simple, received_at: datetime) -> Alert:
    named = {"service": alert.service, "environment": alert.environment, "severity": alert.severity}
    labels = alert.labels | {label: value for label, value in named.items() if value is not None}
    labels.setdefault("alertname", alert.title)
    if alert.status not in ("firing", "resolved"):
        raise MalformedAlert(f"status: firing or resolved, not {_quoted(alert.status)}")
    return Alert(
        name=labels["alertname"],
        labels=labels,
        summary=alert.title,
        description=alert.description,
        started_at=alert.started_at or received_at,
        ended_at=received_at if alert.status == "resolved" else None,
        fingerprint=_fingerprint(labels),
        link=alert.link,
        source=alert.source,
    )


def _fingerprint(labels: dict[str, str]) -> str:
    text = "\0".join(f"{name}\0{labels[name]}" for name in sorted(labels))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _quoted(text: str) -> str:
    return cut(ascii(text), 20)


def _tidy(alert: Alert) -> Alert:
    """Return the alert with its text printable and no longer than needed."""
    few = list(alert.labels.items())[:_MOST_LABELS]
    labels = {one_line(name, _LONGEST_NAME): cut(printable(value), _LONGEST_VALUE) for name, value in few}
    link = printable(alert.link)
    return alert.replace(
        name=one_line(alert.name, _LONGEST_TITLE),
        labels=labels,
        exact_labels=labels == alert.labels,
        summary=cut(printable(alert.summary), _LONGEST_TITLE),
        description=cut(printable(alert.description), _LONGEST_DESCRIPTION),
        fingerprint=one_line(alert.fingerprint, _LONGEST_NAME) or _fingerprint(labels),
        link=link if len(link) <= _LONGEST_LINK else "",  # half a link leads nowhere
        source=one_line(alert.source, _LONGEST_SOURCE) or "json",
    )


def in_bounds(alert: Alert, at: datetime) -> Alert:
    """Return the alert with its instants in bounds, and with what was claimed if they were not. `at`: its arrival."""
    start = bounded(alert.started_at, at)
    if start != alert.started_at:
        alert = alert.replace(started_at=start, claimed_start=alert.claimed_start or alert.started_at)
    end = alert.ended_at and bounded(alert.ended_at, at)
    if end != alert.ended_at:
        alert = alert.replace(ended_at=end, claimed_end=alert.claimed_end or alert.ended_at)
    return alert


def identity(alert: Alert, intake: Intake) -> dict[str, str]:
    """Return the labels, with their values, that apply_command which incident the alert belongs to.

    A label that the alert lacks takes the runbook's default; an alert without any of them is told apart by its name,
    so that unrelated alerts do not become one incident.
    """
    found = {name: alert.labels.get(name) or intake.defaults.get(name, "") for name in intake.correlate_by}
    if not any(alert.labels.get(name) for name in intake.correlate_by):
        return found | {intake.correlate_by[0]: alert.name}
    return found


def correlation_key(alert: Alert, intake: Intake) -> str:
    """Return the incident's key: the identity's values, in order, as `flag-evaluation:production`.

    Values are percent-encoded, so that no two identities give the same key; one that is too long for a workflow id
    ends in a hash of the whole.
    """
    key = ":".join(quote(value, safe="") for value in identity(alert, intake).values())
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[:_LONGEST_KEY]}~{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def severity_of(alert: Alert, runbook: RunbookConfig) -> tuple[Severity, bool]:
    """Return the alert's severity and whether a person must confirm it, because the label is missing or unknown."""
    intake = runbook.intake
    label = alert.labels.get(intake.severity_label, "").strip().lower()
    known = {name.lower(): severity for name, severity in intake.severities.items()}
    severity = known.get(label) or runbook.severity_named(label)
    return (severity, False) if severity else (runbook.unknown_severity, True)


def grouped(alerts: Iterable[Alert], intake: Intake) -> dict[str, tuple[Alert, ...]]:
    """Sort alerts by the incident that they belong to, in the order in which they came."""
    groups: dict[str, tuple[Alert, ...]] = {}
    for alert in alerts:
        key = correlation_key(alert, intake)
        groups[key] = (*groups.get(key, ()), alert)
    return groups


def is_private(alert: Alert, intake: Intake) -> bool:
    """Tell whether an alert's label makes its incident a private one."""
    return alert.labels.get(intake.private_label, "").lower() == "true"

"""Alertmanager's webhook, version 4 (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ValidationError

from incidents.client.alert_sources.payload import MOST_ALERTS, MalformedAlert, checked, quoted
from incidents.domain.alerting.alert import Alert, fingerprint_of
from incidents.domain.core.payload import first_fault

NAME = "Alertmanager"
VERSION = "4"
_NEVER = "0001-01-01"
"""How Go spells an instant that is not set: an alert that has not ended ends so."""


class WebhookAlert(BaseModel):
    """One alert of a webhook of Alertmanager or its kin."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: AwareDatetime  # noqa: N815 - Alertmanager's spelling
    endsAt: str = ""  # noqa: N815
    generatorURL: str = ""  # noqa: N815
    fingerprint: str = ""


class Webhook(BaseModel):
    """A webhook of Alertmanager or its kin: the group's alerts, each with its own status."""

    version: str
    alerts: list[WebhookAlert]


def recognizes(payload: Mapping[str, Any]) -> bool:
    """Tell whether it is a list of alerts. A version that is not understood is an error of `read`."""
    return "alerts" in payload


def read(payload: Mapping[str, Any], received_at: datetime) -> tuple[Alert, ...]:
    """Return the alerts of a group; of more than `MOST_ALERTS` the first.

    Raises:
        MalformedAlert: it is not this webhook.
    """
    return alerts_of(payload, NAME, VERSION)


def alerts_of(payload: Mapping[str, Any], name: str, version: str) -> tuple[Alert, ...]:
    """Return the alerts of a webhook of Alertmanager's kind. `name`: the source's.

    Raises:
        MalformedAlert: it is none, or has another version.
    """
    webhook = checked(Webhook, payload)
    if webhook.version != version:
        raise MalformedAlert(
            f"version: {name}'s webhook version {version} is understood, not {quoted(webhook.version)}"
        )
    if not webhook.alerts:
        raise MalformedAlert("alerts: the list is empty")
    return tuple(_alert(alert, name) for alert in webhook.alerts[:MOST_ALERTS])


def _alert(alert: WebhookAlert, source: str) -> Alert:
    if alert.status not in ("firing", "resolved"):
        raise MalformedAlert(f"alerts.status: firing or resolved, not {quoted(alert.status)}")
    ended = alert.status == "resolved"
    known_end = alert.endsAt and not alert.endsAt.startswith(_NEVER)
    try:
        return Alert(
            name=alert.labels.get("alertname", "alert"),
            labels=alert.labels,
            summary=alert.annotations.get("summary", ""),
            description=alert.annotations.get("description", ""),
            started_at=alert.startsAt,
            ended_at=(alert.endsAt if known_end else alert.startsAt) if ended else None,
            fingerprint=alert.fingerprint or fingerprint_of(alert.labels),
            link=alert.generatorURL,
            source=source,
        )
    except ValidationError as error:  # `endsAt` is a text until it is known to be needed
        raise MalformedAlert(first_fault(error)) from None

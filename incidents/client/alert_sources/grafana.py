"""Grafana's alerting webhook, version 1: Alertmanager's, with values and links of its own.

https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.client.alert_sources import alertmanager
from incidents.domain.alerting.alert import Alert

NAME = "Grafana"
VERSION = "1"


def recognizes(payload: Mapping[str, Any]) -> bool:
    """Tell whether it is a list of alerts of an organization, or in the version that only Grafana has."""
    return "alerts" in payload and ("orgId" in payload or payload.get("version") == VERSION)


def read(payload: Mapping[str, Any], received_at: datetime) -> tuple[Alert, ...]:
    """Return the alerts of a group.

    Raises:
        MalformedAlert: it is not this webhook.
    """
    return alertmanager.alerts_of(payload, NAME, VERSION)

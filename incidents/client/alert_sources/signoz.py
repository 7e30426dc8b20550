"""SigNoz' webhook channel: Alertmanager's webhook, which names no sender, with labels of its own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.client.alert_sources import alertmanager
from incidents.domain.alerting.alert import Alert

NAME = "SigNoz"
_LABELS = ("ruleId", "ruleSource")
"""Labels that SigNoz puts on each of its alerts."""


def recognizes(payload: Mapping[str, Any]) -> bool:
    """Tell whether the first alert has the labels that SigNoz puts on each."""
    alerts = payload.get("alerts")
    first = alerts[0] if isinstance(alerts, list) and alerts else None
    labels = first.get("labels") if isinstance(first, dict) else None
    return isinstance(labels, dict) and all(label in labels for label in _LABELS)


def read(payload: Mapping[str, Any], received_at: datetime) -> tuple[Alert, ...]:
    """Return the alerts of a group.

    Raises:
        MalformedAlert: it is not this webhook.
    """
    return alertmanager.alerts_of(payload, NAME, alertmanager.VERSION)

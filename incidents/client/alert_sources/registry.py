"""The alert sources, and which of them reads a payload.

A new source is a module here with `recognizes` and `read`, a name in `SourceName`, and a case in `reader_of`
(docs/extending.md). Text and times of every source are bounded by `bounded_alert`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, assert_never

from incidents.client.alert_sources import (
    alertmanager,
    cloudevents,
    cloudwatch,
    datadog,
    generic_json,
    grafana,
    pagerduty,
    sentry,
    signoz,
)
from incidents.client.alert_sources.names import SourceName
from incidents.client.alert_sources.payload import MalformedAlert
from incidents.domain.alerting.alert import Alert, bounded_alert


class Reader(Protocol):
    """What the module of a source has."""

    def recognizes(self, payload: Mapping[str, Any]) -> bool:
        """Tell whether the payload is this source's, by a field that no earlier one has."""

    def read(self, payload: Mapping[str, Any], received_at: datetime) -> tuple[Alert, ...]:
        """Return the alerts of the payload; none if it is about something else.

        Raises:
            MalformedAlert: it is not what this source sends.
        """


def reader_of(source: SourceName) -> Reader:
    """Return the module that reads the payloads of a source."""
    match source:
        case SourceName.GRAFANA:
            return grafana
        case SourceName.SIGNOZ:
            return signoz
        case SourceName.ALERTMANAGER:
            return alertmanager
        case SourceName.DATADOG:
            return datadog
        case SourceName.SENTRY:
            return sentry
        case SourceName.PAGERDUTY:
            return pagerduty
        case SourceName.CLOUDWATCH:
            return cloudwatch
        case SourceName.CLOUDEVENTS:
            return cloudevents
        case SourceName.JSON:
            return generic_json
        case _:
            assert_never(source)


def parse_alerts(payload: Any, received_at: datetime, source: str = "") -> tuple[Alert, ...]:
    """Return the alerts of a webhook, normalized.

    What is longer than needed is cut, what no screen shows is left out, an instant out of bounds becomes the arrival.

    Args:
        payload: The JSON that was sent.
        received_at: Its arrival, aware UTC.
        source: Who sent it, where that is known; otherwise it is what the payload says. Under the name of a source
            that is understood, that source reads it, unless only another one recognizes it: a sender with a template
            may send our own JSON.

    Raises:
        MalformedAlert: the source does not send this, or no source is recognized.
    """
    if not isinstance(payload, dict):
        raise MalformedAlert("an alert payload is a JSON object")
    alerts = reader_of(recognized(payload, SourceName.named(source))).read(payload, received_at)
    named = (alert.replace(source=source) if source else alert for alert in alerts)
    return tuple(bounded_alert(alert, received_at) for alert in named)


def recognized(payload: Mapping[str, Any], named: SourceName | None) -> SourceName:
    """Return the source that reads the payload. `named`: the one that its path names."""
    if named is not None and reader_of(named).recognizes(payload):
        return named
    found = (source for source in SourceName if reader_of(source).recognizes(payload))
    return next(found, named or SourceName.JSON)

"""CloudEvents 1.0 in JSON (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md).

The data of the event is our own JSON, of which the event supplies what is missing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel

from incidents.client.alert_sources import generic_json
from incidents.client.alert_sources.payload import MalformedAlert, checked, quoted
from incidents.domain.alerting.alert import Alert

NAME = "CloudEvents"


class _Event(BaseModel):
    specversion: str
    id: str
    source: str
    type: str
    subject: str | None = None
    time: AwareDatetime | None = None
    data: dict[str, Any] = {}


def recognizes(payload: Mapping[str, Any]) -> bool:
    """Tell whether it names the version of the specification."""
    return "specversion" in payload


def read(payload: Mapping[str, Any], received_at: datetime) -> tuple[Alert, ...]:
    """Return the alert. Without a title the event's subject or type is one, and its time is the start.

    Raises:
        MalformedAlert: it is no event of version 1, or its data are not our own JSON.
    """
    event = checked(_Event, payload)
    if event.specversion.partition(".")[0] != "1":
        raise MalformedAlert(f"specversion: version 1 is understood, not {quoted(event.specversion)}")
    labels = event.data.get("labels")
    about = {"cloudevents_source": event.source, "cloudevents_type": event.type}
    supplied = {
        "title": event.subject or event.type,
        "started_at": event.time,
        **event.data,
        "labels": about | labels if isinstance(labels, dict) else about,
        "source": NAME,
    }
    return generic_json.read(supplied, received_at)

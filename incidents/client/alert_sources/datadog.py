"""Datadog's webhook with the payload of docs/alert-sources.md: Datadog has no fixed one, only variables.

https://docs.datadoghq.com/integrations/webhooks/#variables
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from incidents.client.alert_sources.payload import NO_START, checked
from incidents.domain.alerting.alert import Alert, fingerprint_of

NAME = "Datadog"
_FIRST = frozenset({"triggered", "warn", "no data"})
"""Transitions that begin an alert. The others repeat it, and their date is that of the repetition."""
_ENDED = "recovered"
_VARIABLE = re.compile(r"\$[A-Z][A-Z_]+")


def _filled(value: object) -> object:
    """Return a text without its blanks: "" for a variable that Datadog had no value for and left as it is."""
    return "" if value is None or (isinstance(value, str) and _VARIABLE.fullmatch(value.strip())) else value


_Text = Annotated[str, BeforeValidator(_filled), Field(default="", coerce_numbers_to_str=True)]


class _Event(BaseModel):
    alert_transition: str
    alert_id: _Text
    alert_title: _Text
    alert_type: _Text
    alert_priority: _Text
    alert_scope: _Text
    title: _Text
    body: _Text
    tags: _Text
    date: _Text
    link: _Text


def recognizes(payload: Mapping[str, Any]) -> bool:
    """Tell whether it says how a monitor changed."""
    return "alert_transition" in payload


def read(payload: Mapping[str, Any], received_at: datetime) -> tuple[Alert, ...]:
    """Return the alert of a monitor and one of its groups.

    Raises:
        MalformedAlert: it is not this payload.
    """
    event = checked(_Event, payload)
    transition = event.alert_transition.strip().lower()
    moment = _moment(event.date, received_at)
    name = event.alert_title or event.title or "Datadog monitor"
    found = Alert(
        name=name,
        labels=_labels(event) | {"alertname": name},
        summary=event.title or event.alert_title,
        description=event.body,
        started_at=moment if transition in _FIRST or transition == _ENDED else NO_START,
        ended_at=moment if transition == _ENDED else None,
        fingerprint=fingerprint_of({"monitor": event.alert_id or name, "scope": event.alert_scope}),
        link=event.link,
        source=NAME,
    )
    return (found,)


def _labels(event: _Event) -> dict[str, str]:
    """Return the tags as labels, with the monitor's own. The tag `severity` comes before the type of the alert."""
    pairs = (tag.strip().partition(":") for tag in f"{event.alert_scope},{event.tags}".split(","))
    labels = {name.strip(): value.strip() for name, _, value in pairs if name.strip()}
    if event.alert_type in ("error", "warning"):
        labels.setdefault("severity", event.alert_type)
    own = {"monitor": event.alert_id, "priority": event.alert_priority}
    if "env" in labels:
        labels.setdefault("environment", labels["env"])
    return labels | {name: value for name, value in own.items() if value}


def _moment(date: str, received_at: datetime) -> datetime:
    """Return the instant of milliseconds since 1970; the arrival if it is none."""
    if re.fullmatch(r"[0-9]{1,14}", date) is None:  # more digits would be after the year 9999
        return received_at
    return datetime.fromtimestamp(int(date) / 1000, UTC)

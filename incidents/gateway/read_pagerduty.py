"""Parse PagerDuty webhooks (version 3): acknowledgements."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from incidents.domain.core.payload import first_fault, read_json
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.core.time.instants import bounded
from incidents.domain.incident.commands import Acknowledge
from incidents.domain.people.directory import PeopleDirectory


@dataclass(frozen=True)
class Acknowledged:
    """An acknowledgement made in PagerDuty. `page`: PagerDuty's incident id; `key`: our dedup key."""

    page: str
    key: str
    command: Acknowledge


class _Agent(BaseModel):
    id: str = ""
    type: str = ""
    summary: str = ""


class _Data(BaseModel):
    id: str = Field(pattern=r"^[A-Za-z0-9]{1,64}$")  # it becomes part of a URL
    incident_key: str | None = None


class _Event(BaseModel):
    id: str = Field(pattern=r"^[\x21-\x7e]{1,100}$")
    event_type: str
    occurred_at: AwareDatetime
    agent: _Agent | None = None
    data: dict[str, Any]


def read(body: bytes, received_at: datetime, people: PeopleDirectory) -> Acknowledged | None:
    """Parse a webhook; None for other events, such as one caused by our own API call.

    The user is named as in the directory, or else as PagerDuty names them.

    A time out of bounds (`incidents.domain.core.time.instants`) is replaced by `received_at`, with the claimed time
    kept.

    Raises:
        ValueError: not a PagerDuty webhook.
    """
    document = read_json(body)
    try:
        event = _Event.model_validate(document.get("event") if isinstance(document, dict) else None)
        if event.event_type != "incident.acknowledged":
            return None
        data = _Data.model_validate(event.data)
    except ValidationError as error:
        raise ValueError(f"not a PagerDuty webhook: {first_fault(error)}") from None
    # Acknowledgements by our own API calls have no user; the incident already knows them.
    if event.agent is None or not event.agent.type.startswith("user"):
        return None
    by = people.resolve(one_line(event.agent.summary, 100), event.agent.id) or "PagerDuty"
    at = bounded(event.occurred_at, received_at)
    claimed = event.occurred_at if at != event.occurred_at else None
    command = Acknowledge(by=by, at=at, claimed_at=claimed, id=f"pagerduty-{event.id}")
    return Acknowledged(page=data.id, key=data.incident_key or "", command=command)

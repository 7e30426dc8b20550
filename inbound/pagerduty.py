"""PagerDuty's webhooks (version 3): somebody acknowledged there."""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import AwareDatetime, BaseModel, ValidationError

from runbook.commands import Acknowledge


@dataclass(frozen=True)
class Acknowledged:
    """The page of an incident was acknowledged at PagerDuty. `page`: PagerDuty's id of it; `key`: our dedup key."""

    page: str
    key: str
    command: Acknowledge


class _Agent(BaseModel):
    type: str = ""
    summary: str = ""


class _Data(BaseModel):
    id: str
    incident_key: str | None = None


class _Event(BaseModel):
    id: str
    event_type: str
    occurred_at: AwareDatetime
    agent: _Agent | None = None
    data: dict[str, Any]


def read(body: bytes) -> Acknowledged | None:
    """Read a webhook; None for an event that does not concern us, such as one that we caused ourselves.

    Raises:
        ValueError: it is no webhook of PagerDuty's.
    """
    document = json.loads(body)
    try:
        event = _Event.model_validate(document["event"] if isinstance(document, dict) else None)
        if event.event_type != "incident.acknowledged":
            return None
        data = _Data.model_validate(event.data)
    except (ValidationError, KeyError) as error:
        raise ValueError(f"no webhook of PagerDuty's: {str(error).splitlines()[0]}") from None
    # Our own acknowledgements come back without a user: the one who did it is known already.
    if event.agent is None or not event.agent.type.startswith("user"):
        return None
    by = event.agent.summary[:100] or "PagerDuty"
    command = Acknowledge(by=by, at=event.occurred_at, id=f"pagerduty-{event.id}")
    return Acknowledged(page=data.id, key=data.incident_key or "", command=command)


def workflow_of(dedup_key: str) -> str:
    """Return the incident whose page that key is: everything before the first slash names its workflow."""
    return dedup_key.partition("/")[0]

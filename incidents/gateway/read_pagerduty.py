"""PagerDuty's webhooks (version 3): somebody acknowledged there."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from incidents.domain.core.instants import bounded
from incidents.domain.core.payload import first_fault, read_json
from incidents.domain.core.text import one_line
from incidents.domain.incident.commands import Acknowledge

_OURS = re.compile(r"incident-[\x21-\x2e\x30-\x7e]{1,300}")
"""The workflow of an incident, as a dedup key begins with it; a key of somebody else's is no business of ours."""


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
    id: str = Field(pattern=r"^[A-Za-z0-9]{1,64}$")  # it becomes part of an address
    incident_key: str | None = None


class _Event(BaseModel):
    id: str = Field(pattern=r"^[\x21-\x7e]{1,100}$")
    event_type: str
    occurred_at: AwareDatetime
    agent: _Agent | None = None
    data: dict[str, Any]


def read(body: bytes, received_at: datetime) -> Acknowledged | None:
    """Read a webhook; None for an event that does not concern us, such as one that we caused ourselves.

    A time out of bounds (`runbook.instants`) is replaced by the arrival; the command says so.

    Raises:
        ValueError: it is no webhook of PagerDuty's.
    """
    document = read_json(body)
    try:
        event = _Event.model_validate(document.get("event") if isinstance(document, dict) else None)
        if event.event_type != "incident.acknowledged":
            return None
        data = _Data.model_validate(event.data)
    except ValidationError as error:
        raise ValueError(f"no webhook of PagerDuty's: {first_fault(error)}") from None
    # Our own acknowledgements come back without a user: the one who did it is known already.
    if event.agent is None or not event.agent.type.startswith("user"):
        return None
    by = one_line(event.agent.summary, 100) or "PagerDuty"
    at = bounded(event.occurred_at, received_at)
    claimed = event.occurred_at if at != event.occurred_at else None
    command = Acknowledge(by=by, at=at, claimed_at=claimed, id=f"pagerduty-{event.id}")
    return Acknowledged(page=data.id, key=data.incident_key or "", command=command)


def workflow_of(dedup_key: str) -> str:
    """Return the incident whose page that key is; "" if it is none of ours.

    Everything before the first slash names the workflow.
    """
    name = dedup_key.partition("/")[0]
    return name if _OURS.fullmatch(name) else ""

"""GitHub's webhooks: an issue of an action item was closed, reopened, deleted or transferred (event `issues`)."""

import re
from dataclasses import dataclass

from pydantic import BaseModel, Field, ValidationError

from incidents.domain.activity_requests import IssueFact
from incidents.domain.core.payload import first_fault, read_json
from incidents.domain.core.text import one_line

_MARK = re.compile(r"<!-- incident-runbook (postmortem-[0-9]{1,9}) item-[0-9]{1,9} ")
_LOST = {"deleted": "gone", "transferred": "moved"}


@dataclass(frozen=True)
class Changed:
    """An issue of an action item was changed. `workflow_id`: the post-mortem's process, which its text names."""

    workflow_id: str
    fact: IssueFact


class _Issue(BaseModel):
    number: int = Field(ge=1, le=2**53)
    body: str | None = None
    state: str = "open"
    state_reason: str | None = None


class _Event(BaseModel):
    action: str
    issue: _Issue


def read(event: str, body: bytes) -> Changed | None:
    """Read a webhook; None for an event that does not concern us, such as one of an issue that is not ours.

    Raises:
        ValueError: it is no webhook of GitHub's.
    """
    document = read_json(body)
    if event != "issues":  # such as the ping with which GitHub tries a new webhook
        return None
    try:
        told = _Event.model_validate(document)
    except ValidationError as error:
        raise ValueError(f"not an event of an issue: {first_fault(error)}") from None
    mark = _MARK.search(told.issue.body or "")
    if mark is None or told.action not in ("closed", "reopened", *_LOST):
        return None
    state = _LOST.get(told.action, told.issue.state)
    reason = told.issue.state_reason or ""
    fact = IssueFact(number=told.issue.number, state=one_line(state, 50), reason=one_line(reason, 50))
    return Changed(workflow_id=mark[1], fact=fact)

"""GitHub's webhooks: an issue of an action item was closed, reopened, deleted or transferred (event `issues`)."""

import json
import re
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from runbook.effects import IssueFact

_MARK = re.compile(r"<!-- incident-runbook (postmortem-\d+) item-\d+ ")
_LOST = {"deleted": "gone", "transferred": "moved"}


@dataclass(frozen=True)
class Changed:
    """An issue of an action item was changed. `workflow_id`: the post-mortem's process, which its text names."""

    workflow_id: str
    fact: IssueFact


class _Issue(BaseModel):
    number: int
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
    document = json.loads(body)
    if event != "issues":  # such as the ping with which GitHub tries a new webhook
        return None
    try:
        told = _Event.model_validate(document)
    except ValidationError as error:
        raise ValueError(f"not an event of an issue: {error.error_count()} faults") from None
    mark = _MARK.search(told.issue.body or "")
    if mark is None or told.action not in ("closed", "reopened", *_LOST):
        return None
    state = _LOST.get(told.action, told.issue.state)
    fact = IssueFact(number=told.issue.number, state=state, reason=told.issue.state_reason or "")
    return Changed(workflow_id=mark[1], fact=fact)

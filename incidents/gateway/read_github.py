"""Parse GitHub webhooks: an action item's issue was closed, reopened, deleted or transferred (event `issues`)."""

import re
from dataclasses import dataclass

from pydantic import BaseModel, Field, ValidationError

from incidents.domain.activity_results import IssueFact
from incidents.domain.core.payload import first_fault, read_json
from incidents.domain.core.text.untrusted import one_line

_MARK = re.compile(r"<!-- incident-runbook (postmortem-[0-9]{1,9}) item-[0-9]{1,9} ")
_LOST = {"deleted": "gone", "transferred": "moved"}


@dataclass(frozen=True)
class Changed:
    """A change to an action item's issue. `workflow_id`: the post-mortem's workflow, named in the issue body."""

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
    """Parse a webhook; None for other events, such as one of an unrelated issue.

    Raises:
        ValueError: not a GitHub webhook.
    """
    document = read_json(body)
    if event != "issues":  # such as the ping for a new webhook
        return None
    try:
        change = _Event.model_validate(document)
    except ValidationError as error:
        raise ValueError(f"not an issue event: {first_fault(error)}") from None
    mark = _MARK.search(change.issue.body or "")
    if mark is None or change.action not in ("closed", "reopened", *_LOST):
        return None
    state = _LOST.get(change.action, change.issue.state)
    reason = change.issue.state_reason or ""
    fact = IssueFact(number=change.issue.number, state=one_line(state, 50), reason=one_line(reason, 50))
    return Changed(workflow_id=mark[1], fact=fact)

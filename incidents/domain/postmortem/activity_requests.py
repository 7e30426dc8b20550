"""What the hands are asked to do for a post-mortem."""

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.config.model import RunbookConfig
from incidents.domain.postmortem.config import Proposal
from incidents.domain.postmortem.postmortem import Postmortem


class WritePostmortem(ActivityRequest):
    """Write the document, with what is computed from the evidence, and its chart, beside the evidence."""

    folder: str
    postmortem: Postmortem
    runbook: RunbookConfig


class ProposeDocument(ActivityRequest):
    """Put the document (`name` in `folder`) into the repository: on a branch with a pull request, or as an issue.

    A file there that is not as it was `known` (its SHA-256; "": never seen) is read back instead of overwritten.
    """

    folder: str
    name: str
    pictures: tuple[str, ...]
    how: Proposal
    branch: str
    base: str
    path: str
    title: str
    body: str
    labels: tuple[str, ...]
    marker: str
    known: str


class WatchDocument(ActivityRequest):
    """Wait until the file on the branch says something else than `known` (its SHA-256), and return it."""

    branch: str
    path: str
    known: str
    every_seconds: float


class WatchIssues(ActivityRequest):
    """Wait until an issue stands otherwise than it is known (number to `open`, `closed` or `not_planned`)."""

    issues: dict[int, str]
    every_seconds: float

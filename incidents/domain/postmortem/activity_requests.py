"""Activity requests of a post-mortem."""

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import DocumentProposed, DocumentRead, DocumentWritten, IssuesChecked
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.repeats import READS, looked_for, overwrites
from incidents.domain.postmortem.config import Proposal
from incidents.domain.postmortem.postmortem import Postmortem


class WritePostmortem(ActivityRequest[DocumentWritten]):
    """Write the document, with figures computed from the evidence, and its chart, to the evidence store."""

    repeat = overwrites("its path")
    folder: str
    postmortem: Postmortem
    runbook: RunbookConfig


class ProposeDocument(ActivityRequest[DocumentProposed]):
    """Propose the document (`name` in `folder`) in the repository: as a pull request or an issue.

    A file whose SHA-256 differs from `known` ("": never seen) is read back instead of overwritten.
    """

    repeat = looked_for("the branch, which names the incident, and the digest of the file on it")
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


class WatchDocument(ActivityRequest[DocumentRead]):
    """Wait until the file on the branch differs from `known` (its SHA-256), and return it."""

    repeat = READS
    branch: str
    path: str
    known: str
    every_seconds: float


class WatchIssues(ActivityRequest[IssuesChecked]):
    """Wait until an issue's state differs from the known one (number to `open`, `closed` or `not_planned`)."""

    repeat = READS
    issues: dict[int, str]
    every_seconds: float

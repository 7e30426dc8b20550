"""The post-mortem: required by the severity's policy, due a set time after resolution ("Post-Mortem Process")."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import AliasChoices, AwareDatetime, Field

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.ledger import Owing, Postponed
from incidents.domain.core.timeline import SYSTEM, Entry, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.operators.state import OperatorsState
from incidents.domain.postmortem.document.sections import Document, list_missing
from incidents.domain.postmortem.review import next_meeting


class Stage(StrEnum):
    """Stage of a post-mortem.

    `started`: before resolution, no deadline yet. `overdue`: the deadline was missed. `published`: action items and
    review are followed. `completed`: reviewed, all action items settled.
    """

    STARTED = "started"
    OWED = "owed"
    OVERDUE = "overdue"
    WITHDRAWN = "withdrawn"
    PUBLISHED = "published"
    WAIVED = "waived"
    COMPLETED = "completed"


class Version(Frozen):
    """A written document and the SHA-256 of its file."""

    digest: str
    document: Document


class RepositoryState(Frozen):
    """The document's file in the repository, proposed by a pull request.

    `reads` counts the polls of the pull request. `read_digest`: the SHA-256 of the file as it was last seen;
    `unreadable`: it could not be parsed, and is not overwritten until someone fixes it. `writing`: the document that is
    being written, `versions`: the last ones that were, `seen`: the one that the repository's readers see.
    """

    proposal_url: str = ""
    reads: int = 0
    read_at: AwareDatetime | None = None
    read_digest: str = ""
    unreadable: bool = False
    writing: Document = Document()
    versions: tuple[Version, ...] = ()
    seen: Document | None = None


class TrackingState(Frozen):
    """Polls of the action items' issues."""

    watches: int = 0
    watched_at: AwareDatetime | None = None


class ReviewState(Frozen):
    """The review meeting: when it is, when it was recorded, and its outcome."""

    at: AwareDatetime | None = None
    reviewed_at: AwareDatetime | None = None
    outcome: str = ""


class Postmortem(Owing):
    """State of one incident's post-mortem.

    `times_resolved` counts the resolutions of the incident; `edits` the versions of the document, the newest to be
    written at `write_at`. `announced_without`: the resolution of which the owner was notified before there was a draft;
    0 if none. `figures`: whether its impact is computed. `assigned`: the owner that a responder
    assigned. `archives_channel`: the incident has closed, so its channel is archived here. `records` counts the
    records written. `corrected` counts the times that were corrected here, after the incident was closed.
    """

    number: int
    incident: Incident
    times_resolved: int = Field(validation_alias=AliasChoices("times_resolved", "round"))  # `round` in old histories
    stage: Stage = Stage.OWED
    resolved_at: AwareDatetime | None = None
    due: AwareDatetime | None = None
    owner: str
    assigned: str = ""
    document: Document = Document()
    edits: int = 1
    write_at: AwareDatetime
    figures: bool = False
    draft_url: str = ""
    announced_without: int = 0
    document_url: str = ""
    submitted_by: str = ""
    published_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    repository: RepositoryState = RepositoryState()
    tracking: TrackingState = TrackingState()
    review: ReviewState = ReviewState()
    operators: OperatorsState = OperatorsState()
    archives_channel: bool = False
    records: int = 0
    corrected: int = 0
    handled: tuple[str, ...] = ()
    timeline: tuple[Entry, ...] = ()
    revision: int = 0

    @property
    def over(self) -> bool:
        """Tell whether the deadline no longer applies: published, waived or completed."""
        return self.stage in (Stage.PUBLISHED, Stage.WAIVED, Stage.COMPLETED)

    @property
    def ended(self) -> bool:
        """Tell whether it is closed: waived or completed."""
        return self.stage in (Stage.WAIVED, Stage.COMPLETED)

    @property
    def draft_postponed(self) -> Postponed | None:
        """Why the document is not written yet, if the evidence store could not take it."""
        return next((postponed for postponed in self.ledger.postponed if postponed.key.kind == "write"), None)

    @property
    def lacks(self) -> list[str]:
        """What is missing before it may be published.

        The action items of a private incident need no issue: they stay in the record (behaviour 100).
        """
        timeline, issues = len(self.incident.timeline), not self.incident.private
        return list_missing(self.document, timeline=timeline, figures=self.figures, issues=issues)

    def logged(self, at: datetime, actor: str, text: str) -> Self:
        """Return the post-mortem with one more timeline entry."""
        last = self.timeline[-1].at if self.timeline else at
        entry = Entry(sequence=len(self.timeline) + 1, at=max(at, last), actor=actor, kind=Kind.POSTMORTEM, text=text)
        return self.replace(timeline=(*self.timeline, entry), revision=self.revision + 1)

    def recorded(self) -> Self:
        """Return the post-mortem with its record due to be rewritten."""
        return self.replace(records=self.records + 1)

    def edited(self, document: Document, write_at: datetime) -> Self:
        """Return the post-mortem with the document changed, to be written at that time."""
        return self.replace(document=document, edits=self.edits + 1, write_at=write_at)


def owner_of(incident: Incident, assigned: str, runbook: RunbookConfig) -> str:
    """Return the owner: as assigned, else the commander, else the manager (behaviour 73)."""
    return assigned or incident.last_commander or runbook.contacts[runbook.postmortem.manager].name


def open_postmortem(incident: Incident, runbook: RunbookConfig, at: datetime) -> Postmortem:
    """Open the post-mortem of an incident. The deadline counts from the resolution, not from now.

    Before the resolution it is only started, without a deadline (behaviour 70).

    Raises:
        ValueError: the incident has no number.
    """
    if incident.number is None:
        raise ValueError("only an incident with a number has a post-mortem")
    owner = owner_of(incident, "", runbook)
    started = Postmortem(
        number=incident.number, incident=incident, times_resolved=0, stage=Stage.STARTED, owner=owner, write_at=at
    )
    if incident.resolved_at is None:
        return started.logged(at, SYSTEM, f"Started by {owner} before resolution (no deadline yet)").recorded()
    return restart_deadline(started, incident, runbook, at)


def restart_deadline(postmortem: Postmortem, incident: Incident, runbook: RunbookConfig, at: datetime) -> Postmortem:
    """Start the deadline after a resolution, the first or a later one. Written sections stay (behaviour 63).

    The same resolution with corrected times updates the figures and the deadline.
    """
    if incident.resolved_at is None or incident.times_resolved < postmortem.times_resolved or postmortem.ended:
        return postmortem
    counted = at if incident.backfilled else incident.resolved_at  # a past incident must not be overdue at once
    due = runbook.calendar.deadline(counted, runbook.postmortem.within)
    if incident.times_resolved == postmortem.times_resolved:
        current = postmortem.replace(incident=incident, resolved_at=incident.resolved_at, due=due)
        return current.edited(postmortem.document, at).recorded()
    if postmortem.over:
        return postmortem
    owner = owner_of(incident, postmortem.assigned, runbook)
    changed = postmortem.replace(
        incident=incident,
        times_resolved=incident.times_resolved,
        stage=Stage.OWED,
        resolved_at=incident.resolved_at,
        due=due,
        owner=owner,
        edits=postmortem.edits + bool(postmortem.times_resolved or postmortem.ledger.fulfilled),
        write_at=at,
    )
    when = runbook.calendar.in_brackets(due)
    said = f"Resolved again (now due {when})" if postmortem.times_resolved else f"Owner {owner}, due {when}"
    return changed.logged(at, SYSTEM, said).recorded()


def withdraw(postmortem: Postmortem, at: datetime) -> Postmortem:
    """Stop the deadline because the incident was reopened (behaviour 63)."""
    if postmortem.over:
        return postmortem
    withdrawn = postmortem.replace(stage=Stage.WITHDRAWN)
    return withdrawn.logged(at, SYSTEM, "Deadline withdrawn (incident reopened)").recorded()


def take_over_channel(postmortem: Postmortem) -> Postmortem:
    """Take over the channel of an incident that closed before: it is archived once the post-mortem is over."""
    return postmortem.replace(archives_channel=True, revision=postmortem.revision + 1)


def cancel(postmortem: Postmortem, at: datetime) -> Postmortem:
    """Waive it because the incident was a false alarm, or was merged into another one."""
    if postmortem.over:
        return postmortem
    ended = postmortem.replace(stage=Stage.WAIVED, ended_at=at)
    return ended.logged(at, SYSTEM, "Waived (incident cancelled or merged)").recorded()


def record_publication(postmortem: Postmortem, runbook: RunbookConfig, at: datetime, by: str, url: str) -> Postmortem:
    """Record the publication, and schedule the review."""
    rules = runbook.postmortem.review
    review_at = next_meeting(at + rules.notice, rules)
    place = url or postmortem.repository.proposal_url or postmortem.draft_url
    done = postmortem.replace(
        stage=Stage.PUBLISHED,
        published_at=at,
        document_url=place,
        review=postmortem.review.replace(at=review_at),
        edits=postmortem.edits + 1,
        write_at=at,
    )
    late = postmortem.due is not None and at > postmortem.due
    said = f"Published{', late' if late else ''}: {place}. Review at {runbook.calendar.in_brackets(review_at)}"
    return done.logged(at, by, said).recorded()

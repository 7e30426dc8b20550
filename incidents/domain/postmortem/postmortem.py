"""The post-mortem: required by the severity's policy, due a set time after resolution ("Post-Mortem Process")."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.program_errors import Fault
from incidents.domain.core.timeline import SYSTEM, Entry, Kind
from incidents.domain.incident.incident import Incident
from incidents.domain.incident.parts import Unfulfilled
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


class Postmortem(Frozen):
    """State of one incident's post-mortem.

    `round` counts the resolutions of the incident; `edits` counts the versions of the document, the newest to be
    written at `write_at`. `figures`: whether its impact is computed. `assigned`: the owner that a responder assigned.
    `watches`, `reads` and `records` count the polls of its issues, of its pull request, and the records written.
    `read_digest`: the SHA-256 of the file in the repository as it was last seen; `unreadable`: it could not be taken
    in, and is not overwritten until someone fixes it. `writing`: the document that is being written, `versions`: the
    last ones that were, `seen`: the one that the repository's readers see. `corrected` counts the times that were
    corrected here, after the incident was closed. `faults`: errors in this program that blocked an obligation.
    """

    number: int
    incident: Incident
    round: int
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
    proposal_url: str = ""
    document_url: str = ""
    submitted_by: str = ""
    published_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    review_at: AwareDatetime | None = None
    reviewed_at: AwareDatetime | None = None
    review_outcome: str = ""
    watches: int = 0
    watched_at: AwareDatetime | None = None
    reads: int = 0
    read_at: AwareDatetime | None = None
    read_digest: str = ""
    unreadable: bool = False
    writing: Document = Document()
    versions: tuple[Version, ...] = ()
    seen: Document | None = None
    records: int = 0
    corrected: int = 0
    handled: tuple[str, ...] = ()
    fulfilled: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()
    failures: tuple[Unfulfilled, ...] = ()
    faults: tuple[Fault, ...] = ()
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
    def lacks(self) -> list[str]:
        """What is missing before it may be published."""
        return list_missing(self.document, timeline=len(self.incident.timeline), figures=self.figures)

    def settled(self, key: str) -> bool:
        """Tell whether the obligation of that key is done or failed."""
        return key in self.fulfilled or any(failure.key == key for failure in self.failures)

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
    return assigned or incident.commander or runbook.contacts[runbook.postmortem.manager].name


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
        number=incident.number, incident=incident, round=0, stage=Stage.STARTED, owner=owner, write_at=at
    )
    if incident.resolved_at is None:
        return started.logged(at, SYSTEM, f"Started by {owner} before resolution (no deadline yet)").recorded()
    return restart_deadline(started, incident, runbook, at)


def restart_deadline(postmortem: Postmortem, incident: Incident, runbook: RunbookConfig, at: datetime) -> Postmortem:
    """Start the deadline after a resolution, the first or a later one. Written sections stay (behaviour 63).

    The same resolution with corrected times updates the figures and the deadline.
    """
    if incident.resolved_at is None or incident.round < postmortem.round or postmortem.ended:
        return postmortem
    counted = at if incident.backfilled else incident.resolved_at  # a past incident must not be overdue at once
    due = runbook.calendar.deadline(counted, runbook.postmortem.within)
    if incident.round == postmortem.round:
        current = postmortem.replace(incident=incident, resolved_at=incident.resolved_at, due=due)
        return current.edited(postmortem.document, at).recorded()
    if postmortem.over:
        return postmortem
    owner = owner_of(incident, postmortem.assigned, runbook)
    changed = postmortem.replace(
        incident=incident,
        round=incident.round,
        stage=Stage.OWED,
        resolved_at=incident.resolved_at,
        due=due,
        owner=owner,
        edits=postmortem.edits + bool(postmortem.round or postmortem.fulfilled),
        write_at=at,
    )
    when = runbook.calendar.in_brackets(due)
    said = f"Resolved again (now due {when})" if postmortem.round else f"Owner {owner}, due {when}"
    return changed.logged(at, SYSTEM, said).recorded()


def withdraw(postmortem: Postmortem, at: datetime) -> Postmortem:
    """Stop the deadline because the incident was reopened (behaviour 63)."""
    if postmortem.over:
        return postmortem
    withdrawn = postmortem.replace(stage=Stage.WITHDRAWN)
    return withdrawn.logged(at, SYSTEM, "Deadline withdrawn (incident reopened)").recorded()


def cancel(postmortem: Postmortem, at: datetime) -> Postmortem:
    """Waive it because the incident was a false alarm."""
    if postmortem.over:
        return postmortem
    ended = postmortem.replace(stage=Stage.WAIVED, ended_at=at)
    return ended.logged(at, SYSTEM, "Waived (incident cancelled as a false alarm)").recorded()


def record_publication(postmortem: Postmortem, runbook: RunbookConfig, at: datetime, by: str, url: str) -> Postmortem:
    """Record the publication, and schedule the review."""
    rules = runbook.postmortem.review
    review_at = next_meeting(at + rules.notice, rules)
    place = url or postmortem.proposal_url or postmortem.draft_url
    done = postmortem.replace(
        stage=Stage.PUBLISHED,
        published_at=at,
        document_url=place,
        review_at=review_at,
        edits=postmortem.edits + 1,
        write_at=at,
    )
    late = postmortem.due is not None and at > postmortem.due
    said = f"Published{', late' if late else ''}: {place}. Review at {runbook.calendar.in_brackets(review_at)}"
    return done.logged(at, by, said).recorded()


def record_missed_deadline(postmortem: Postmortem, key: str, at: datetime) -> Postmortem:
    """Record that the deadline was missed."""
    overdue = postmortem.replace(stage=Stage.OVERDUE, fulfilled=(*postmortem.fulfilled, key))
    said = f"Deadline missed (due {postmortem.due:%Y-%m-%d %H:%M} UTC)"
    return overdue.logged(at, SYSTEM, said).recorded()


def reschedule_review(postmortem: Postmortem, key: str, runbook: RunbookConfig, at: datetime) -> Postmortem:
    """Move the review to the next meeting because no outcome was recorded."""
    review_at = next_meeting(at, runbook.postmortem.review)
    said = f"No review outcome recorded. Review moved to {runbook.calendar.in_brackets(review_at)}"
    moved = postmortem.replace(review_at=review_at, fulfilled=(*postmortem.fulfilled, key))
    return moved.logged(at, SYSTEM, said)


def complete(postmortem: Postmortem, key: str, at: datetime) -> Postmortem:
    """Complete it: reviewed, with all action items settled."""
    done = postmortem.replace(stage=Stage.COMPLETED, ended_at=at, fulfilled=(*postmortem.fulfilled, key))
    return done.logged(at, SYSTEM, summarize_learning(postmortem)).recorded()


def summarize_learning(postmortem: Postmortem) -> str:
    """Return the lessons learned in one line: root cause, action items, review outcome."""
    document = postmortem.document
    items = [f"{item.title}: {item.state.replace('_', ' ')}" for item in document.items]
    done = "; ".join(items) or f"no action items ({document.no_items_because})"
    cause = f"{document.root_cause or 'no root cause'} ({document.cause})"
    return f"Lessons learned: {cause}. {done}. {postmortem.review_outcome}"

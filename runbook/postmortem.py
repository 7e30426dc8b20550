"""The post-mortem: owed for every P0 and P1, due 48 hours after the resolution (runbook, "Post-Mortem Process")."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import AwareDatetime, Field

from runbook.base import AlreadyDone, Frozen, Rejected
from runbook.commands import Command
from runbook.duration import in_words
from runbook.effects import Outcome
from runbook.incident import Incident
from runbook.incident_parts import Unfulfilled
from runbook.policy import Runbook
from runbook.timeline import WORKFLOW, Entry, Kind


class PublishPostmortem(Command):
    """Say that the post-mortem is written and where it can be read."""

    name: ClassVar[str] = "publish"
    says: ClassVar[str] = "The post-mortem is published at url."
    url: str = Field(min_length=1, max_length=2000)


class WaivePostmortem(Command):
    """Do without a post-mortem. It is recorded who decided so, and why."""

    name: ClassVar[str] = "waive"
    says: ClassVar[str] = "Do without a post-mortem, with a reason."
    reason: str = Field(min_length=1, max_length=2000)


class Stage(StrEnum):
    """Where the post-mortem stands. `overdue` is the breach of the deadline."""

    OWED = "owed"
    OVERDUE = "overdue"
    WITHDRAWN = "withdrawn"
    PUBLISHED = "published"
    WAIVED = "waived"


class PostmortemDuty(StrEnum):
    """What the post-mortem's process does by itself."""

    DRAFT = "draft"
    ANNOUNCE = "announce"
    REMIND = "remind"
    MAIL = "mail"
    BREACH = "breach"


class PostmortemObligation(Frozen):
    """One duty of the post-mortem, like `runbook.agenda.Obligation`."""

    key: str
    duty: PostmortemDuty
    due: AwareDatetime
    since: AwareDatetime
    says: str


class Postmortem(Frozen):
    """Everything known of one incident's post-mortem. `round` counts the resolutions of the incident."""

    number: int
    incident: Incident
    round: int
    stage: Stage = Stage.OWED
    resolved_at: AwareDatetime
    due: AwareDatetime
    owner: str
    draft_url: str = ""
    document_url: str = ""
    ended_at: AwareDatetime | None = None
    fulfilled: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()
    failures: tuple[Unfulfilled, ...] = ()
    timeline: tuple[Entry, ...] = ()
    revision: int = 0

    @property
    def over(self) -> bool:
        """Tell whether it is published or waived."""
        return self.stage in (Stage.PUBLISHED, Stage.WAIVED)

    def settled(self, key: str) -> bool:
        """Tell whether the duty of that key needs no more doing."""
        return key in self.fulfilled or any(failure.key == key for failure in self.failures)

    def logged(self, at: datetime, actor: str, text: str) -> Self:
        """Return the post-mortem with one more timeline entry."""
        last = self.timeline[-1].at if self.timeline else at
        entry = Entry(sequence=len(self.timeline) + 1, at=max(at, last), actor=actor, kind=Kind.POSTMORTEM, text=text)
        return self.but(timeline=(*self.timeline, entry), revision=self.revision + 1)


def owe(incident: Incident, runbook: Runbook, at: datetime) -> Postmortem:
    """Return the post-mortem that a resolved incident owes. The deadline counts from the resolution, not from now.

    Raises:
        ValueError: the incident is not resolved, or has no number.
    """
    if incident.resolved_at is None or incident.number is None:
        raise ValueError("only a resolved incident with a number owes a post-mortem")
    due = runbook.calendar.deadline(incident.resolved_at, runbook.postmortem.within)
    owner = incident.commander or runbook.contacts[runbook.postmortem.manager].name
    postmortem = Postmortem(
        number=incident.number,
        incident=incident,
        round=incident.round,
        resolved_at=incident.resolved_at,
        due=due,
        owner=owner,
    )
    return postmortem.logged(at, WORKFLOW, f"Owed by {owner}, due {runbook.calendar.in_brackets(due)}")


def resolved_again(postmortem: Postmortem, incident: Incident, runbook: Runbook, at: datetime) -> Postmortem:
    """Start the deadline again after a reopened incident was resolved. The draft and the history stay."""
    if incident.resolved_at is None or incident.round <= postmortem.round:
        return postmortem
    due = runbook.calendar.deadline(incident.resolved_at, runbook.postmortem.within)
    return postmortem.but(
        incident=incident, round=incident.round, stage=Stage.OWED, resolved_at=incident.resolved_at, due=due
    ).logged(at, WORKFLOW, f"Resolved again: now due {runbook.calendar.in_brackets(due)}")


def withdraw(postmortem: Postmortem, at: datetime) -> Postmortem:
    """Stop the deadline because the incident was reopened (BEHAVIOURS 63)."""
    if postmortem.over:
        return postmortem
    return postmortem.but(stage=Stage.WITHDRAWN).logged(at, WORKFLOW, "Deadline withdrawn: the incident was reopened")


def decide(postmortem: Postmortem, command: Command, at: datetime) -> Postmortem:
    """Return the post-mortem after the command.

    Raises:
        Rejected: it cannot be published or waived now.
        AlreadyDone: it was published or waived before.
    """
    if postmortem.over:
        raise AlreadyDone(f"The post-mortem of INC-{postmortem.number} is {postmortem.stage} already.")
    if isinstance(command, WaivePostmortem):
        ended = postmortem.but(stage=Stage.WAIVED, ended_at=at)
        return ended.logged(at, command.by, f"Waived: {command.reason}")
    if not isinstance(command, PublishPostmortem):
        raise Rejected(f"A post-mortem knows no command {type(command).__name__}.")
    if postmortem.stage is Stage.WITHDRAWN:
        raise Rejected(f"INC-{postmortem.number} was reopened: publish when it is resolved.")
    ended = postmortem.but(stage=Stage.PUBLISHED, ended_at=at, document_url=command.url)
    return ended.logged(at, command.by, f"Published: {command.url}")


def postmortem_agenda(postmortem: Postmortem, runbook: Runbook) -> list[PostmortemObligation]:
    """Return every duty that the post-mortem owes, now or later, the earliest first."""
    found = [duty for duty in _duties(postmortem, runbook) if not postmortem.settled(duty.key)]
    return sorted(found, key=lambda duty: (duty.due, duty.key))


def _duties(postmortem: Postmortem, runbook: Runbook) -> Iterator[PostmortemObligation]:
    if postmortem.over or postmortem.stage is Stage.WITHDRAWN:
        return
    since, count = postmortem.resolved_at, postmortem.round
    yield PostmortemObligation(
        key=f"draft/{count}", duty=PostmortemDuty.DRAFT, due=since, since=since, says="Write the draft"
    )
    if postmortem.settled(f"draft/{count}") and postmortem.incident.resources.channel_id:
        yield PostmortemObligation(
            key=f"announce/{count}",
            duty=PostmortemDuty.ANNOUNCE,
            due=since,
            since=since,
            says="Say who owes it by when",
        )
    yield PostmortemObligation(
        key=f"breach/{count}", duty=PostmortemDuty.BREACH, due=postmortem.due, since=since, says="Deadline"
    )
    for due, left in _reminders(postmortem, runbook):
        for duty in (PostmortemDuty.REMIND, PostmortemDuty.MAIL):
            how = "in the channel" if duty is PostmortemDuty.REMIND else "by e-mail"
            if duty is PostmortemDuty.REMIND and postmortem.incident.resources.channel_id is None:
                continue
            key = f"{duty}/{count}/{left}"
            yield PostmortemObligation(key=key, duty=duty, due=due, since=since, says=f"Remind the owner {how}, {left}")


def _reminders(postmortem: Postmortem, runbook: Runbook) -> Iterator[tuple[datetime, str]]:
    """Yield the reminders before the deadline that still make sense, and then the next one of each overdue day."""
    rules = runbook.postmortem
    for before in rules.remind_before:
        if postmortem.due - before >= postmortem.resolved_at:
            yield postmortem.due - before, f"{in_words(before)} before" if before else "when due"
    day = 1
    while postmortem.settled(f"{PostmortemDuty.MAIL}/{postmortem.round}/{_overdue(day, runbook)}"):
        day += 1
    yield postmortem.due + rules.overdue_every * day, _overdue(day, runbook)


def _overdue(day: int, runbook: Runbook) -> str:
    return f"{in_words(runbook.postmortem.overdue_every * day)} overdue"


def begun(postmortem: Postmortem, key: str) -> Postmortem:
    """Remember that a duty was begun."""
    return postmortem if key in postmortem.begun else postmortem.but(begun=(*postmortem.begun, key))


def fulfilled(postmortem: Postmortem, duty: PostmortemObligation, outcome: Outcome, at: datetime) -> Postmortem:
    """Record that a duty was done or skipped. A second report of the same duty changes nothing."""
    if postmortem.settled(duty.key):
        return postmortem
    url = outcome.resources.evidence_url if duty.duty is PostmortemDuty.DRAFT else None
    postmortem = postmortem.but(fulfilled=(*postmortem.fulfilled, duty.key), draft_url=url or postmortem.draft_url)
    result = f"skipped: {outcome.skipped}" if outcome.skipped is not None else outcome.detail
    return postmortem.logged(at, WORKFLOW, f"{duty.says}: {result}" if result else duty.says)


def failed(postmortem: Postmortem, duty: PostmortemObligation, reason: str, at: datetime) -> Postmortem:
    """Record that a duty failed for good. The deadline stands."""
    failure = Unfulfilled(key=duty.key, reason=reason, at=at)
    return postmortem.but(failures=(*postmortem.failures, failure)).logged(
        at, WORKFLOW, f"Failed: {duty.says}: {reason}"
    )


def breached(postmortem: Postmortem, duty: PostmortemObligation, at: datetime) -> Postmortem:
    """Record that the deadline has passed."""
    return postmortem.but(stage=Stage.OVERDUE, fulfilled=(*postmortem.fulfilled, duty.key)).logged(
        at, WORKFLOW, f"Deadline missed: it was due {postmortem.due:%Y-%m-%d %H:%M} UTC"
    )


def overview(postmortem: Postmortem, runbook: Runbook) -> str:
    """Return the Web UI's details, as Markdown."""
    owed = postmortem_agenda(postmortem, runbook)
    due = runbook.calendar.in_brackets(postmortem.due)
    duties = "\n".join(f"- {duty.due:%Y-%m-%d %H:%M:%S} UTC — {duty.says}" for duty in owed[:5])
    return "\n\n".join(
        [
            f"### Post-mortem of INC-{postmortem.number} · {postmortem.stage}",
            f"**Owner: {postmortem.owner} · due {due}**",
            *([f"Draft: {postmortem.draft_url}"] if postmortem.draft_url else []),
            f"**Next duties**\n\n{duties or '- none'}",
            "**Latest**\n\n"
            + "\n".join(f"- {e.at:%Y-%m-%d %H:%M} {e.actor}: {e.text}" for e in postmortem.timeline[-5:]),
        ]
    )

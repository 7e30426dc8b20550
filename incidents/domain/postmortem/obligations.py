"""The agenda of a post-mortem: its obligations and their due times."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.time.duration import in_words
from incidents.domain.postmortem.config import Proposal
from incidents.domain.postmortem.document.sections import ActionItem, ItemState
from incidents.domain.postmortem.postmortem import Postmortem, Stage


class PostmortemObligationKind(StrEnum):
    """Kinds of obligations of a post-mortem."""

    WRITE = "write"
    PROPOSE = "propose"
    READ = "read"
    ANNOUNCE = "announce"
    REMIND = "remind"
    MAIL = "mail"
    BREACH = "breach"
    OPEN_ISSUE = "open_issue"
    CLOSE_ISSUE = "close_issue"
    RECORD_INCIDENT = "record_incident"
    WATCH = "watch"
    CHASE = "chase"
    INVITE = "invite"
    REVIEW_REMINDER = "review_reminder"
    NOT_REVIEWED = "not_reviewed"
    COMPLETE = "complete"
    RECORD = "record"
    REPORT_FAULT = "report_fault"


INNER = frozenset(
    {PostmortemObligationKind.BREACH, PostmortemObligationKind.NOT_REVIEWED, PostmortemObligationKind.COMPLETE}
)
"""Obligations without an activity: they only change the post-mortem's own state."""

POLLS = frozenset({PostmortemObligationKind.READ, PostmortemObligationKind.WATCH})
"""Polling obligations, cancelled when their answer is no longer needed."""


class PostmortemObligation(Frozen):
    """One obligation of the post-mortem, like `incidents.domain.obligation.Obligation`.

    `item`: the number of its action item.
    """

    key: str
    kind: PostmortemObligationKind
    due: AwareDatetime
    since: AwareDatetime
    says: str
    item: int = 0


def postmortem_agenda(postmortem: Postmortem, runbook: RunbookConfig) -> list[PostmortemObligation]:
    """Return all open obligations, now or later, earliest first."""
    found = [obligation for obligation in _obligations(postmortem, runbook) if not postmortem.settled(obligation.key)]
    return sorted(found, key=lambda obligation: (obligation.due, obligation.key))


def surviving_agenda(postmortem: Postmortem) -> list[PostmortemObligation]:
    """Return the obligations that remain when the agenda cannot be derived: operator notifications."""
    return [obligation for obligation in _faults(postmortem) if not postmortem.settled(obligation.key)]


def _faults(postmortem: Postmortem) -> Iterator[PostmortemObligation]:
    """Yield an operator notification per error in this program."""
    for number, fault in enumerate(postmortem.faults):
        says = f"Notify the operators of a program error ({fault.where})"
        yield _obligation(PostmortemObligationKind.REPORT_FAULT, f"fault/{number}", fault.at, says, item=number)


def _obligations(postmortem: Postmortem, runbook: RunbookConfig) -> Iterator[PostmortemObligation]:
    yield from _faults(postmortem)
    yield from _record(postmortem)
    if postmortem.ended:
        return
    yield from _items(postmortem, runbook)
    if postmortem.stage is Stage.WITHDRAWN:
        return
    yield from _document(postmortem, runbook)
    if postmortem.stage is Stage.PUBLISHED:
        yield from _review(postmortem, runbook)
    elif postmortem.due is not None:
        yield from _deadline(postmortem, postmortem.due, runbook)


def _obligation(
    kind: PostmortemObligationKind, key: str, due: datetime, says: str, item: int = 0
) -> PostmortemObligation:
    return PostmortemObligation(key=key, kind=kind, due=due, since=due, says=says, item=item)


def _record(postmortem: Postmortem) -> Iterator[PostmortemObligation]:
    if postmortem.records:
        at = postmortem.timeline[-1].at
        yield _obligation(
            PostmortemObligationKind.RECORD, f"record/{postmortem.records}", at, "Save the record for reports"
        )
    if postmortem.corrected:
        key = f"incident-record/{postmortem.corrected}"
        yield _obligation(
            PostmortemObligationKind.RECORD_INCIDENT, key, postmortem.timeline[-1].at, "Save the corrected record"
        )


def _document(postmortem: Postmortem, runbook: RunbookConfig) -> Iterator[PostmortemObligation]:
    """Yield writing the newest version (one at a time), announcing it, and proposing it in the repository."""
    rules, edits = runbook.postmortem, postmortem.edits
    key, since = f"write/{edits}", postmortem.write_at
    under_way = [k for k in postmortem.begun if k.startswith("write/") and not postmortem.settled(k)]
    if not under_way or under_way == [key]:
        says = "Write the draft" if edits == 1 else "Rewrite the document"
        yield _obligation(PostmortemObligationKind.WRITE, key, since, says)
    if not postmortem.draft_url:
        return
    if postmortem.round and postmortem.incident.resources.channel_id:
        yield _obligation(PostmortemObligationKind.ANNOUNCE, f"announce/{postmortem.round}", since, "Notify the owner")
    if rules.proposal is Proposal.NONE or postmortem.incident.private:
        return
    if key in postmortem.fulfilled and not postmortem.unreadable:
        yield _obligation(
            PostmortemObligationKind.PROPOSE, f"propose/{edits}", since, "Propose the document in the repository"
        )
    if postmortem.proposal_url and rules.proposal is Proposal.PULL_REQUEST and not postmortem.over:
        due = (postmortem.read_at or since) + rules.read_back_every
        yield _obligation(
            PostmortemObligationKind.READ, f"read/{postmortem.reads + 1}", due, "Check the pull request for edits"
        )


def _deadline(postmortem: Postmortem, due: datetime, runbook: RunbookConfig) -> Iterator[PostmortemObligation]:
    yield _obligation(PostmortemObligationKind.BREACH, f"breach/{postmortem.round}", due, "Deadline")
    for at, left in _reminders(postmortem, due, runbook):
        for obligation in (PostmortemObligationKind.REMIND, PostmortemObligationKind.MAIL):
            how = "in the channel" if obligation is PostmortemObligationKind.REMIND else "by e-mail"
            if obligation is PostmortemObligationKind.REMIND and postmortem.incident.resources.channel_id is None:
                continue
            yield _obligation(
                obligation, f"{obligation}/{postmortem.round}/{left}", at, f"Remind the owner {how}, {left}"
            )


def _reminders(postmortem: Postmortem, due: datetime, runbook: RunbookConfig) -> Iterator[tuple[datetime, str]]:
    """Yield the reminders before the deadline that still make sense, and then the next one of each overdue day."""
    rules = runbook.postmortem
    for before in rules.remind_before:
        if postmortem.resolved_at is None or due - before >= postmortem.resolved_at:
            yield due - before, f"{in_words(before)} before" if before else "when due"
    day = 1
    while postmortem.settled(f"{PostmortemObligationKind.MAIL}/{postmortem.round}/{_overdue(day, runbook)}"):
        day += 1
    yield due + rules.overdue_every * day, _overdue(day, runbook)


def _overdue(day: int, runbook: RunbookConfig) -> str:
    return f"{in_words(runbook.postmortem.overdue_every * day)} overdue"


def _items(postmortem: Postmortem, runbook: RunbookConfig) -> Iterator[PostmortemObligation]:
    rules, now = runbook.postmortem.items, postmortem.timeline[-1].at
    for item in postmortem.document.items:
        if item.issue is None and item.complete and not item.settled:
            yield _obligation(
                PostmortemObligationKind.OPEN_ISSUE,
                issue_key(item),
                now,
                f"Open an issue for action item {item.id}",
                item.id,
            )
        if closing(postmortem, item):
            key, says = close_key(item), f"Close the issue of action item {item.id}"
            yield _obligation(PostmortemObligationKind.CLOSE_ISSUE, key, item.since or now, says, item.id)
        if not item.settled and item.due is not None and postmortem.stage is Stage.PUBLISHED:
            yield _chase(postmortem, item, runbook)
    if any(item.issue is not None for item in postmortem.document.items):
        due = postmortem.watched_at + rules.check_every if postmortem.watched_at else now
        yield _obligation(
            PostmortemObligationKind.WATCH, f"watch/{postmortem.watches + 1}", due, "Check the action items' issues"
        )


def issue_key(item: ActionItem) -> str:
    """Return the key of opening an item's issue."""
    return f"issue/{item.id}"


def close_key(item: ActionItem) -> str:
    """Return the key of closing an item's issue after it was settled by hand."""
    return f"close/{item.id}/{item.since.isoformat() if item.since else ''}"


def closing(postmortem: Postmortem, item: ActionItem) -> bool:
    """Tell whether an item was settled by hand and its issue is still open."""
    return item.settled and item.issue is not None and not item.flag and not postmortem.settled(close_key(item))


def _chase(postmortem: Postmortem, item: ActionItem, runbook: RunbookConfig) -> PostmortemObligation:
    """Return the next reminder of an overdue item: the first at the next opening, then every `chase_every`."""
    count = 0
    while postmortem.settled(chase_key(item, count)):
        count += 1
    first = runbook.calendar.next_open(day_over(item, runbook))
    due = first + runbook.postmortem.items.chase_every * count
    return _obligation(
        PostmortemObligationKind.CHASE,
        chase_key(item, count),
        due,
        f"Remind the owner of action item {item.id}",
        item.id,
    )


def chase_key(item: ActionItem, count: int) -> str:
    """Return the key of the `count`th reminder of an item. A new due date restarts them."""
    return f"chase/{item.id}/{item.due}/{count}"


def day_over(item: ActionItem, runbook: RunbookConfig) -> datetime:
    """Return when an item becomes overdue: the end of its due date, in the organization's time zone.

    Raises:
        ValueError: it has no due date.
    """
    if item.due is None:
        raise ValueError(f"action item {item.id} has no due date")
    zone = ZoneInfo(runbook.calendar.time_zone)
    return datetime.combine(item.due + timedelta(days=1), time(), zone)


def overdue(item: ActionItem, runbook: RunbookConfig, at: datetime) -> bool:
    """Tell whether an item is unsettled after its due date."""
    return not item.settled and item.due is not None and at >= day_over(item, runbook)


def _review(postmortem: Postmortem, runbook: RunbookConfig) -> Iterator[PostmortemObligation]:
    """Yield the review obligations, and the completion once reviewed with all items settled."""
    rules, at = runbook.postmortem.review, postmortem.review_at
    items = postmortem.document.items
    if postmortem.reviewed_at is not None:
        if all(item.settled and not closing(postmortem, item) for item in items):
            yield _obligation(
                PostmortemObligationKind.COMPLETE,
                "complete",
                postmortem.timeline[-1].at,
                "Post the lessons learned and close",
            )
        return
    if at is None or postmortem.published_at is None:
        return
    day = f"{at:%Y-%m-%d}"
    yield _obligation(
        PostmortemObligationKind.INVITE,
        f"invite/{day}",
        postmortem.timeline[-1].at,
        "Send the review invitation",
    )
    reminder = at - rules.remind_before
    if reminder > postmortem.published_at:
        yield _obligation(
            PostmortemObligationKind.REVIEW_REMINDER, f"review-reminder/{day}", reminder, "Send the review reminder"
        )
    over = at + rules.lasts + timedelta(days=1)
    yield _obligation(
        PostmortemObligationKind.NOT_REVIEWED,
        f"not-reviewed/{day}",
        over,
        "Reschedule the review if no outcome is recorded",
    )


def needs_reason(item: ActionItem) -> bool:
    """Tell whether an item was closed as not planned without a reason (behaviour 74)."""
    return item.state is ItemState.WONT_DO and not item.reason

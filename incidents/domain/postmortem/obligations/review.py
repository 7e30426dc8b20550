"""The review meeting: invitation, reminder, another date if nothing was recorded, and the completion."""

from collections.abc import Iterator
from datetime import timedelta

from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.timeline import SYSTEM
from incidents.domain.postmortem.item_rules import closing
from incidents.domain.postmortem.mails import review_mail
from incidents.domain.postmortem.obligations.obligation import (
    PUBLISHED,
    Due,
    Owed,
    PostmortemObligation,
    PostmortemObligationKind,
    PostmortemSpec,
    owe,
)
from incidents.domain.postmortem.postmortem import Postmortem, Stage
from incidents.domain.postmortem.review import next_meeting


def review_owed(postmortem: Postmortem, runbook: RunbookConfig) -> Iterator[PostmortemObligation]:
    """Yield the review obligations, and the completion once reviewed with all items settled."""
    if postmortem.review.reviewed_at is None:
        yield from _meeting(postmortem, runbook)
    elif all(item.settled and not closing(postmortem, item) for item in postmortem.document.items):
        at = postmortem.timeline[-1].at
        yield owe(PostmortemObligationKind.COMPLETE, Key("complete"), at, "Post the lessons learned and close")


def _meeting(postmortem: Postmortem, runbook: RunbookConfig) -> Iterator[PostmortemObligation]:
    rules, at = runbook.postmortem.review, postmortem.review.at
    if at is None or postmortem.published_at is None:
        return
    day, now = f"{at:%Y-%m-%d}", postmortem.timeline[-1].at
    yield owe(PostmortemObligationKind.INVITE, Key("invite", day), now, "Send the review invitation")
    reminder = at - rules.remind_before
    if reminder > postmortem.published_at:
        key = Key("review-reminder", day)
        yield owe(PostmortemObligationKind.REVIEW_REMINDER, key, reminder, "Send the review reminder")
    over, summary = at + rules.lasts + timedelta(days=1), "Reschedule the review if no outcome is recorded"
    yield owe(PostmortemObligationKind.NOT_REVIEWED, Key("not-reviewed", day), over, summary)


def _invite(postmortem: Postmortem, due: Due) -> ActivityRequest | ActivityResult:
    return review_mail(postmortem, due.runbook, due.at, inviting=True)


def _remind(postmortem: Postmortem, due: Due) -> ActivityRequest | ActivityResult:
    return review_mail(postmortem, due.runbook, due.at, inviting=False)


def reschedule_review(postmortem: Postmortem, due: Due) -> Postmortem:
    """Move the review to the next meeting because no outcome was recorded."""
    review_at = next_meeting(due.at, due.runbook.postmortem.review)
    said = f"No review outcome recorded. Review moved to {due.runbook.calendar.in_brackets(review_at)}"
    moved = postmortem.replace(review=postmortem.review.replace(at=review_at))
    return moved.with_fulfilled(due.obligation.key).logged(due.at, SYSTEM, said)


def complete(postmortem: Postmortem, due: Due) -> Postmortem:
    """Complete it: reviewed, with all action items settled."""
    done = postmortem.replace(stage=Stage.COMPLETED, ended_at=due.at).with_fulfilled(due.obligation.key)
    return done.logged(due.at, SYSTEM, summarize_learning(postmortem)).recorded()


def summarize_learning(postmortem: Postmortem) -> str:
    """Return the lessons learned in one line: root cause, action items, review outcome."""
    document = postmortem.document
    items = [f"{item.title}: {item.state.replace('_', ' ')}" for item in document.items]
    done = "; ".join(items) or f"no action items ({document.no_items_because})"
    cause = f"{document.root_cause or 'no root cause'} ({document.cause})"
    return f"Lessons learned: {cause}. {done}. {postmortem.review.outcome}"


_REVIEW = Owed(review_owed, PUBLISHED)
INVITE = PostmortemSpec(PostmortemObligationKind.INVITE, _REVIEW, build_request=_invite)
REVIEW_REMINDER = PostmortemSpec(PostmortemObligationKind.REVIEW_REMINDER, _REVIEW, build_request=_remind)
NOT_REVIEWED = PostmortemSpec(PostmortemObligationKind.NOT_REVIEWED, _REVIEW, apply_due=reschedule_review)
COMPLETE = PostmortemSpec(PostmortemObligationKind.COMPLETE, _REVIEW, apply_due=complete)

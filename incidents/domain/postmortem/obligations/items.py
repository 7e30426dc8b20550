"""Action items: an issue for each, polled, closed, and chased while overdue (behaviours 74 to 77)."""

from collections.abc import Iterator
from typing import assert_never

from incidents.domain import activity_requests
from incidents.domain.activity_requests import ActivityRequest
from incidents.domain.activity_results import ActivityResult, IssuesChecked, ResourcesChanged
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.keys import Key
from incidents.domain.core.text.escaping import github_line
from incidents.domain.core.text.untrusted import one_line
from incidents.domain.postmortem.activity_requests import WatchIssues
from incidents.domain.postmortem.document.sections import ActionItem, ItemState
from incidents.domain.postmortem.issue_changes import apply_issue_changes
from incidents.domain.postmortem.item_rules import close_key, closing, day_over
from incidents.domain.postmortem.mails import chase, contact_of, people_of
from incidents.domain.postmortem.obligations.obligation import (
    OPEN,
    Due,
    Owed,
    PostmortemObligation,
    PostmortemObligationKind,
    PostmortemSpec,
    owe,
)
from incidents.domain.postmortem.postmortem import Postmortem, Stage


def items_owed(postmortem: Postmortem, runbook: RunbookConfig) -> Iterator[PostmortemObligation]:
    """Yield what each action item asks for, and the poll of their issues."""
    rules, now = runbook.postmortem.items, postmortem.timeline[-1].at
    public = rules.private_issues or not postmortem.incident.private
    for item in postmortem.document.items:
        if item.issue is None and item.complete and not item.settled and public:
            yield owe(
                PostmortemObligationKind.OPEN_ISSUE,
                issue_key(item),
                now,
                f"Open an issue for action item {item.id}",
                item=item.id,
            )
        if closing(postmortem, item):
            key, summary = close_key(item), f"Close the issue of action item {item.id}"
            yield owe(PostmortemObligationKind.CLOSE_ISSUE, key, item.since or now, summary, item=item.id)
        if not item.settled and item.due is not None and postmortem.stage is Stage.PUBLISHED:
            yield _chase(postmortem, item, runbook)
    if any(item.issue is not None for item in postmortem.document.items):
        due = postmortem.tracking.watched_at + rules.check_every if postmortem.tracking.watched_at else now
        yield owe(
            PostmortemObligationKind.WATCH,
            Key("watch", postmortem.tracking.watches + 1),
            due,
            "Check the action items' issues",
        )


def issue_key(item: ActionItem) -> Key:
    """Return the key of opening an item's issue."""
    return Key("issue", item.id)


def _chase(postmortem: Postmortem, item: ActionItem, runbook: RunbookConfig) -> PostmortemObligation:
    """Return the next reminder of an overdue item: the first at the next opening, then every `chase_every`."""
    count = 0
    while postmortem.ledger.settled(chase_key(item, count)):
        count += 1
    first = runbook.calendar.next_open(day_over(item, runbook))
    due = first + runbook.postmortem.items.chase_every * count
    return owe(
        PostmortemObligationKind.CHASE,
        chase_key(item, count),
        due,
        f"Remind the owner of action item {item.id}",
        item=item.id,
        count=count,
    )


def chase_key(item: ActionItem, count: int) -> Key:
    """Return the key of the `count`th reminder of an item. A new due date restarts them."""
    return Key("chase", item.id, item.due, count)


def item_of(postmortem: Postmortem, obligation: PostmortemObligation) -> ActionItem:
    """Return the obligation's action item.

    Raises:
        ValueError: the document has no such item.
    """
    item = postmortem.document.item(obligation.item)
    if item is None:
        raise ValueError(f"action item {obligation.item} not found")
    return item


def item_marker(postmortem: Postmortem, item: ActionItem) -> str:
    """Return the marker in an item's issue, by which searches and webhooks identify it."""
    return f"<!-- incident-runbook postmortem-{postmortem.number} item-{item.id} {postmortem.incident.first_run_id} -->"


def _ticket(key: str, postmortem: Postmortem, item: ActionItem, runbook: RunbookConfig) -> activity_requests.OpenTicket:
    where = postmortem.repository.proposal_url or postmortem.draft_url
    body = (
        f"Action item {item.id} of the post-mortem of {postmortem.incident.name}: {where}\n\n"
        f"- Owner: {github_line(item.owner)}\n- Due: {item.due}\n"
        f"- Acceptance criterion: {github_line(item.outcome)}\n\n"
        "Close it as completed when it is done. To close it as not planned, give the reason with"
        f" `incident postmortem action {postmortem.number} --wont-do {item.id} --reason ...`."
    )
    contact = contact_of(item.owner, runbook)
    login = contact.github if contact else item.owner[1:] if item.owner.startswith("@") else ""
    return activity_requests.OpenTicket(
        key=key,
        title=one_line(f"{item.title} (INC-{postmortem.number}, due {item.due})", activity_requests.LONGEST_TITLE),
        body=body,
        labels=runbook.postmortem.items.labels,
        marker=item_marker(postmortem, item),
        assignees=(login,) if login else (),
        people=() if login else people_of((item.owner,), runbook),
    )


def _open_issue(postmortem: Postmortem, due: Due) -> ActivityRequest[ResourcesChanged]:
    return _ticket(due.obligation.key, postmortem, item_of(postmortem, due.obligation), due.runbook)


def _close_issue(postmortem: Postmortem, due: Due) -> ActivityRequest[ResourcesChanged]:
    item = item_of(postmortem, due.obligation)
    told = item.reason and (due.runbook.postmortem.items.private_issues or not postmortem.incident.private)
    because = f" ({github_line(item.reason)})" if told else ""
    return activity_requests.CommentTicket(
        key=due.obligation.key,
        ticket=item.issue,
        body=f"{item.state.replace('_', ' ').capitalize()}{because}, set in the post-mortem.",
        close=True,
        not_planned=item.state is ItemState.WONT_DO,
        opening=_ticket(due.obligation.key, postmortem, item, due.runbook).replace(again=True),
    )


def _known(item: ActionItem) -> str:
    """Return the state of an item's issue as `WatchIssues` names it."""
    match item.state:
        case ItemState.DONE:
            return "closed"
        case ItemState.WONT_DO:
            return "not_planned"
        case ItemState.OPEN:
            return "open"
        case ItemState.GONE:
            return "gone" if item.flag.endswith("deleted") else "moved"
        case _:
            assert_never(item.state)


def _watch(postmortem: Postmortem, due: Due) -> ActivityRequest[IssuesChecked]:
    known = {item.issue: _known(item) for item in postmortem.document.items if item.issue is not None}
    every = due.runbook.postmortem.items.check_every.total_seconds()
    return WatchIssues(key=due.obligation.key, issues=known, every_seconds=every)


def _remind_owner(postmortem: Postmortem, due: Due) -> ActivityRequest | ActivityResult:
    return chase(postmortem, item_of(postmortem, due.obligation), due.runbook, first=due.obligation.count == 0)


def _record_issue(postmortem: Postmortem, due: Due, result: ResourcesChanged) -> Postmortem:
    """Record an item's issue; a tracker that is off must not block the document."""
    item = postmortem.document.item(due.obligation.item)
    if item is None:
        return postmortem
    url = result.resources.ticket_url or ""
    item = item.replace(issue=result.resources.ticket, issue_url=url, untracked=result.skipped or "", since=due.at)
    return postmortem.edited(
        postmortem.document.with_item(item), due.at + due.runbook.postmortem.rewrite_after
    ).recorded()


def _count_watch(postmortem: Postmortem, due: Due) -> Postmortem:
    """Schedule the next poll."""
    tracking = postmortem.tracking.replace(watches=postmortem.tracking.watches + 1, watched_at=due.at)
    return postmortem.replace(tracking=tracking)


def _record_changes(postmortem: Postmortem, due: Due, result: IssuesChecked) -> Postmortem:
    """Apply what was polled."""
    return apply_issue_changes(postmortem, result.issues, due.at)


_ITEMS = Owed(items_owed, OPEN)
OPEN_ISSUE = PostmortemSpec(
    PostmortemObligationKind.OPEN_ISSUE, _ITEMS, build_request=_open_issue, apply_result=_record_issue
)
CLOSE_ISSUE = PostmortemSpec(PostmortemObligationKind.CLOSE_ISSUE, _ITEMS, build_request=_close_issue)
CHASE = PostmortemSpec(PostmortemObligationKind.CHASE, _ITEMS, build_request=_remind_owner)
WATCH = PostmortemSpec(
    PostmortemObligationKind.WATCH,
    _ITEMS,
    build_request=_watch,
    poll=_count_watch,
    apply_result=_record_changes,
    housekeeping=True,
)

"""GitHub issues: one ticket for an incident and one comment for an update, found again by their marks."""

from typing import Any

import pytest

from activities.registry import ActivitySet
from incidents.domain.activity_requests import CommentTicket, OpenTicket, RetitleTicket
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed, operations, perform

TICKET = OpenTicket(
    key="run-7/ticket", title="INC-7: typo", body="A typo.", labels=("incident",), marker="<!-- run-7 -->"
)
COMMENT = CommentTicket(key="run-7/update/1/issue_tracker", ticket=None, body="Done.", close=True, opening=TICKET)


def issues(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    return list(sandbox.state()["github"])


def test_what_the_tracker_then_shows(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    outcome = perform(activities.issue_tracker.open_ticket, TICKET)
    update = COMMENT.replace(ticket=outcome.resources.ticket, body="Still at it.", close=False)
    perform(activities.issue_tracker.comment_ticket, update)
    [issue] = issues(sandbox)
    assert (outcome.detail, outcome.resources.ticket) == (f"#{issue['number']}", issue["number"])
    assert outcome.resources.ticket_url == issue["html_url"]
    assert (issue["title"], issue["state"]) == (TICKET.title, "open")
    assert issue["body"] == "A typo.\n\n<!-- run-7 -->"
    assert [label["name"] for label in issue["labels"]] == ["incident"]
    assert [comment["body"].splitlines()[0] for comment in issue["thread"]] == ["Still at it."]


def test_101_the_ticket_gets_a_better_title(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    number = perform(activities.issue_tracker.open_ticket, TICKET).resources.ticket
    assert number is not None
    perform(activities.issue_tracker.retitle_ticket, RetitleTicket(key="k", ticket=number, title="Two typos"))
    [issue] = issues(sandbox)
    assert (issue["title"], issue["state"], issue["body"]) == ("Two typos", "open", "A typo.\n\n<!-- run-7 -->")


@pytest.mark.parametrize("status", [None, 502])
def test_75_a_ticket_and_its_comment_are_made_once(
    activities: ActivitySet, sandbox: RunningSandbox, status: int | None
) -> None:
    sandbox.fault("github", "lost_reply", "/issues", status=status)
    failed(activities.issue_tracker.open_ticket, TICKET)
    ticket = perform(activities.issue_tracker.open_ticket, TICKET, attempt=2).resources.ticket
    comment = COMMENT.replace(ticket=ticket)
    sandbox.fault("github", "lost_reply", "/comments", status=status)
    failed(activities.issue_tracker.comment_ticket, comment)
    perform(activities.issue_tracker.comment_ticket, comment, attempt=2)
    assert operations(sandbox, "github") == ["issue.create", "comment.create", "issue.update"]
    [issue] = issues(sandbox)
    assert (issue["state"], issue["state_reason"], len(issue["thread"])) == ("closed", "completed", 1)


def test_a_lost_closing_closes_and_comments_once(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.fault("github", "lost_reply", "PATCH")
    failed(activities.issue_tracker.comment_ticket, COMMENT)
    perform(activities.issue_tracker.comment_ticket, COMMENT, attempt=2)
    assert operations(sandbox, "github") == ["issue.create", "comment.create", "issue.update"]


def test_39_a_comment_opens_the_ticket_if_it_is_missing(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    first = perform(activities.issue_tracker.comment_ticket, COMMENT)
    again = perform(activities.issue_tracker.comment_ticket, COMMENT, attempt=2)
    assert first.resources.ticket == again.resources.ticket
    later = perform(activities.issue_tracker.comment_ticket, COMMENT.replace(key="run-7/update/2/issue_tracker"))
    assert later.resources.ticket == first.resources.ticket, "the ticket is looked for, also at a first attempt"
    assert operations(sandbox, "github").count("issue.create") == 1
    assert [len(issue["thread"]) for issue in issues(sandbox)] == [2]


def test_the_tickets_of_two_incidents_are_not_mixed_up(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    perform(activities.issue_tracker.open_ticket, TICKET)
    perform(activities.issue_tracker.open_ticket, TICKET.replace(marker="<!-- run-77 -->"), attempt=2)
    assert [issue["number"] for issue in issues(sandbox)] == [2, 1]


def test_74_a_ticket_that_was_deleted_is_told(activities: ActivitySet) -> None:
    gone = failed(activities.issue_tracker.comment_ticket, COMMENT.replace(ticket=4711))
    assert (gone.type, gone.non_retryable) == ("VendorNotFound", True)


def test_what_is_off_says_so(idle: ActivitySet) -> None:
    off = "GitHub not configured (GITHUB_TOKEN and GITHUB_REPOSITORY are not set)"
    assert perform(idle.issue_tracker.open_ticket, TICKET).skipped == off
    assert perform(idle.issue_tracker.comment_ticket, COMMENT).skipped == off

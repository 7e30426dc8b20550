"""The issue tracker: GitHub, or a folder. A marker in the body tells whether an earlier attempt made the issue."""

from collections.abc import Sequence
from typing import Protocol

from temporalio import activity

from activities.errors import repeated, translated
from clients.github import Comment, Issue
from runbook.effects import CommentTicket, OpenTicket, Outcome
from runbook.incident_parts import Resources


class Tracker(Protocol):
    """Where issues are kept."""

    def create_issue(self, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """Make an issue."""

    def find_issue(self, marker: str, label: str) -> Issue | None:
        """Find the issue that carries the marker."""

    def get_issue(self, number: int) -> Issue:
        """Return an issue."""

    def close_issue(self, number: int) -> Issue:
        """Close an issue."""

    def comment(self, number: int, body: str) -> Comment:
        """Comment on an issue."""

    def find_comment(self, number: int, marker: str) -> Comment | None:
        """Find the comment that carries the marker."""


class IssueTracker:
    """Keeps the incident's ticket. Without a client it is off, and says why."""

    def __init__(self, client: Tracker | None, off: str = "") -> None:
        self._client, self._off = client, off

    @activity.defn
    def open_ticket(self, wanted: OpenTicket) -> Outcome:
        """Open the ticket, once."""
        if self._client is None:
            return Outcome(skipped=self._off)
        with translated():
            return _done(self._open(self._client, wanted, look=repeated(wanted)))

    @activity.defn
    def comment_ticket(self, wanted: CommentTicket) -> Outcome:
        """Comment on the ticket, once, opening it if it is missing; close it if that is asked for."""
        if self._client is None:
            return Outcome(skipped=self._off)
        mark = f"<!-- incident-runbook {wanted.key} -->"
        with translated():
            if wanted.ticket is None:
                issue = self._open(self._client, wanted.opening, look=True)
            else:
                issue = self._client.get_issue(wanted.ticket)
            if not (repeated(wanted) and self._client.find_comment(issue.number, mark)):
                self._client.comment(issue.number, f"{wanted.body}\n{mark}")
            if wanted.close and issue.state != "closed":
                issue = self._client.close_issue(issue.number)
        return _done(issue)

    @staticmethod
    def _open(client: Tracker, wanted: OpenTicket, *, look: bool) -> Issue:
        found = client.find_issue(wanted.marker, wanted.labels[0]) if look and wanted.labels else None
        return found or client.create_issue(wanted.title, f"{wanted.body}\n\n{wanted.marker}", wanted.labels)


def _done(issue: Issue) -> Outcome:
    return Outcome(detail=f"#{issue.number}", resources=Resources(ticket=issue.number, ticket_url=issue.url))

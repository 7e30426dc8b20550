"""The issue tracker: GitHub, or a folder. A marker in the body identifies an issue of an earlier attempt."""

from temporalio import activity

from activities import ports
from activities.errors import build_unchanged_error, may_be_repeat, translate_vendor_errors
from incidents.domain.activity_requests import CommentTicket, OpenTicket, RetitleTicket
from incidents.domain.activity_results import IssueFact, IssuesChecked, ResourcesChanged
from incidents.domain.incident.state import Resources
from incidents.domain.people.directory import NOBODY, PeopleDirectory
from incidents.domain.postmortem.activity_requests import WatchIssues
from incidents.vendors.errors import VendorNotFound, VendorRejected
from incidents.vendors.issues.issue import Issue


class IssueTracker:
    """Manages the incident's ticket. Without a client, requests are skipped with the reason.

    `people`: the GitHub logins of those who are named.
    """

    def __init__(self, client: ports.IssueTracker | None, off: str = "", people: PeopleDirectory = NOBODY) -> None:
        self._client, self._off, self._people = client, off, people

    @activity.defn
    def open_ticket(self, request: OpenTicket) -> ResourcesChanged:
        """Open the ticket, once."""
        if self._client is None:
            return ResourcesChanged(skipped=self._off)
        with translate_vendor_errors():
            return _done(self._open(self._client, request, look=may_be_repeat(request)))

    @activity.defn
    def retitle_ticket(self, request: RetitleTicket) -> ResourcesChanged:
        """Give the ticket another title. Repeating it changes nothing."""
        if self._client is None:
            return ResourcesChanged(skipped=self._off)
        with translate_vendor_errors():
            return _done(self._client.retitle_issue(request.ticket, request.title))

    @activity.defn
    def comment_ticket(self, request: CommentTicket) -> ResourcesChanged:
        """Comment on the ticket, once, opening it if missing; close it if requested."""
        if self._client is None:
            return ResourcesChanged(skipped=self._off)
        mark = f"<!-- incident-runbook {request.key} -->"
        with translate_vendor_errors():
            if request.ticket is None:
                issue = self._open(self._client, request.opening, look=True)
            else:
                issue = self._client.get_issue(request.ticket)
            if not (may_be_repeat(request) and self._client.find_comment(issue.number, mark)):
                self._client.comment(issue.number, f"{request.body}\n{mark}")
            if request.close and issue.state != "closed":
                issue = self._client.close_issue(issue.number, "not_planned" if request.not_planned else "completed")
        return _done(issue)

    @activity.defn
    def watch_issues(self, request: WatchIssues) -> IssuesChecked:
        """Wait until an issue differs from its known state. Temporal waits between polls; no thread sleeps."""
        if self._client is None:
            return IssuesChecked(skipped=self._off)
        with translate_vendor_errors():
            seen = [self._standing(self._client, number) for number in request.issues]
        changed = tuple(fact for fact in seen if _word(fact) != request.issues[fact.number])
        if not changed:
            raise build_unchanged_error("no issue has changed", request.every_seconds)
        return IssuesChecked(issues=changed)

    @staticmethod
    def _standing(client: ports.IssueTracker, number: int) -> IssueFact:
        """Return an issue's state; a deleted or moved issue is a state, not a failure (behaviour 74)."""
        try:
            issue = client.get_issue(number)
        except VendorNotFound:
            return IssueFact(number=number, state="gone")
        except VendorRejected as refusal:
            if refusal.code == "gone":
                return IssueFact(number=number, state="gone")
            if refusal.code == "moved":
                return IssueFact(number=number, state="moved")
            raise
        return IssueFact(number=number, state=issue.state, reason=issue.state_reason)

    def _open(self, client: ports.IssueTracker, request: OpenTicket, *, look: bool) -> Issue:
        found = client.find_issue(request.marker, request.labels[0]) if look and request.labels else None
        body = f"{request.body}\n\n{request.marker}"
        assignees = (*request.assignees, *self._people.logins(request.people))
        return found or client.create_issue(request.title, body, request.labels, assignees)


def _word(fact: IssueFact) -> str:
    """Return an issue's state as requests name it."""
    return "not_planned" if (fact.state, fact.reason) == ("closed", "not_planned") else fact.state


def _done(issue: Issue) -> ResourcesChanged:
    return ResourcesChanged(detail=f"#{issue.number}", resources=Resources(ticket=issue.number, ticket_url=issue.url))

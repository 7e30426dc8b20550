"""GitHub: issues, their comments, and workflow runs of one repository (`files`: files and pull requests).

Rules of the vendor (docs.github.com/rest): nothing that creates is idempotent, so the text carries a marker by which an
earlier one is found; listing by label is consistent at once, search is not. Rate limits come as 403 or 429, with
`retry-after`, or with `x-ratelimit-remaining: 0` and a reset time, or else ask for a minute. Going on while limited may
get an integration banned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import httpx

from incidents.cutting import cut
from incidents.vendors.access.access import Access, server_time
from incidents.vendors.errors import VendorRejected
from incidents.vendors.github.files import TITLE_LIMIT, GitHubFiles
from incidents.vendors.http import VendorHttp, reading
from incidents.vendors.issues.issue import Comment, Issue

T = TypeVar("T")
BODY_LIMIT, BODY_TAIL = 65_536, 2_000
PAGE, PAGES = 100, 10
_REMEMBERED = 1000


@dataclass(frozen=True)
class WorkflowRun:
    """A run of a workflow. `head_sha` is of the workflow's branch, not of what the run deploys."""

    id: int
    url: str
    title: str
    event: str
    status: str
    conclusion: str
    head_sha: str
    created_at: datetime


class GitHubClient:
    """One repository, given as "owner/name"."""

    def __init__(
        self,
        token: str,
        repository: str,
        base_url: str = "https://api.github.com",
        timeout: float = 10,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = VendorHttp(
            "github",
            base_url,
            timeout=timeout,
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            secrets=[token],
            transport=transport,
            rate_limited=_rate_limited,
            default_wait=timedelta(minutes=1),
        )
        self._repo = f"/repos/{quote(repository)}"
        self._seen: dict[int, tuple[str, Issue]] = {}
        self.files = GitHubFiles(self._http, repository)

    def check_access(self) -> Access:
        """Read the repository: whether we may push, without which GitHub also drops labels and assignees."""
        answer = self._http.call("get_repository", "GET", self._repo)
        with reading("github", "get_repository"):
            body = answer.json()
            who, rights, issues = str(body["full_name"]), body.get("permissions"), body.get("has_issues", True)
        missing = ("issues (disabled in the repository)",) if not issues else ()
        if rights is None:
            return Access(who, missing, "its permissions", server_time(answer.headers))
        return Access(who, missing if rights.get("push") else ("push", *missing), at=server_time(answer.headers))

    def create_issue(self, title: str, body: str, labels: Sequence[str] = (), assignees: Sequence[str] = ()) -> Issue:
        """A new issue. Repeated, it makes a second one: put a marker into the body and look with `find_issue` first.

        Without push access GitHub drops labels and assignees in silence: compare the answer's.
        """
        issue = {
            "title": cut(title, TITLE_LIMIT),
            "body": _clip(body),
            "labels": list(labels),
            "assignees": list(assignees),
        }
        return self._http.fetch("create_issue", "POST", f"{self._repo}/issues", _issue, json=issue)

    def find_issue(self, marker: str, label: str) -> Issue | None:
        """The newest issue with this label, open or closed, whose body holds the marker, among the newest 1000."""
        params = {"labels": label, "state": "all", "sort": "created", "direction": "desc"}
        issues = self._pages("list_issues", f"{self._repo}/issues", _issues, params)
        return next((issue for issue in issues if marker in issue.body), None)

    def get_issue(self, number: int) -> Issue:
        """The issue. `VendorNotFound` if it was deleted; `VendorRejected` with code "moved" if it was transferred.

        Asked conditionally: an answer "not modified" costs nothing of the rate limit.
        """
        etag, known = self._seen.get(number, ("", None))
        headers = {"If-None-Match": etag} if etag else {}
        try:
            response = self._http.call("get_issue", "GET", self._of(number), headers=headers)
        except VendorRejected as refusal:
            if refusal.status == 304 and known is not None:
                return known
            raise
        with reading("github", "get_issue"):
            issue = _issue(response.json())
        if etag := response.headers.get("etag", ""):
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            self._seen[number] = (etag, issue)
        return issue

    def close_issue(self, number: int, reason: Literal["completed", "not_planned"] = "completed") -> Issue:
        """Close the issue. Idempotent."""
        change = {"state": "closed", "state_reason": reason}
        return self._http.fetch("close_issue", "PATCH", self._of(number), _issue, json=change)

    def edit_issue(self, number: int, body: str) -> Issue:
        """Replace the text; the same again changes nothing."""
        return self._http.fetch("edit_issue", "PATCH", self._of(number), _issue, json={"body": _clip(body)})

    def retitle_issue(self, number: int, title: str) -> Issue:
        """Replace the title; the same again changes nothing."""
        return self._http.fetch(
            "retitle_issue", "PATCH", self._of(number), _issue, json={"title": cut(title, TITLE_LIMIT)}
        )

    def comment(self, number: int, body: str) -> Comment:
        """A new comment. Repeated, it makes a second one: look with `find_comment` first."""
        path = f"{self._of(number)}/comments"
        return self._http.fetch("comment", "POST", path, _comment, json={"body": _clip(body)})

    def find_comment(self, number: int, marker: str) -> Comment | None:
        """The first comment that holds the marker, among the oldest 1000."""
        comments = self._pages("list_comments", f"{self._of(number)}/comments", _comments, {})
        return next((comment for comment in comments if marker in comment.body), None)

    def dispatch_workflow(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow (file name or id) on a branch or tag. Repeated, it starts it again.

        GitHub does not say which run that is: look for it with `list_workflow_runs`.
        """
        path = f"{self._workflow(workflow)}/dispatches"
        self._http.call("dispatch_workflow", "POST", path, json={"ref": ref, "inputs": dict(inputs)})

    def list_workflow_runs(
        self, workflow: str, created_after: datetime, event: str = "workflow_dispatch"
    ) -> tuple[WorkflowRun, ...]:
        """The workflow's runs by this event since then (to the second), newest first, at most 1000."""
        since = created_after.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        params = {"created": f">={since}", "event": event}
        return tuple(self._pages("list_workflow_runs", f"{self._workflow(workflow)}/runs", _runs, params))

    def get_run(self, run_id: int) -> WorkflowRun:
        """The run: `status` is "completed" at its end, and `conclusion` then says how it went."""
        return self._http.fetch("get_run", "GET", f"{self._repo}/actions/runs/{run_id}", _run)

    def _of(self, number: int) -> str:
        return f"{self._repo}/issues/{number}"

    def _workflow(self, workflow: str) -> str:
        return f"{self._repo}/actions/workflows/{quote(workflow, safe='')}"

    def _pages(
        self, operation: str, path: str, parse: Callable[[Any], tuple[int, list[T]]], params: Mapping[str, str]
    ) -> Iterator[T]:
        for page in range(1, PAGES + 1):
            query = {**params, "per_page": PAGE, "page": page}
            rows, items = self._http.fetch(operation, "GET", path, parse, params=query)
            yield from items
            if rows < PAGE:
                return


def _rate_limited(response: httpx.Response) -> bool:
    if response.status_code == 429:
        return True
    if response.status_code != 403:
        return False
    if "retry-after" in response.headers or response.headers.get("x-ratelimit-remaining") == "0":
        return True
    try:
        # Of a secondary limit without these headers only the link to its documentation tells.
        return "rate-limit" in str(response.json()["documentation_url"])
    except (ValueError, KeyError, TypeError):
        return False


def _clip(body: str) -> str:
    """Keep both ends of a text that is too long, for the marker may be at either."""
    if len(body) <= BODY_LIMIT:
        return body
    mark = "\n\n… (shortened)\n\n"
    return body[: BODY_LIMIT - BODY_TAIL - len(mark)] + mark + body[-BODY_TAIL:]


def _issues(rows: list[dict[str, Any]]) -> tuple[int, list[Issue]]:
    # Pull requests are listed among the issues.
    return len(rows), [_issue(row) for row in rows if "pull_request" not in row]


def _comments(rows: list[dict[str, Any]]) -> tuple[int, list[Comment]]:
    return len(rows), [_comment(row) for row in rows]


def _runs(page: dict[str, Any]) -> tuple[int, list[WorkflowRun]]:
    rows = page["workflow_runs"]
    return len(rows), [_run(row) for row in rows]


def _issue(row: dict[str, Any]) -> Issue:
    # A label is an object, or in old answers its name.
    labels = (label["name"] if isinstance(label, dict) else label for label in row.get("labels") or ())
    return Issue(
        number=int(row["number"]),
        url=str(row["html_url"]),
        title=str(row["title"]),
        body=str(row.get("body") or ""),
        state=str(row["state"]),
        state_reason=str(row.get("state_reason") or ""),
        labels=tuple(str(label) for label in labels),
        assignees=tuple(str(user["login"]) for user in row.get("assignees") or ()),
        closed_at=datetime.fromisoformat(row["closed_at"]) if row.get("closed_at") else None,
    )


def _comment(row: dict[str, Any]) -> Comment:
    return Comment(int(row["id"]), str(row["html_url"]), str(row.get("body") or ""))


def _run(row: dict[str, Any]) -> WorkflowRun:
    return WorkflowRun(
        id=int(row["id"]),
        url=str(row["html_url"]),
        title=str(row.get("display_title") or row.get("name") or ""),
        event=str(row.get("event") or ""),
        status=str(row.get("status") or ""),
        conclusion=str(row.get("conclusion") or ""),
        head_sha=str(row.get("head_sha") or ""),
        created_at=datetime.fromisoformat(row["created_at"]),
    )

"""`/github`: issues, comments and labels of one repository. Actions: sandbox.vendors.github.actions."""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import Handler, RefusalError, bearer, bounded, json_object, missing, route
from sandbox.state import Credentials, Ledger, Options, now, pick

TITLE_LIMIT, BODY_LIMIT = 256, 65_536
BOT = {"login": "featuresignals-bot", "id": 1, "type": "Bot"}
STATE_REASONS = ("completed", "not_planned", "duplicate", "reopened", None)
BAD_JSON = RefusalError(400, {"message": "Problems parsing JSON", "status": "400"})
NOT_FOUND = RefusalError(
    404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}
)


class RepositoryAccess:
    """GitHub's doorman: User-Agent, token, repository, in that order."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self.prefix = f"/github/repos/{credentials.github_repository}"

    def guarded(self, handler: Handler) -> Handler:
        """The handler behind the door. The User-Agent is mandatory: 403 without."""

        async def checked(request: Request) -> Response:
            if not request.headers.get("user-agent"):
                raise RefusalError(
                    403,
                    "Request forbidden by administrative rules. Please make sure your request has a User-Agent header "
                    "(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required).",
                )
            token = bearer(request) or bearer(request, "token")
            if token != self.credentials.github_token:
                message = "Bad credentials" if token else "Requires authentication"
                raise RefusalError(
                    401, {"message": message, "documentation_url": "https://docs.github.com/rest", "status": "401"}
                )
            return await handler(request)

        return checked


class GitHub:
    """Issues. Creating or commenting twice makes two; labels and PATCH repeat without harm."""

    def __init__(self, credentials: Credentials, ledger: Ledger, options: Options) -> None:
        self.access, self.ledger, self.options = RepositoryAccess(credentials), ledger, options
        self.issues: list[dict[str, Any]] = []
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.labels = {"bug": _label("bug"), "incident": _label("incident")}
        self._comment_ids = itertools.count(9001)

    def routes(self) -> list[BaseRoute]:
        """Issues, comments, labels; anything else of /github is a 404."""
        issue, guarded = self.access.prefix + "/issues", self.access.guarded
        return [
            route(self.access.prefix, guarded(self.repository)),
            route(issue, guarded(self.list_issues)),
            route(issue, guarded(self.create), "POST"),
            route(issue + "/{number:int}", guarded(self.get)),
            route(issue + "/{number:int}", guarded(self.patch), "PATCH"),
            route(issue + "/{number:int}/comments", guarded(self.list_comments)),
            route(issue + "/{number:int}/comments", guarded(self.comment), "POST"),
            route(issue + "/{number:int}/labels", guarded(self.issue_labels)),
            route(issue + "/{number:int}/labels", guarded(self.add_labels), "POST"),
            route(self.access.prefix + "/labels", guarded(self.list_labels)),
            route(self.access.prefix + "/labels", guarded(self.create_label), "POST"),
            missing("/github", NOT_FOUND),
        ]

    async def repository(self, request: Request) -> Response:
        """GET the repository, with what the token's owner may do in it."""
        permissions = {"admin": False, "push": self.options.github_push, "pull": True}
        name = self.access.credentials.github_repository
        return JSONResponse({"full_name": name, "has_issues": True, "permissions": permissions})

    async def list_issues(self, request: Request) -> Response:
        """GET issues: open ones unless state says otherwise, all of `labels`, newest first, paged with Link."""
        query = request.query_params
        state, wanted = query.get("state", "open"), [name for name in query.get("labels", "").split(",") if name]
        rows = [row for row in self.issues if state in ("all", row["state"])]
        rows = [row for row in rows if set(wanted) <= {label["name"] for label in row["labels"]}]
        if query.get("direction") != "asc":
            rows.reverse()
        return paged(request, rows)

    async def create(self, request: Request) -> Response:
        """POST issues: the title is required; 201 with number and html_url."""
        body = await json_object(request, BAD_JSON)
        _check_text(body)
        issue = self.new_issue(body, request)
        self.ledger.record(
            "github", "issue.create", pick(body, "title", "body", "labels", "assignees") | {"number": issue["number"]}
        )
        return JSONResponse(issue, 201)

    def new_issue(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        """A new row among the issues, which pull requests are too."""
        if not body.get("title"):
            raise RefusalError(422, {"message": 'Invalid request.\n\n"title" wasn\'t supplied.', "status": "422"})
        number = len(self.issues) + 1
        issue: dict[str, Any] = {
            "id": 100_000 + number,
            "number": number,
            "title": body["title"],
            "body": body.get("body"),
            "state": "open",
            "state_reason": None,
            "user": BOT,
            "comments": 0,
            "closed_at": None,
            "labels": self._labels(body.get("labels")),
            "assignees": _assignees(body),
            "created_at": _stamp(),
            "url": f"{request.url.scheme}://{request.url.netloc}{self.access.prefix}/issues/{number}",
            "html_url": f"https://github.com/{self.access.credentials.github_repository}/issues/{number}",
        }
        issue["updated_at"] = issue["created_at"]
        self.issues.append(issue)
        return issue

    async def get(self, request: Request) -> Response:
        """GET one issue: 304 if it is as its ETag says, 410 if it was deleted, 301 if it was transferred."""
        issue = self._issue(request)
        if issue.get("lost") == "deleted":
            raise RefusalError(410, {"message": "This issue was deleted", "status": "410"})
        if issue.get("lost") == "moved":
            raise RefusalError(
                301, {"message": "Moved Permanently"}, {"Location": "https://api.github.com/repositories/1"}
            )
        etag = f'"{hashlib.sha256(json.dumps(issue).encode()).hexdigest()}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        return JSONResponse(issue, headers={"ETag": etag})

    def happen(self, number: int, changes: dict[str, Any]) -> dict[str, Any]:
        """A person changes an issue: its state, or `lost` (deleted, moved)."""
        issue = self.issues[number - 1]
        issue.update(changes | {"updated_at": _stamp()})
        return issue

    async def patch(self, request: Request) -> Response:
        """PATCH an issue: title, body, state, state_reason, labels, assignees."""
        issue, body = self._issue(request), await json_object(request, BAD_JSON)
        _check_text(body)
        if body.get("state", "open") not in ("open", "closed") or body.get("state_reason") not in STATE_REASONS:
            raise _invalid("Issue", "state")
        issue.update({key: body[key] for key in ("title", "body", "state") if key in body})
        if "state" in body:
            closed = body["state"] == "closed"
            issue["state_reason"] = body.get("state_reason") or ("completed" if closed else "reopened")
            issue["closed_at"] = _stamp() if closed else None
        if "labels" in body:
            issue["labels"] = self._labels(body["labels"])
        if "assignees" in body:
            issue["assignees"] = _assignees(body)
        issue["updated_at"] = _stamp()
        self.ledger.record("github", "issue.update", body | {"number": issue["number"]})
        return JSONResponse(issue)

    async def list_comments(self, request: Request) -> Response:
        """GET comments, oldest first."""
        return paged(request, self.comments.get(self._issue(request)["number"], []))

    async def comment(self, request: Request) -> Response:
        """POST a comment: 201; the same twice is two."""
        issue, body = self._issue(request), await json_object(request, BAD_JSON)
        _check_text(body)
        if not body.get("body"):
            raise _invalid("IssueComment", "body", "missing_field")
        number, comment_id = issue["number"], next(self._comment_ids)
        row = {"id": comment_id, "body": body["body"], "user": BOT, "created_at": _stamp(), "updated_at": _stamp()}
        row["html_url"] = f"{issue['html_url']}#issuecomment-{comment_id}"
        self.comments.setdefault(number, []).append(row)
        issue["comments"] += 1
        self.ledger.record("github", "comment.create", {"number": number, "body": body["body"]})
        return JSONResponse(row, 201)

    async def issue_labels(self, request: Request) -> Response:
        """GET the labels of an issue."""
        return JSONResponse(self._issue(request)["labels"])

    async def add_labels(self, request: Request) -> Response:
        """POST labels to an issue: idempotent by name; 200 with all labels of the issue."""
        issue, body = self._issue(request), await json_object(request, BAD_JSON)
        if not isinstance(body.get("labels"), list):
            raise _invalid("Label", "labels", "missing_field")
        present = {label["name"] for label in issue["labels"]}
        issue["labels"] += [label for label in self._labels(body["labels"]) if label["name"] not in present]
        self.ledger.record("github", "labels.add", {"number": issue["number"], "labels": body["labels"]})
        return JSONResponse(issue["labels"])

    async def list_labels(self, request: Request) -> Response:
        """GET the labels of the repository."""
        return paged(request, list(self.labels.values()))

    async def create_label(self, request: Request) -> Response:
        """POST a label: 201, or 422 already_exists."""
        body = await json_object(request, BAD_JSON)
        name = str(body.get("name") or "")
        if not name:
            raise _invalid("Label", "name", "missing_field")
        if name in self.labels:
            raise _invalid("Label", "name", "already_exists")
        self.labels[name] = _label(name) | pick(body, "color", "description")
        self.ledger.record("github", "label.create", {"name": name})
        return JSONResponse(self.labels[name], 201)

    def _labels(self, names: Any) -> list[dict[str, Any]]:
        wanted = [str(name["name"] if isinstance(name, dict) else name) for name in names or []]
        return [self.labels.setdefault(name, _label(name)) for name in dict.fromkeys(wanted)]

    def _issue(self, request: Request) -> dict[str, Any]:
        number = request.path_params["number"]
        if not 1 <= number <= len(self.issues):
            raise NOT_FOUND
        issue: dict[str, Any] = self.issues[number - 1]
        return issue

    def snapshot(self) -> list[dict[str, Any]]:
        """The issues with their comments, newest first."""
        return [issue | {"thread": self.comments.get(issue["number"], [])} for issue in reversed(self.issues)]


def paged(request: Request, rows: list[dict[str, Any]], key: str | None = None) -> Response:
    """One page of rows with its Link header; under `key` with total_count when GitHub wraps that list."""
    size, number = (
        bounded(request.query_params.get("per_page"), 30, 100),
        bounded(request.query_params.get("page"), 1, 10_000),
    )
    last = max(1, -(-len(rows) // size))
    links = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    shown = {name: page for name, page in links.items() if _is_linked(name, page, number, last)}
    header = ", ".join(f'<{request.url.include_query_params(page=page)}>; rel="{name}"' for name, page in shown.items())
    chosen = rows[(number - 1) * size : number * size]
    body: Any = {"total_count": len(rows), key: chosen} if key else chosen
    return JSONResponse(body, headers={"Link": header} if header else {})


def _is_linked(name: str, page: int, number: int, last: int) -> bool:
    return 1 <= page <= last and number < last if name in ("next", "last") else 1 <= page < number


def _check_text(body: dict[str, Any]) -> None:
    if len(str(body.get("title") or "")) > TITLE_LIMIT:
        raise _invalid("Issue", "title", "custom")
    if len(str(body.get("body") or "")) > BODY_LIMIT:
        raise _invalid("Issue", "body", "custom")


def _assignees(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"login": name, "type": "User"} for name in body.get("assignees") or []]


def _label(name: str) -> dict[str, Any]:
    return {"name": name, "color": "ededed", "description": None}


def _invalid(resource: str, field: str, code: str = "invalid") -> RefusalError:
    errors = [{"resource": resource, "field": field, "code": code}]
    return RefusalError(422, {"message": "Validation Failed", "errors": errors, "status": "422"})


def _stamp() -> str:
    return now().strftime("%Y-%m-%dT%H:%M:%SZ")

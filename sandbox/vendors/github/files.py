"""`/github`: branches, files and pull requests of one repository (docs.github.com/rest). There is one branch `main`."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import RefusalError, json_object, route
from sandbox.vendors.github.repository import BAD_JSON, BOT, NOT_FOUND, GitHub

TIP = "5a4d0b0c" * 5


class GitHubFiles:
    """Files by branch. A file is replaced only by naming its blob: 409 otherwise, as GitHub does."""

    def __init__(self, github: GitHub) -> None:
        self.github, self.ledger = github, github.ledger
        self.branches: dict[str, dict[str, bytes]] = {"main": {}}
        self.pulls: list[dict[str, Any]] = []

    def routes(self) -> list[BaseRoute]:
        """Contents, refs and pulls."""
        prefix, guarded = self.github.access.prefix, self.github.access.guarded
        return [
            route(prefix + "/contents/{path:path}", guarded(self.get)),
            route(prefix + "/contents/{path:path}", guarded(self.put), "PUT"),
            route(prefix + "/git/ref/heads/{branch:path}", guarded(self.branch)),
            route(prefix + "/git/refs", guarded(self.make_branch), "POST"),
            route(prefix + "/pulls", guarded(self.list_pulls)),
            route(prefix + "/pulls", guarded(self.open_pull), "POST"),
        ]

    async def get(self, request: Request) -> Response:
        """GET a file of a branch, in Base64 with line breaks."""
        files = self._files(request.query_params.get("ref", "main"))
        path = request.path_params["path"]
        if path not in files:
            raise NOT_FOUND
        data = files[path]
        content = base64.encodebytes(data).decode()
        return JSONResponse(
            {"type": "file", "path": path, "encoding": "base64", "content": content, "sha": _blob(data)}
        )

    async def put(self, request: Request) -> Response:
        """PUT a file: 201 when new, 200 when it replaces the blob that it names, 409 when that is another."""
        body, path = await json_object(request, BAD_JSON), request.path_params["path"]
        files = self._files(str(body.get("branch", "main")))
        old = files.get(path)
        if old is not None and body.get("sha") != _blob(old):
            message = f"{path} does not match {body.get('sha')}" if body.get("sha") else '"sha" wasn\'t supplied.'
            raise RefusalError(409 if body.get("sha") else 422, {"message": message})
        files[path] = base64.b64decode(str(body.get("content", "")))
        self.ledger.record(
            "github", "file.put", {"path": path, "branch": body.get("branch"), "message": body["message"]}
        )
        return JSONResponse({"content": {"path": path, "sha": _blob(files[path])}}, 200 if old is not None else 201)

    async def branch(self, request: Request) -> Response:
        """GET a branch's tip."""
        name = request.path_params["branch"]
        self._files(name)
        return JSONResponse({"ref": f"refs/heads/{name}", "object": {"sha": TIP, "type": "commit"}})

    async def make_branch(self, request: Request) -> Response:
        """POST a branch: 422 if it is there."""
        body = await json_object(request, BAD_JSON)
        name = str(body.get("ref", "")).removeprefix("refs/heads/")
        if name in self.branches:
            raise RefusalError(422, {"message": "Reference already exists", "status": "422"})
        self.branches[name] = dict(self.branches["main"])
        self.ledger.record("github", "branch.create", {"name": name})
        return JSONResponse({"ref": f"refs/heads/{name}", "object": {"sha": TIP}}, 201)

    async def list_pulls(self, request: Request) -> Response:
        """GET pulls of one head, newest first."""
        head = request.query_params.get("head", "").partition(":")[2]
        return JSONResponse([pull for pull in reversed(self.pulls) if not head or pull["head"]["ref"] == head])

    async def open_pull(self, request: Request) -> Response:
        """POST a pull request: 422 for a second one of that branch. It takes a number among the issues."""
        body = await json_object(request, BAD_JSON)
        head = str(body.get("head", ""))
        self._files(head)
        if any(pull["head"]["ref"] == head and pull["state"] == "open" for pull in self.pulls):
            raise RefusalError(
                422, {"message": "Validation Failed", "errors": [{"message": "A pull request already exists"}]}
            )
        issue = self.github.new_issue(body, request)
        url = issue["html_url"].replace("/issues/", "/pull/")
        issue["pull_request"] = {"html_url": url}
        issue["html_url"] = url
        pull = {"number": issue["number"], "html_url": url, "state": "open", "title": issue["title"], "user": BOT}
        pull |= {"head": {"ref": head}, "base": {"ref": body.get("base", "main")}, "body": body.get("body")}
        self.pulls.append(pull)
        self.ledger.record("github", "pull.create", {"number": issue["number"], "title": issue["title"], "head": head})
        return JSONResponse(pull, 201)

    def _files(self, branch: str) -> dict[str, bytes]:
        if branch not in self.branches:
            raise NOT_FOUND
        return self.branches[branch]

    def snapshot(self) -> dict[str, Any]:
        """The pull requests, newest first, and the text files of each branch."""
        texts = {
            branch: {path: data.decode("utf-8", "replace") for path, data in files.items()}
            for branch, files in self.branches.items()
        }
        return {"pulls": list(reversed(self.pulls)), "branches": texts}


def _blob(data: bytes) -> str:
    """The id that git gives to a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

"""GitHub Actions as a rollback sees it: workflow dispatches and their runs. cd.yml really changes what runs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from sandbox.http import RefusalError, json_object, route
from sandbox.state import Credentials, Ledger, Options, now
from sandbox.vendors.github.repository import BAD_JSON, BOT, NOT_FOUND, RepositoryAccess, paged
from sandbox.vendors.product import Fleet

INPUT_LIMIT = 25
QUEUED_SHARE = 0.2
# The workflows of the FeatureSignals repository: their inputs, the required ones first (docs/vendor-notes.md#product).
WORKFLOWS: dict[str, tuple[str, int, tuple[str, ...], tuple[str, ...]]] = {
    "cd.yml": ("CD - Deploy to K3s", 501, ("version",), ("services",)),
    "ci.yml": ("CI - Build Images", 502, ("sha",), ("services",)),
}


@dataclass
class Run:
    """A workflow run; its status follows from the time that has passed since the dispatch."""

    id: int
    file: str
    inputs: dict[str, Any]
    ref: str
    created: datetime
    seconds: float
    conclusion: str
    title: str = ""

    def row(self, prefix: str, repository: str) -> dict[str, Any]:
        """The API's object. head_sha is of the workflow's ref, not of the version that was deployed."""
        passed = (now() - self.created).total_seconds()
        status = "queued" if passed < self.seconds * QUEUED_SHARE else "in_progress"
        status = "completed" if passed >= self.seconds else status
        name, workflow_id = WORKFLOWS[self.file][:2]
        updated = self.created + timedelta(seconds=min(passed, self.seconds))
        return {
            "id": self.id,
            "name": name,
            "workflow_id": workflow_id,
            "path": f".github/workflows/{self.file}",
            "event": "workflow_dispatch",
            "head_branch": self.ref,
            "head_sha": "5a4d0b0c" * 5,
            "run_attempt": 1,
            "status": status,
            "conclusion": self.conclusion if status == "completed" else None,
            "actor": BOT,
            "created_at": _stamp(self.created),
            "run_started_at": _stamp(self.created),
            "updated_at": _stamp(updated),
            "run_number": self.id - 7_000_000,
            "display_title": self.title or name,
            "url": f"{prefix}/actions/runs/{self.id}",
            "html_url": f"https://github.com/{repository}/actions/runs/{self.id}",
        }


class GitHubActions:
    """Dispatches answer 204 and name no run; callers list the runs. The same dispatch twice is two runs."""

    def __init__(self, credentials: Credentials, options: Options, ledger: Ledger, fleet: Fleet) -> None:
        self.access, self.options, self.ledger, self.fleet = RepositoryAccess(credentials), options, ledger, fleet
        self.repository = credentials.github_repository
        self.runs: list[Run] = []
        self._ids = itertools.count(7_000_001)

    def routes(self) -> list[BaseRoute]:
        """Dispatch, list, get."""
        prefix, guarded = self.access.prefix + "/actions", self.access.guarded
        return [
            route(prefix + "/workflows/{workflow}/dispatches", guarded(self.dispatch), "POST"),
            route(prefix + "/workflows/{workflow}/runs", guarded(self.list_runs)),
            route(prefix + "/runs", guarded(self.list_runs)),
            route(prefix + "/runs/{id:int}", guarded(self.get_run)),
        ]

    async def dispatch(self, request: Request) -> Response:
        """POST dispatches: 204 without a body, or 200 with the run when return_run_details is set."""
        file, body = self._file(request), await json_object(request, BAD_JSON)
        inputs = body.get("inputs") or {}
        self._check(file, body, inputs)
        title = self.options.run_name.format(version=inputs.get("version", ""))
        run = Run(next(self._ids), file, inputs, str(body["ref"]), now(), *self._outcome(), title)
        self.runs.append(run)
        if file == "cd.yml" and run.conclusion == "success":
            self._deploy(str(inputs["version"]), run.seconds)
        self.ledger.record(
            "github", "workflow.dispatch", {"workflow": file, "ref": run.ref, "inputs": inputs, "run": run.id}
        )
        if not body.get("return_run_details"):
            return Response(status_code=204)
        row = self._row(run, request)
        return JSONResponse({"workflow_run_id": run.id, "run_url": row["url"], "html_url": row["html_url"]})

    async def list_runs(self, request: Request) -> Response:
        """GET runs newest first, of one workflow or all; ?status= also takes a conclusion."""
        file = self._file(request) if "workflow" in request.path_params else None
        rows = [self._row(run, request) for run in reversed(self.runs) if file in (None, run.file)]
        status = request.query_params.get("status")
        return paged(
            request, [row for row in rows if status in (None, row["status"], row["conclusion"])], "workflow_runs"
        )

    async def get_run(self, request: Request) -> Response:
        """GET one run."""
        for run in self.runs:
            if run.id == request.path_params["id"]:
                return JSONResponse(self._row(run, request))
        raise NOT_FOUND

    def _deploy(self, version: str, seconds: float) -> None:
        # cd.yml knows no region, so here it reaches each; the Ops Portal learns nothing of it, as in reality.
        for region in self.fleet.regions:
            self.fleet.roll_out(region, version, seconds)

    def _outcome(self) -> tuple[float, str]:
        return self.options.workflow_seconds, self.options.workflow_conclusion

    def _row(self, run: Run, request: Request) -> dict[str, Any]:
        return run.row(f"{request.url.scheme}://{request.url.netloc}{self.access.prefix}", self.repository)

    @staticmethod
    def _file(request: Request) -> str:
        wanted = request.path_params["workflow"]
        for file, (_, number, *_inputs) in WORKFLOWS.items():
            if wanted in (file, str(number)):
                return file
        raise NOT_FOUND

    @staticmethod
    def _check(file: str, body: dict[str, Any], inputs: dict[str, Any]) -> None:
        _, _, required, optional = WORKFLOWS[file]
        if not body.get("ref"):
            raise _unprocessable('Invalid request.\n\n"ref" wasn\'t supplied.')
        if len(inputs) > INPUT_LIMIT:
            raise _unprocessable("You can only define up to 25 inputs")
        if unexpected := sorted(set(inputs) - {*required, *optional}):
            raise _unprocessable(f"Unexpected inputs provided: {unexpected}")
        for name in required:
            if not inputs.get(name):
                raise _unprocessable(f"Required input '{name}' not provided")

    def snapshot(self) -> list[dict[str, Any]]:
        """The runs, newest first, with what they were asked to do."""
        rows = [(run, run.row("", self.repository)) for run in reversed(self.runs)]
        return [row | {"inputs": run.inputs, "file": run.file} for run, row in rows]


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _unprocessable(message: str) -> RefusalError:
    return RefusalError(422, {"message": message, "documentation_url": "https://docs.github.com/rest", "status": "422"})

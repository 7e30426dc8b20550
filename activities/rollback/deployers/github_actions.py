"""GitHub Actions deployer: dispatch the configured workflow and follow its run.

GitHub reports neither which run a dispatch created nor a run's inputs. The run is therefore the first one above
the mark whose title names the version; the workflow sets its title by `run-name:` (docs/rollback.md).
"""

import re
import time
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.rollback.deployers import Ordered, Standing
from incidents.domain.core.errors import ErrorType
from incidents.domain.rollback.activity_requests import Redeploy
from incidents.domain.rollback.config import GitHubActions, Rollback
from incidents.domain.rollback.known_good import UNFINISHED, Deployment
from incidents.vendors.github.client import GitHubClient, WorkflowRun

_HISTORY = timedelta(days=90)
_APPEARS_WITHIN = 6.0
_LOOK_EVERY = 0.5
_DISPATCHED = "dispatched"


class GitHubActionsDeployer:
    """Deploys by a workflow of one repository. It has no clusters: a deployment reaches all of them."""

    name = "GitHub Actions"

    def __init__(self, client: GitHubClient) -> None:
        self._client = client

    def history(self, cluster: str, rules: Rollback) -> tuple[Deployment, ...] | None:
        """Read the runs of the last 90 days whose title names a version."""
        return tuple(
            Deployment(
                id=str(run.id),
                cluster=cluster,
                version=version,
                status=_status(run),
                started_at=run.created_at,
            )
            for run in self._runs(rules.github)
            if (version := _version(run, rules.github))
        )

    def deploy(self, request: Redeploy, *, repeated: bool) -> Ordered | None:
        """Dispatch the workflow, once, and find its run."""
        rules = request.rules.github
        accepted = _DISPATCHED in activity.info().heartbeat_details
        run = self._find(request, rules) if repeated else None
        if run is None and not accepted:
            inputs = {
                "version": request.version,
                **({"services": ",".join(request.services)} if request.services else {}),
            }
            self._client.dispatch_workflow(rules.workflow, rules.ref, inputs | rules.extra)
            activity.heartbeat(_DISPATCHED)
            run = self._find(request, rules)
        if run is None:
            # Not a second dispatch: the next attempt knows by the heartbeat that this one was accepted.
            text = "GitHub accepted the dispatch but does not list its run yet"
            raise ApplicationError(text, type=ErrorType.RUN_NOT_SEEN)
        return Ordered(str(run.id), f"run {run.url}")

    def standing(self, reference: str) -> Standing:
        """Return the run's status. Its conclusion is GitHub's; verification follows separately."""
        run = self._client.get_run(int(reference))
        if run.status != "completed":
            return Standing(done=False)
        if run.conclusion != "success":
            return Standing(done=True, failed=f"run {run.url} concluded with {run.conclusion}")
        return Standing(done=True, summary=f"run {run.url} succeeded")

    def _find(self, request: Redeploy, rules: GitHubActions) -> WorkflowRun | None:
        """Return the first run above the mark that names the version, or names none; it may take a moment to appear."""
        mark, deadline = int(request.mark or 0), time.monotonic() + _APPEARS_WITHIN
        while True:
            above = [run for run in self._runs(rules) if run.id > mark]
            ours = [run for run in above if _version(run, rules) in ("", request.version)]
            if ours:
                return min(ours, key=lambda run: run.id)
            if time.monotonic() > deadline:
                return None
            time.sleep(_LOOK_EVERY)

    def _runs(self, rules: GitHubActions) -> tuple[WorkflowRun, ...]:
        return self._client.list_workflow_runs(rules.workflow, datetime.now(UTC) - _HISTORY)


def _version(run: WorkflowRun, rules: GitHubActions) -> str:
    found = re.search(rules.title, run.title)
    return found["version"] if found else ""


def _status(run: WorkflowRun) -> str:
    """Return the outcome; `UNFINISHED` is none, so that such a run is no candidate."""
    if run.status != "completed":
        return UNFINISHED
    return "success" if run.conclusion == "success" else "failed"

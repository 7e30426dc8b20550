"""GitHub Actions as a deployer: dispatched once, its run found and followed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.registry import ActivitySet
from incidents.domain.rollback.activity_requests import FindRollback, FollowDeployment, Redeploy
from incidents.domain.rollback.config import Deployer, Rollback
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed, perform

RULES = Rollback(deployer=Deployer.GITHUB_ACTIONS, bake_time=timedelta(), probe_interval=timedelta(milliseconds=50))
DISPATCH = "/dispatches"


@pytest.fixture(autouse=True)
def _titled(sandbox: RunningSandbox) -> None:
    """The workflow says in its title what it deploys, as docs/rollback.md asks for."""
    sandbox.options(run_name="Deploy {version}", workflow_seconds=0.3)


def wanted(version: str = "v2.14.0", mark: str = "") -> Redeploy:
    return Redeploy(
        key="k", cluster="eu-001", version=version, services=("server",), suspect_id="", mark=mark, rules=RULES
    )


def runs(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    return [row for row in sandbox.ledger("github") if "dispatch" in row["operation"]]


def deployed(activities: ActivitySet, version: str, mark: str = "") -> str:
    return str(perform(activities.deployments.redeploy, wanted(version, mark)).reference)


def test_the_workflow_is_dispatched_with_version_and_services_and_its_run_found(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    other = deployed(activities, "v9-bad")
    reference = deployed(activities, "v2.14.0", mark=other)
    assert int(reference) == int(other) + 1
    assert runs(sandbox)[-1]["payload"]["inputs"] == {"version": "v2.14.0", "services": "server"}


def test_it_is_followed_to_its_conclusion(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    reference = deployed(activities, "v2.14.0")
    follow = FollowDeployment(key="k", reference=reference, version="v2.14.0", rules=RULES)
    assert perform(activities.deployments.follow_deployment, follow).detail.endswith("succeeded")


def test_a_run_that_fails_is_an_error_that_retrying_does_not_mend(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    sandbox.options(workflow_conclusion="failure")
    follow = FollowDeployment(key="k", reference=deployed(activities, "v1"), version="v1", rules=RULES)
    error = failed(activities.deployments.follow_deployment, follow)
    assert (error.type, error.non_retryable) == ("DeploymentFailed", True)
    assert "concluded with failure" in error.message


def test_the_history_is_read_from_the_titles(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    first = deployed(activities, "v1.0.0")
    deployed(activities, "v2.0.0", mark=first)
    follow = FollowDeployment(key="k", reference=first, version="v1.0.0", rules=RULES)
    perform(activities.deployments.follow_deployment, follow)
    asked = FindRollback(
        key="k",
        workflow_id="x",
        service="s",
        clusters=("eu-001",),
        alerted_at=datetime.now(UTC) + timedelta(seconds=2),
        rules=RULES,
    )
    [offer] = perform(activities.deployments.find_rollback, asked).offers
    assert offer.suspect is not None
    assert offer.candidate is not None
    assert (offer.suspect.version, offer.candidate.version) == ("v2.0.0", "v1.0.0")


def test_49_a_run_that_has_not_finished_is_no_candidate(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.options(workflow_seconds=60)
    first = deployed(activities, "v1.0.0")
    deployed(activities, "v2.0.0", mark=first)
    asked = FindRollback(
        key="k",
        workflow_id="x",
        service="s",
        clusters=("eu-001",),
        alerted_at=datetime.now(UTC) + timedelta(seconds=2),
        rules=RULES,
    )
    [offer] = perform(activities.deployments.find_rollback, asked).offers
    assert offer.candidate is None
    assert [(seen.deployment.version, seen.reason) for seen in offer.considered] == [("v1.0.0", "status unfinished")]


@pytest.mark.parametrize("kind", ["lost_reply", "reset"])
def test_53_a_dispatch_whose_reply_is_lost_is_made_once(
    activities: ActivitySet, sandbox: RunningSandbox, kind: str
) -> None:
    mark = deployed(activities, "v9-bad")
    sandbox.fault("github", kind, DISPATCH)
    error = failed(activities.deployments.redeploy, wanted(mark=mark))
    assert not error.non_retryable
    found = perform(activities.deployments.redeploy, wanted(mark=mark), attempt=2)
    assert [row["payload"]["inputs"]["version"] for row in runs(sandbox)] == ["v9-bad", "v2.14.0"]
    assert int(found.reference) > int(mark)


def test_53_an_accepted_dispatch_is_never_repeated(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    """GitHub took it and does not list its run yet: the next attempt only looks."""
    mark = deployed(activities, "v9-bad")
    before = len(runs(sandbox))
    with pytest.raises(ApplicationError, match="does not list its run yet"):
        perform(activities.deployments.redeploy, wanted(mark=mark), attempt=2, heartbeat_details=["dispatched"])
    assert len(runs(sandbox)) == before

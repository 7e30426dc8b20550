from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.server import RunningSandbox

DISPATCH = "/actions/workflows/cd.yml/dispatches"
BODY = {"ref": "main", "inputs": {"version": "v2.14.0", "services": "server"}}


@pytest.fixture
def repository(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    env = sandbox.environment()
    base = f"{env['GITHUB_API_URL']}/repos/{env['GITHUB_REPOSITORY']}"
    headers = {"Authorization": f"Bearer {env['GITHUB_TOKEN']}"}
    with httpx.Client(base_url=base, headers=headers, trust_env=False, verify=False) as client:
        yield client


def create(repository: httpx.Client, title: str = "Add a canary", **fields: Any) -> dict[str, Any]:
    reply = repository.post("/issues", json={"title": title, **fields})
    assert reply.status_code == 201
    issue: dict[str, Any] = reply.json()
    return issue


def test_an_issue_lives_its_life(sandbox: RunningSandbox, repository: httpx.Client) -> None:
    issue = create(repository, body="why", labels=["incident"], assignees=["em"])
    assert issue["html_url"].endswith("/issues/1")
    path = f"/issues/{issue['number']}"
    assert repository.post(f"{path}/comments", json={"body": "<!-- INC-1 -->"}).status_code == 201
    assert [row["body"] for row in repository.get(f"{path}/comments").json()] == ["<!-- INC-1 -->"]
    closed = repository.patch(path, json={"state": "closed", "state_reason": "not_planned"}).json()
    assert (closed["state"], closed["state_reason"], closed["comments"]) == ("closed", "not_planned", 1)
    assert repository.get(path).json()["closed_at"] is not None
    assert [row["operation"] for row in sandbox.ledger("github")] == ["issue.create", "comment.create", "issue.update"]


def test_issues_are_listed_by_state_and_all_labels(repository: httpx.Client) -> None:
    create(repository, "one", labels=["incident", "p0"])
    create(repository, "two", labels=["incident"])
    closed = create(repository, "three", labels=["incident"])
    repository.patch(f"/issues/{closed['number']}", json={"state": "closed"})

    def titles(**query: str) -> list[str]:
        return [row["title"] for row in repository.get("/issues", params=query).json()]

    assert titles(labels="incident") == ["two", "one"]
    assert titles(labels="incident,p0") == ["one"]
    assert titles(state="closed") == ["three"]
    assert titles(state="all", direction="asc") == ["one", "two", "three"]


def test_pages_are_linked(repository: httpx.Client) -> None:
    for number in range(3):
        create(repository, str(number))
    first = repository.get("/issues", params={"per_page": 2, "state": "open"})
    assert set(first.links) == {"next", "last"}
    second = repository.get(first.links["next"]["url"])
    assert [row["title"] for row in second.json()] == ["0"]
    assert set(second.links) == {"prev", "first"}


def test_labels_are_idempotent_by_name(repository: httpx.Client) -> None:
    issue = create(repository)
    for _ in range(2):
        labels = repository.post(f"/issues/{issue['number']}/labels", json={"labels": ["incident", "new"]})
    assert [label["name"] for label in labels.json()] == ["incident", "new"]
    assert "new" in [label["name"] for label in repository.get("/labels").json()]
    taken = repository.post("/labels", json={"name": "new"})
    assert (taken.status_code, taken.json()["errors"][0]["code"]) == (422, "already_exists")


def test_wrong_requests_are_refused(sandbox: RunningSandbox, repository: httpx.Client) -> None:
    assert "wasn't supplied" in repository.post("/issues", json={"body": "no title"}).json()["message"]
    assert repository.post("/issues", json={"title": "x" * 257}).status_code == 422
    assert repository.post("/issues", content="{").json()["message"] == "Problems parsing JSON"
    assert repository.get("/issues/99").status_code == 404
    wrong = repository.get("/issues", headers={"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.json()["message"]) == (401, "Bad credentials")
    assert repository.get(f"{sandbox.url}/github/repos/some/other/issues").status_code == 404
    del repository.headers["User-Agent"]
    silent = repository.get("/issues")
    assert (silent.status_code, "User-Agent" in silent.text) == (403, True)


def running_version(sandbox: RunningSandbox) -> str:
    return str(sandbox.state()["product"]["eu"]["version"])


def test_a_dispatch_tells_no_run_and_deploys_nothing_before_it_ends(
    sandbox: RunningSandbox, repository: httpx.Client
) -> None:
    sandbox.options(workflow_seconds=600)
    sandbox.deploy("eu", "v2.15.0-bad")
    reply = repository.post(DISPATCH, json=BODY)
    assert (reply.status_code, reply.content) == (204, b"")
    runs = repository.get("/actions/workflows/cd.yml/runs").json()
    assert (runs["total_count"], runs["workflow_runs"][0]["status"]) == (1, "queued")
    assert runs["workflow_runs"][0]["conclusion"] is None
    assert running_version(sandbox) == "v2.15.0-bad"


def test_a_finished_run_has_deployed_past_the_portal(sandbox: RunningSandbox, repository: httpx.Client) -> None:
    sandbox.options(workflow_seconds=0)
    sandbox.deploy("eu", "v2.15.0-bad")
    repository.post(DISPATCH, json=BODY)
    run = repository.get("/actions/runs").json()["workflow_runs"][0]
    assert (run["status"], run["conclusion"]) == ("completed", "success")
    assert running_version(sandbox) == "v2.14.0"
    clusters = {row["region"]: row["version"] for row in sandbox.state()["ops_portal"]["clusters"]}
    assert clusters["eu"] == "v2.15.0-bad"


def test_a_failed_run_deploys_nothing(sandbox: RunningSandbox, repository: httpx.Client) -> None:
    sandbox.options(workflow_seconds=0, workflow_conclusion="failure")
    details = repository.post(DISPATCH, json={"ref": "main", "inputs": {"version": "v9"}, "return_run_details": True})
    run = repository.get(details.json()["run_url"]).json()
    assert run["conclusion"] == "failure"
    assert running_version(sandbox) == "v2.14.0"
    failed = repository.get("/actions/runs", params={"status": "failure"}).json()
    assert [row["id"] for row in failed["workflow_runs"]] == [details.json()["workflow_run_id"]]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"inputs": {"version": "v1"}}, '"ref" wasn\'t supplied'),
        ({"ref": "main", "inputs": {}}, "Required input 'version' not provided"),
        ({"ref": "main", "inputs": {"version": "v1", "region": "eu"}}, "Unexpected inputs provided: ['region']"),
        ({"ref": "main", "inputs": {f"i{number}": "" for number in range(26)}}, "up to 25 inputs"),
    ],
)
def test_a_wrong_dispatch_is_refused(
    sandbox: RunningSandbox, repository: httpx.Client, body: dict[str, Any], words: str
) -> None:
    refused = repository.post(DISPATCH, json=body)
    assert refused.status_code == 422
    assert words in refused.json()["message"]
    assert sandbox.ledger("github") == []


def test_an_unknown_workflow_or_run_is_not_found(repository: httpx.Client) -> None:
    assert repository.post("/actions/workflows/rollback.yml/dispatches", json=BODY).status_code == 404
    assert repository.get("/actions/runs/1").status_code == 404

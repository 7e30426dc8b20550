"""GitHub: issues, comments, workflow runs, and its several ways to say "slow down"."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from incidents.vendors.errors import (
    VendorNotFound,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from incidents.vendors.github.client import GitHubClient
from incidents.vendors.issues.issue import Comment


@pytest.fixture
def github(script: Any) -> GitHubClient:
    return GitHubClient("ghp_secret", "acme/product", transport=script.transport)


def issue(number: int = 1, body: str | None = "text <!-- inc-1/item-1 -->", **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"number": number, "html_url": f"https://github.com/acme/product/issues/{number}"}
    people = {"labels": [{"name": "incident"}, "old"], "assignees": [{"login": "ada"}]}
    return row | {"title": "Fix it", "body": body, "state": "open", "state_reason": None} | people | more


def run(run_id: int = 7) -> dict[str, Any]:
    return {
        "id": run_id,
        "html_url": f"https://github.com/acme/product/actions/runs/{run_id}",
        "display_title": "CD",
        "event": "workflow_dispatch",
        "status": "completed",
        "conclusion": "success",
        "head_sha": "abc",
        "created_at": "2026-05-01T12:00:00Z",
    }


def test_create_issue(github: GitHubClient, script: Any) -> None:
    script.answer(201, issue())
    made = github.create_issue("T" * 300, "text", ["incident"], ["ada"])
    assert (made.number, made.url, made.state, made.state_reason) == (
        1,
        "https://github.com/acme/product/issues/1",
        "open",
        "",
    )
    assert (made.labels, made.assignees) == (("incident", "old"), ("ada",))
    asked = script.last
    assert (asked.method, asked.path) == ("POST", "/repos/acme/product/issues")
    assert asked.json == {"title": "T" * 255 + "…", "body": "text", "labels": ["incident"], "assignees": ["ada"]}
    assert asked.headers["authorization"] == "Bearer ghp_secret"
    assert asked.headers["accept"] == "application/vnd.github+json"
    assert asked.headers["x-github-api-version"] == "2022-11-28"
    assert asked.headers["user-agent"], "GitHub refuses a request without"


def test_a_text_too_long_keeps_its_marker(github: GitHubClient, script: Any) -> None:
    script.answer(201, issue())
    github.create_issue("T", "<!-- first -->" + "x" * 70_000 + "<!-- last -->")
    body = script.last.json["body"]
    assert len(body) == 65_536
    assert body.startswith("<!-- first -->")
    assert body.endswith("<!-- last -->")


def test_find_issue_by_label_and_marker(github: GitHubClient, script: Any) -> None:
    pull = issue(9, pull_request={"url": "..."})
    script.answer(200, [pull, issue(8, None), *[issue(n, "other") for n in range(98)]])
    script.answer(200, [issue(2)])
    found = github.find_issue("inc-1/item-1", "incident")
    assert found is not None
    assert found.number == 2
    first, second = script.asked
    assert (first.path, first.query["labels"], first.query["state"]) == (
        "/repos/acme/product/issues",
        ["incident"],
        ["all"],
    )
    assert (first.query["page"], second.query["page"]) == (["1"], ["2"])


def test_find_nothing(github: GitHubClient, script: Any) -> None:
    script.answer(200, [])
    assert github.find_issue("m", "incident") is None
    assert github.find_comment(1, "m") is None
    assert len(script.asked) == 2


def test_comments(github: GitHubClient, script: Any) -> None:
    row = {"id": 5, "html_url": "https://github.com/c/5", "body": "done <!-- inc-1/resolved -->"}
    script.answer(201, row).answer(200, [{**row, "id": 4, "body": None}, row])
    assert github.comment(1, "done") == Comment(5, "https://github.com/c/5", "done <!-- inc-1/resolved -->")
    assert (script.last.method, script.last.path) == ("POST", "/repos/acme/product/issues/1/comments")
    found = github.find_comment(1, "inc-1/resolved")
    assert found is not None
    assert found.id == 5


def test_close_and_get(github: GitHubClient, script: Any) -> None:
    closed = issue(state="closed", state_reason="not_planned", closed_at="2026-05-01T12:00:00Z")
    script.answer(200, closed)
    assert github.close_issue(1, "not_planned").state == "closed"
    assert (script.last.method, script.last.path) == ("PATCH", "/repos/acme/product/issues/1")
    assert script.last.json == {"state": "closed", "state_reason": "not_planned"}
    found = github.get_issue(1)
    assert (found.state_reason, found.closed_at) == ("not_planned", datetime(2026, 5, 1, 12, tzinfo=UTC))


def test_deleted_and_transferred(github: GitHubClient, script: Any) -> None:
    script.answer(410, {"message": "This issue was deleted"}).answer(301, {"message": "Moved Permanently"})
    with pytest.raises(VendorNotFound):
        github.get_issue(1)
    with pytest.raises(VendorRejected) as moved:
        github.get_issue(1)
    assert moved.value.code == "moved"


def test_dispatch(github: GitHubClient, script: Any) -> None:
    script.answer(204)
    github.dispatch_workflow("cd.yml", "main", {"version": "abc"})
    assert (script.last.method, script.last.path) == (
        "POST",
        "/repos/acme/product/actions/workflows/cd.yml/dispatches",
    )
    assert script.last.json == {"ref": "main", "inputs": {"version": "abc"}}


def test_runs(github: GitHubClient, script: Any) -> None:
    script.answer(200, {"total_count": 1, "workflow_runs": [run()]}).answer(200, run(8))
    since = datetime(2026, 5, 1, 14, 0, 0, 999, tzinfo=UTC)
    (found,) = github.list_workflow_runs("cd.yml", since)
    assert (found.id, found.status, found.conclusion, found.title) == (7, "completed", "success", "CD")
    assert script.last.path == "/repos/acme/product/actions/workflows/cd.yml/runs"
    assert script.last.query["created"] == [">=2026-05-01T14:00:00Z"]
    assert script.last.query["event"] == ["workflow_dispatch"]
    assert github.get_run(8).id == 8
    assert script.last.path == "/repos/acme/product/actions/runs/8"


MINUTE = timedelta(minutes=1)
DOCS = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"


@pytest.mark.parametrize(
    ("status", "body", "headers", "wait"),
    [
        (429, {"message": "x"}, {"Retry-After": "30"}, timedelta(seconds=30)),
        (403, {"message": "x"}, {"Retry-After": "30"}, timedelta(seconds=30)),
        (403, {"message": "x", "documentation_url": DOCS}, {"x-ratelimit-remaining": "4000"}, MINUTE),
        (429, {"message": "x"}, {}, MINUTE),
    ],
)
def test_limits(
    github: GitHubClient, script: Any, status: int, body: Any, headers: dict[str, str], wait: timedelta
) -> None:
    script.answer(status, body, headers)
    with pytest.raises(VendorRateLimited) as caught:
        github.create_issue("T", "b")
    assert caught.value.retry_after == wait
    assert not caught.value.maybe_done


def test_the_hourly_limit_waits_for_its_reset(github: GitHubClient, script: Any) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 600)}
    script.answer(403, {"message": "API rate limit exceeded"}, headers)
    with pytest.raises(VendorRateLimited) as caught:
        github.create_issue("T", "b")
    assert caught.value.retry_after is not None
    assert timedelta(seconds=590) < caught.value.retry_after <= timedelta(seconds=600)


def test_other_refusals(github: GitHubClient, script: Any) -> None:
    plenty = {"x-ratelimit-remaining": "4000", "x-ratelimit-reset": "1"}
    script.answer(403, {"message": "Resource not accessible by integration"}, plenty)
    script.answer(401, {"message": "Bad credentials ghp_secret"})
    invalid = {"message": "Validation Failed", "errors": [{"field": "assignees", "code": "invalid"}]}
    script.answer(422, invalid).answer(403, "Request forbidden by administrative rules.")
    with pytest.raises(VendorUnauthorized):
        github.create_issue("T", "b")
    with pytest.raises(VendorUnauthorized) as unauthorized:
        github.create_issue("T", "b")
    assert "ghp_secret" not in str(unauthorized.value)
    with pytest.raises(VendorRejected, match="Validation Failed; assignees invalid"):
        github.create_issue("T", "b")
    with pytest.raises(VendorRejected):
        github.create_issue("T", "b")


def test_a_lost_reply_may_be_done(github: GitHubClient, script: Any) -> None:
    script.fail(httpx.ReadTimeout("slow"))
    with pytest.raises(VendorUnavailable) as caught:
        github.comment(1, "b")
    assert caught.value.maybe_done

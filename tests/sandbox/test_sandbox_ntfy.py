"""ntfy's stand-in: what docs.ntfy.sh says of publishing as JSON and of polling."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from sandbox.server import RunningSandbox


class Caller:
    """Someone with the token."""

    def __init__(self, sandbox: RunningSandbox, http: httpx.Client) -> None:
        self.http, self.headers = http, {"Authorization": f"Bearer {sandbox.credentials.ntfy_token}"}

    def publish(self, **fields: Any) -> httpx.Response:
        return self.http.post("/ntfy/", json={"topic": "t1", "message": "Down"} | fields, headers=self.headers)

    def poll(self, topic: str = "t1", tags: str = "") -> list[dict[str, Any]]:
        params = {"poll": "1", "since": "all", "tags": tags}
        answer = self.http.get(f"/ntfy/{topic}/json", params=params, headers=self.headers)
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture
def ntfy(sandbox: RunningSandbox, http: httpx.Client) -> Caller:
    return Caller(sandbox, http)


def test_nothing_is_recognized_as_a_repeat(sandbox: RunningSandbox, ntfy: Caller) -> None:
    one, two = (ntfy.publish(title="P0", tags=["a", "b"], priority=5).json() for _ in range(2))
    assert one["id"] != two["id"]
    assert (one["event"], one["topic"], one["message"], one["priority"]) == ("message", "t1", "Down", 5)
    assert [row["operation"] for row in sandbox.ledger("ntfy")] == ["message.publish"] * 2


def test_a_poll_returns_what_has_all_the_tags_oldest_first(ntfy: Caller) -> None:
    for title, tags in (("1", ["a"]), ("2", ["a", "b"]), ("3", []), ("4", ["b", "a"])):
        ntfy.publish(title=title, tags=tags)
    ntfy.publish(topic="t2", title="5", tags=["a"])
    assert [row["title"] for row in ntfy.poll()] == ["1", "2", "3", "4"]
    assert [row["title"] for row in ntfy.poll(tags="a,b")] == ["2", "4"]
    assert [row["title"] for row in ntfy.poll("t2")] == ["5"]
    assert ntfy.poll("t3") == []


def test_an_update_is_an_entry_of_its_own(ntfy: Caller) -> None:
    first = ntfy.publish().json()["id"]
    ntfy.publish(message="Acknowledged", sequence_id=first)
    assert [row.get("sequence_id") for row in ntfy.poll()] == [None, first]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"topic": "no/topic"}, 400, 40009),
        ({"topic": ""}, 400, 40009),
        ({"priority": 6}, 400, 40007),
        ({"sequence_id": "no id"}, 400, 40049),
        ({"actions": [{"action": "view", "label": "x", "url": "https://x"}] * 4}, 400, 40018),
        ({"actions": [{"action": "view", "label": ""}]}, 400, 40018),
        ({"message": "x" * 4097}, 400, 40014),
        ({"message": "x" * 9000}, 413, 41303),
    ],
)
def test_a_wrong_message_is_refused(ntfy: Caller, fields: dict[str, Any], status: int, code: int) -> None:
    refused = ntfy.publish(**fields)
    assert (refused.status_code, refused.json()["code"], refused.json()["http"]) == (status, code, status)
    assert ntfy.poll() == []


def test_access_is_by_token(sandbox: RunningSandbox, ntfy: Caller, http: httpx.Client) -> None:
    params = {"poll": "1", "since": "all"}
    assert http.get("/ntfy/t1/json", params=params).json()["code"] == 40301
    ntfy.headers = {"Authorization": "Bearer wrong"}
    assert ntfy.publish().json()["code"] == 40101
    ntfy.headers = {"Authorization": f"Bearer {sandbox.credentials.ntfy_token}"}
    sandbox.options(ntfy_reads=False)
    assert ntfy.publish().status_code == 200
    assert http.get("/ntfy/t1/json", params=params, headers=ntfy.headers).status_code == 403
    assert http.get("/ntfy/v1/nothing").status_code == 404

from __future__ import annotations

from typing import Any

import httpx
import pytest

from sandbox.server import RunningSandbox

GRANT = "account_credentials"


def token(sandbox: RunningSandbox, http: httpx.Client, **changes: str) -> httpx.Response:
    env = sandbox.environment()
    form = {"grant_type": GRANT, "account_id": env["ZOOM_ACCOUNT_ID"]} | changes
    return http.post("/zoom-oauth/oauth/token", data=form, auth=(env["ZOOM_CLIENT_ID"], env["ZOOM_CLIENT_SECRET"]))


@pytest.fixture
def bearer(sandbox: RunningSandbox, http: httpx.Client) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(sandbox, http).json()['access_token']}"}


def create(http: httpx.Client, bearer: dict[str, str], **meeting: Any) -> httpx.Response:
    return http.post("/zoom/v2/users/me/meetings", headers=bearer, json=meeting)


def test_a_token_opens_a_meeting(sandbox: RunningSandbox, http: httpx.Client, bearer: dict[str, str]) -> None:
    reply = create(http, bearer, topic="INC-1 war room", type=2)
    assert reply.status_code == 201
    meeting = reply.json()
    assert meeting["join_url"].endswith(str(meeting["id"]))
    assert meeting["start_url"]
    row = sandbox.ledger("zoom")[0]
    assert (row["operation"], row["payload"]["topic"]) == ("meeting.create", "INC-1 war room")
    assert "start_url" not in row["payload"]


def test_tokens_live_side_by_side_and_query_parameters_do_as_well(sandbox: RunningSandbox, http: httpx.Client) -> None:
    env = sandbox.environment()
    query = {"grant_type": GRANT, "account_id": env["ZOOM_ACCOUNT_ID"]}
    auth = (env["ZOOM_CLIENT_ID"], env["ZOOM_CLIENT_SECRET"])
    replies = [http.post("/zoom-oauth/oauth/token", params=query, auth=auth).json(), token(sandbox, http).json()]
    assert [reply["expires_in"] for reply in replies] == [3600, 3600]
    for reply in replies:
        headers = {"Authorization": f"Bearer {reply['access_token']}"}
        assert http.get("/zoom/v2/users/me/meetings", headers=headers).status_code == 200


def test_a_repeated_creation_is_a_second_meeting(http: httpx.Client, bearer: dict[str, str]) -> None:
    for _ in range(2):
        create(http, bearer, topic="INC-1")
    listed = http.get("/zoom/v2/users/me/meetings", headers=bearer).json()
    assert [row["topic"] for row in listed["meetings"]] == ["INC-1", "INC-1"]
    assert "start_url" not in listed["meetings"][0]


def test_instant_and_ended_meetings_are_not_listed(http: httpx.Client, bearer: dict[str, str]) -> None:
    assert "start_time" not in create(http, bearer, topic="instant", type=1).json()
    ended = create(http, bearer, topic="ended").json()
    path = f"/zoom/v2/meetings/{ended['id']}"
    assert http.put(f"{path}/status", headers=bearer, json={"action": "end"}).status_code == 204
    assert http.get(path, headers=bearer).json()["status"] == "ended"
    assert http.get("/zoom/v2/users/me/meetings", headers=bearer).json()["meetings"] == []


def test_lists_are_paged(http: httpx.Client, bearer: dict[str, str]) -> None:
    for number in range(3):
        create(http, bearer, topic=str(number))
    first = http.get("/zoom/v2/users/me/meetings", headers=bearer, params={"page_size": 2}).json()
    following = {"page_size": 2, "next_page_token": first["next_page_token"]}
    second = http.get("/zoom/v2/users/me/meetings", headers=bearer, params=following).json()
    assert [row["topic"] for row in first["meetings"] + second["meetings"]] == ["0", "1", "2"]
    assert second["next_page_token"] == ""


def test_wrong_grants_are_refused(sandbox: RunningSandbox, http: httpx.Client) -> None:
    assert token(sandbox, http, grant_type="client_credentials").json()["error"] == "unsupported_grant_type"
    assert token(sandbox, http, account_id="wrong").status_code == 400
    wrong = http.post("/zoom-oauth/oauth/token", data={"grant_type": GRANT}, auth=("who", "what"))
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client")


@pytest.mark.parametrize(
    ("meeting", "field"),
    [
        ({"type": 7}, "type"),
        ({"topic": "x" * 201}, "topic"),
        ({"start_time": "tomorrow"}, "start_time"),
    ],
)
def test_a_wrong_meeting_is_refused(
    http: httpx.Client, bearer: dict[str, str], meeting: dict[str, Any], field: str
) -> None:
    reply = create(http, bearer, **meeting)
    assert (reply.status_code, reply.json()["code"]) == (400, 300)
    assert [error["field"] for error in reply.json()["errors"]] == [field]


def test_a_wrong_token_or_user_is_refused(http: httpx.Client, bearer: dict[str, str]) -> None:
    refused = create(http, {"Authorization": "Bearer wrong"}, topic="x")
    assert (refused.status_code, refused.json()["code"]) == (401, 124)
    unknown = http.post("/zoom/v2/users/somebody/meetings", headers=bearer, json={})
    assert (unknown.status_code, unknown.json()["code"]) == (404, 1001)

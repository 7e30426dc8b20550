"""The API on a real server: an incident from its opening to its resolution, idempotency, permissions, refusals."""

import logging

import httpx
import pytest
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.api_tokens import Scope
from incidents.app.settings import Settings
from incidents.domain.config.communication import People
from incidents.domain.incident.incident import Incident
from incidents.domain.people.config import DirectoryEntry
from tests.gateway.api.conftest import BODY, LIST, Token, opened, tell
from tests.gateway.calls import ALERT, calling
from tests.support.environment import World


async def test_an_incident_is_run_by_the_api_alone(
    live_world: World, api: httpx.AsyncClient, ann: dict[str, str]
) -> None:
    path = await opened(live_world, api, ann)
    answer = await tell(api, path, "ack", ann)
    assert (answer.status_code, answer.json()["message"]) == (200, "Acknowledged by ann")
    assert answer.json()["changed"] is True
    await tell(api, path, "assess", ann, impact="Half of all evaluations fail.", customers=["ACME"])
    await tell(api, path, "update", ann, text="We are looking into it.")
    state = (await api.get(path, headers=ann)).json()
    assert (state["commander"], state["impact"], state["severity"]) == ("ann", "Half of all evaluations fail.", "P1")
    listed = (await api.get(LIST, headers=ann)).json()["incidents"]
    assert [(each["number"], each["title"]) for each in listed] == [(state["number"], None)]
    rejected = await tell(api, path, "approve", ann)
    assert (rejected.status_code, "No rollback offered" in rejected.json()["error"]) == (409, True)
    assert (await tell(api, path, "resolve", ann, text="Fixed.", force=True, reason="sure")).status_code == 200
    assert (await api.get(path, headers=ann)).json()["status"] == "resolved"
    lines = (await api.get(f"{path}/timeline", headers=ann)).json()
    assert "Acknowledged by ann" in [entry["text"] for entry in lines["entries"]]
    last = lines["entries"][-1]["sequence"]
    later = (await api.get(f"{path}/timeline", params={"after": last - 1}, headers=ann)).json()["entries"]
    assert later[0]["sequence"] == last


async def test_an_incident_is_found_by_its_number(
    live_world: World, api: httpx.AsyncClient, ann: dict[str, str]
) -> None:
    await opened(live_world, api, ann)
    number = (await live_world.incident()).number
    for reference in (f"INC-{number}", str(number), "latest"):
        for _ in range(20):  # visibility lags
            answer = await api.get(f"{LIST}/{reference}", headers=ann)
            if answer.status_code == 200:
                break
        assert answer.json()["number"] == number
    unknown = await api.get(f"{LIST}/INC-999", headers=ann)
    assert (unknown.status_code, "INC-999 not found" in unknown.json()["error"]) == (404, True)


async def test_the_same_key_again_has_no_second_effect_and_the_same_answer(
    live_world: World, api: httpx.AsyncClient, ann: dict[str, str], token: Token
) -> None:
    keyed = ann | {"idempotency-key": "open-1"}
    first, again = [await api.post(LIST, json=BODY, headers=keyed) for _ in range(2)]
    assert (first.status_code, first.json()["workflow_id"]) == (again.status_code, again.json()["workflow_id"])
    live_world.handle = live_world.env.client.get_workflow_handle(first.json()["workflow_id"], result_type=Incident)
    await live_world.settled()
    path = f"{LIST}/{first.json()['workflow_id']}"
    noted = [await tell(api, path, "note", ann | {"idempotency-key": "note-1"}, text="once") for _ in range(3)]
    assert [answer.json() for answer in noted[1:]] == [noted[0].json()] * 2
    texts = [entry.text for entry in (await live_world.incident()).timeline]
    assert texts.count("once") == 1
    other = await tell(api, path, "note", ann | {"idempotency-key": "note-1"}, text="something else")
    assert (other.status_code, "used for another request" in other.json()["error"]) == (422, True)
    bob = token("bob", Scope.RESPOND) | {"idempotency-key": "note-1"}
    assert (await tell(api, path, "note", bob, text="of bob")).json()["message"] == "of bob", "keys are each token's"


async def test_an_incident_that_was_opened_with_a_key_is_not_opened_again_once_it_is_over(
    live_world: World, api: httpx.AsyncClient, ann: dict[str, str]
) -> None:
    path = await opened(live_world, api, ann | {"idempotency-key": "k"})
    await tell(api, path, "cancel", ann, reason="a test")
    await live_world.handle.result()
    again = await api.post(LIST, json=BODY, headers=ann | {"idempotency-key": "k"})
    assert (again.status_code, f"{LIST}/{again.json()['workflow_id']}") == (202, path)
    closed = await tell(api, path, "note", ann, text="late")
    assert (closed.status_code, "is closed. Nothing was changed" in closed.json()["error"]) == (409, True)


async def test_without_a_worker_it_is_202_once_temporal_has_recorded_it(
    empty_world: World, settings: Settings, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with calling(empty_world, settings) as api:
        answer = await api.post(LIST, json=BODY, headers=ann)
        assert (answer.status_code, answer.json()["number"]) == (202, None)
        path = f"{LIST}/{answer.json()['workflow_id']}"
        queued = await tell(api, path, "note", ann, text="for later")
        assert (queued.status_code, queued.json()["queued"]) == (202, True)
        unread = await api.get(path, headers=ann)
        assert (unread.status_code, unread.headers["retry-after"]) == (503, "2")

        async def gone(*_: object, **__: object) -> None:
            raise RPCError("gone", RPCStatusCode.UNAVAILABLE, b"")

        monkeypatch.setattr(type(empty_world.env.client), "start_workflow", gone)
        lost = await api.post(LIST, json=BODY, headers=ann)
        assert (lost.status_code, "Temporal is unavailable" in lost.json()["error"]) == (503, True)


async def test_110_a_token_acts_for_its_owner_within_the_permissions(
    live_world: World, settings: Settings, token: Token
) -> None:
    people = People(directory={"ann": DirectoryEntry(aliases=("al",)), "bob": DirectoryEntry()})
    people = people.replace(groups={"sre": ("ann",)}, permissions={"note": ("sre",)})
    live_world.runbook = live_world.runbook.replace(people=people)
    async with calling(live_world, settings) as api:
        path = await opened(live_world, api, token("bob", Scope.RESPOND))
        refused = await tell(api, path, "note", token("bob", Scope.RESPOND), text="x")
        why = "bob is not authorized to note. Authorized: sre (ann)."
        assert (refused.status_code, refused.json()["error"]) == (403, f"{why} Nothing was changed.")
        assert (await tell(api, path, "note", token("al", Scope.RESPOND), text="y")).status_code == 200
        await live_world.settled()
        timeline = [(entry.actor, entry.text) for entry in (await live_world.incident()).timeline]
        assert ("bob", f"note refused: {why}") in timeline
        assert ("ann", "y") in timeline


async def test_one_incident_is_merged_into_another(
    live_world: World, api: httpx.AsyncClient, ann: dict[str, str]
) -> None:
    first = await opened(live_world, api, ann)
    target = live_world.handle.id
    second = await opened(live_world, api, ann)
    answer = await tell(api, second, "merge", ann, into=target, reason="the same")
    assert (answer.status_code, "Merged into" in answer.json()["message"]) == (200, True)
    live_world.handle = live_world.env.client.get_workflow_handle(target, result_type=Incident)
    await live_world.settled()
    assert (await api.get(first, headers=ann)).status_code == 200


@pytest.mark.parametrize("scopes", [(), (Scope.READ,), (Scope.RESPOND,), (Scope.ALERTS,), (Scope.PRIVATE,)])
async def test_84_a_token_is_good_for_its_scopes_only(
    api: httpx.AsyncClient, token: Token, scopes: tuple[Scope, ...]
) -> None:
    headers = token("ann", *scopes)
    asked = {
        Scope.READ: await api.get(LIST, headers=headers),
        Scope.RESPOND: await api.post(f"{LIST}/incident-x/commands/ack", headers=headers),
        Scope.ALERTS: await api.post("/alerts", json={}, headers=headers),
    }
    refused = {scope for scope, answer in asked.items() if answer.status_code in (401, 403)}
    assert refused == set(asked) - set(scopes)


async def test_84_every_refusal_is_logged_once_without_the_token(
    api: httpx.AsyncClient, ann: dict[str, str], token: Token, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway.api")
    for headers, status in (({}, 401), ({"authorization": "Bearer incident_x_secret"}, 401), (token("eve"), 403)):
        caplog.clear()
        answer = await api.get(LIST, headers=headers)
        assert answer.status_code == status
        assert set(answer.json()) == {"error"}
        [line] = [record.getMessage() for record in caplog.records if record.name == "gateway.api"]
        assert f"GET {LIST} of " in line
        assert f"refused with {status}" in line
        assert "secret" not in line
    assert "bearer" in (await api.get(LIST)).headers["www-authenticate"].lower()


async def test_too_many_requests_of_one_sender_are_refused_and_logged_once(
    live_world: World,
    settings: Settings,
    token: Token,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("incidents.gateway.api.senders.BURST", 3)
    monkeypatch.setattr("incidents.gateway.api.senders.PER_MINUTE", 0.001)
    many, few = token("ann", Scope.READ), token("ann", Scope.READ)
    async with calling(live_world, settings) as api:
        answers = [await api.get(LIST, headers=many) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 3
        assert int(answers[-1].headers["retry-after"]) > 0
        assert (await api.get(LIST, headers=few)).status_code == 200, "another token is another sender"
    assert len([record for record in caplog.records if "too many requests" in record.getMessage()]) == 1


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b'{"text": NaN}', 400),
        (b"[" * 100_000, 413),
        (b"[" * 20_000, 400),
        (b'{"text": "\\ud800"}', 400),
        (b"\xff\xfe", 400),
        (b"[]", 422),
        (b'{"text": ""}', 422),
        (b'{"text": 1}', 422),
        (b'{"text": "x", "more": 1}', 422),
        (b'{"text": "x", "by": "eve"}', 422),
        (b'{"text": "x", "id": "1"}', 422),
        (b"", 422),
        (b'{"text": "' + b"x" * 70_000 + b'"}', 413),
    ],
)
async def test_105_a_malformed_body_is_refused(
    api: httpx.AsyncClient, ann: dict[str, str], content: bytes, status: int
) -> None:
    headers = ann | {"content-type": "application/json"}
    answer = await api.post(f"{LIST}/incident-x/commands/note", content=content, headers=headers)
    assert (answer.status_code, set(answer.json())) == (status, {"error"})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api", 404),
        ("GET", "/api/v2", 404),
        ("DELETE", LIST, 405),
        ("GET", f"{LIST}/incident-x/commands/ack", 405),
        ("POST", f"{LIST}/incident-x/commands/explode", 404),
        ("GET", f"{LIST}?al=true", 400),
        ("GET", f"{LIST}?all=yes", 400),
        ("GET", f"{LIST}?all=true&all=true", 400),
        ("GET", f"{LIST}/incident-x/timeline?after=-1", 400),
        ("GET", f"{LIST}/incident-x", 404),
        ("GET", f"{LIST}/postmortem-1", 404),
        ("GET", f"{LIST}/{'x' * 2000}", 404),
        ("GET", f"{LIST}/a%00b", 404),
        ("GET", f"{LIST}/INC-x", 404),
        ("GET", f"{LIST}/incident-numbers", 404),
    ],
)
async def test_what_the_api_does_not_have_is_refused_as_json(
    api: httpx.AsyncClient, ann: dict[str, str], method: str, path: str, status: int
) -> None:
    answer = await api.request(method, path, headers=ann, follow_redirects=True)
    assert (answer.status_code, set(answer.json())) == (status, {"error"}), answer.text


async def test_alerts_are_taken_with_a_token_for_alerts(api: httpx.AsyncClient, token: Token) -> None:
    answer = await api.post("/alerts/billing", json=ALERT, headers=token("billing", Scope.ALERTS))
    assert answer.status_code == 202

"""The gateway against a real Temporal server and the sandbox: what is accepted, what is refused, and what it does."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.settings import Settings, load_settings
from incidents.domain.activity_requests import IssueFact
from incidents.domain.incident.commands import MakePrivate, Resolve
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem.commands import SetActionItem
from incidents.gateway import signatures
from incidents.gateway.app import Gateway
from incidents.search_attributes import NUMBER
from incidents.vendors.pagerduty import PagerDutyEvents
from sandbox.server import RunningSandbox, running_sandbox
from tests.gateway.test_reading import clicked, hook
from tests.support import postmortems as learning
from tests.support.environment import QUEUE, World

SIGNING, HOOK, TOKEN = "slack-signing", "pagerduty-hook", "gateway-token"
ALERT = {"title": "Evaluations fail", "service": "flag-evaluation", "severity": "critical"}


@pytest.fixture(scope="module")
def sandbox() -> Any:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox) -> Settings:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    secrets = {"SLACK_SIGNING_SECRET": SIGNING, "PAGERDUTY_WEBHOOK_SECRET": HOOK, "GATEWAY_TOKEN": TOKEN}
    secrets["GITHUB_WEBHOOK_SECRET"] = HOOK
    for name, value in (sandbox.environment() | secrets | {"TEMPORAL_TASK_QUEUE": QUEUE}).items():
        monkeypatch.setenv(name, value)
    return load_settings()


@asynccontextmanager
async def calling(world: World, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = Gateway(world.env.client, settings, world.runbook).app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as http:
        yield http


@pytest.fixture
async def http(live_world: World, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(live_world, settings) as client:
        yield client


def slacks(body: bytes, secret: str = SIGNING) -> dict[str, str]:
    stamp = str(int(time.time()))
    mac = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    form = {"content-type": "application/x-www-form-urlencoded"}
    return form | {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={mac}"}


def githubs(body: bytes, secret: str = HOOK) -> dict[str, str]:
    """GitHub's headers of an event of an issue."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={digest}", "x-github-event": "issues"}


def pagerdutys(body: bytes, secret: str = HOOK) -> dict[str, str]:
    return {"x-pagerduty-signature": "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


async def say(http: httpx.AsyncClient, text: str, channel: str = "general") -> str:
    body = urlencode({"user_name": "ann", "text": text, "channel_name": channel}).encode()
    answer = await http.post("/slack/commands", content=body, headers=slacks(body))
    assert answer.status_code == 200
    assert answer.json()["response_type"] == "ephemeral"
    return str(answer.json()["text"])


async def opened(world: World, http: httpx.AsyncClient) -> str:
    """An incident that an alert opened through the gateway."""
    answer = await http.post("/alerts", json=ALERT, headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 202, answer.text
    [started] = answer.json()
    assert started["created"]
    world.handle = world.env.client.get_workflow_handle(started["workflow_id"], result_type=Incident)
    await world.settled()
    return str(started["workflow_id"])


async def test_an_alert_opens_an_incident_and_the_same_again_joins_it(
    live_world: World, http: httpx.AsyncClient
) -> None:
    workflow_id = await opened(live_world, http)
    again = await http.post("/alerts", json=ALERT, headers={"authorization": f"Bearer {TOKEN}"})
    [told] = again.json()
    assert (told["workflow_id"], told["created"]) == (workflow_id, False)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/alerts", {}),
        ("/alerts", {"authorization": "Bearer wrong"}),
        ("/slack/commands", {}),
        ("/slack/commands", slacks(b"{}", "wrong")),
        ("/slack/interactions", {}),
        ("/pagerduty", {}),
        ("/pagerduty", pagerdutys(b"{}", "wrong")),
        ("/github", {}),
        ("/github", githubs(b"{}", "wrong")),
    ],
)
async def test_84_whoever_cannot_prove_who_they_are_is_refused(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, path: str, headers: dict[str, str]
) -> None:
    answer = await http.post(path, content=b"{}", headers=headers)
    assert answer.status_code == 401
    assert "unauthorized" in answer.json()["error"]
    assert f"to {path}: bad signature or token" in caplog.text, "it is recorded"
    assert "wrong" not in caplog.text


async def test_without_a_secret_a_door_stays_closed(
    live_world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLACK_SIGNING_SECRET", "PAGERDUTY_WEBHOOK_SECRET", "GITHUB_WEBHOOK_SECRET", "GATEWAY_TOKEN"):
        monkeypatch.delenv(name)
    async with calling(live_world, load_settings()) as http:
        for path, headers in (
            ("/alerts", {"authorization": "Bearer "}),
            ("/slack/commands", slacks(b"x", "")),
            ("/pagerduty", pagerdutys(b"x", "")),
            ("/github", githubs(b"x", "")),
        ):
            assert (await http.post(path, content=b"x", headers=headers)).status_code == 401


async def test_what_is_no_alert_or_too_large_is_refused_with_one_line(http: httpx.AsyncClient) -> None:
    token = {"authorization": f"Bearer {TOKEN}"}
    for body in (b"nonsense", b"[]", b'{"version": "3", "alerts": []}', b"[" * 100_000):
        answer = await http.post("/alerts", content=body, headers=token)
        assert answer.status_code == 400
        assert "\n" not in answer.json()["error"]
    huge = await http.post("/alerts", content=b" " * (512 * 1024 + 1), headers=token)
    assert huge.status_code == 413


async def test_responders_act_from_slack(live_world: World, http: httpx.AsyncClient) -> None:
    world = live_world
    await opened(world, http)
    number = (await world.incident()).number
    await found(world, number)
    assert await say(http, f"ack {number}") == "Acknowledged by ann"
    assert "was acknowledged by ann" in await say(http, "ack", f"incident-{number}")
    assert "*INC-1 · P0 · investigating · Evaluations fail*" in await say(http, f"status {number}")
    assert "Customers would read a host" in await say(http, f"update {number} db-1.eu.internal is down")
    await world.tell(MakePrivate(by="ann", reason="keys"))
    assert await say(http, f"status {number}") == "private incident INC-1", "nobody outside of it learns more"
    assert "Which incident?" in await say(http, "resolve")
    incident = await world.incident()
    assert (incident.acknowledged_by, incident.commander) == ("ann", "ann")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the gateway tells Slack afterwards, at the addresses that Slack gave it."""
    told: list[dict[str, Any]] = []
    real = httpx.AsyncClient.post

    async def post(self: httpx.AsyncClient, url: Any, **words: Any) -> httpx.Response:
        if not str(url).startswith("https://hooks.slack.com/"):
            return await real(self, url, **words)
        told.append({"url": str(url)} | words["json"])
        return httpx.Response(200)

    monkeypatch.setattr(httpx.AsyncClient, "post", post)
    return told


async def one_more(answers: list[dict[str, Any]], before: int) -> str:
    for _ in range(200):
        if len(answers) > before:
            return str(answers[-1]["text"])
        await asyncio.sleep(0.05)
    raise AssertionError("no answer")


async def test_46_a_stale_button_is_refused_and_whoever_clicked_reads_why(
    live_world: World, http: httpx.AsyncClient, answers: list[dict[str, Any]]
) -> None:
    workflow_id = await opened(live_world, http)
    seen = (await live_world.incident()).revision

    async def click(action: str, revision: int) -> str:
        body, before = clicked(action, {"incident": workflow_id, "revision": revision}), len(answers)
        assert (await http.post("/slack/interactions", content=body, headers=slacks(body))).status_code == 200
        return await one_more(answers, before)

    assert await click("acknowledge", seen) == "Acknowledged by ann"
    assert "You looked at an older state. Now: P0, investigating, commander ann." in await click("escalate", seen)
    now = (await live_world.incident()).revision
    assert (await click("escalate", now)).startswith("Escalated to Second on-call engineer")
    assert answers[0]["url"] == "https://hooks.slack.com/actions/T1/1/x"
    assert answers[0]["replace_original"] is False


async def test_an_answer_that_takes_longer_than_slack_waits_follows(
    live_world: World, http: httpx.AsyncClient, answers: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(live_world, http)
    monkeypatch.setattr("incidents.gateway.app._SLACK_WAITS", 0.0)
    form = {"user_name": "ann", "text": "ack 99", "response_url": "https://hooks.slack.com/commands/T1/1/x"}
    body = urlencode(form).encode()
    answer = await http.post("/slack/commands", content=body, headers=slacks(body))
    assert answer.json()["text"] == "Still working on it; the answer follows in a moment."
    assert "INC-99 not found" in await one_more(answers, 0)


async def test_an_answer_goes_to_slack_and_nowhere_else(live_world: World, settings: Settings) -> None:
    gateway = Gateway(live_world.env.client, settings, live_world.runbook)
    assert gateway._is_slack_url("https://hooks.slack.com/actions/T1/1/x")
    assert gateway._is_slack_url(settings.slack_api_url + "x"), "a workspace behind another base URL answers there"
    for url in ("http://hooks.slack.com/x", "https://hooks.slack.com.evil.example/x", "http://169.254.169.254/", ""):
        assert not gateway._is_slack_url(url)


async def test_an_acknowledgement_at_pagerduty_is_one_here(live_world: World, http: httpx.AsyncClient) -> None:
    workflow_id = await opened(live_world, http)
    body = hook(data={"id": "PQ1", "type": "incident", "incident_key": workflow_id})
    for _ in range(2):  # delivered twice
        answer = await http.post("/pagerduty", content=body, headers=pagerdutys(body))
        assert (answer.status_code, answer.json()) == (202, {"action": "acknowledged"})
    await live_world.settled()
    incident = await live_world.incident()
    assert incident.acknowledged_by == "Ona Call"
    assert [entry.text for entry in incident.timeline].count("Acknowledged by Ona Call") == 1


async def test_a_webhook_without_our_key_is_asked_for_at_pagerduty(
    live_world: World, http: httpx.AsyncClient, sandbox: RunningSandbox
) -> None:
    workflow_id = await opened(live_world, http)
    env = sandbox.environment()
    events = PagerDutyEvents(env["PAGERDUTY_ROUTING_KEY"], env["PAGERDUTY_EVENTS_URL"])
    await asyncio.to_thread(events.enqueue, "trigger", workflow_id, summary="x")
    page = sandbox.state()["pagerduty"][0]["id"]
    for given, action in ((page, "acknowledged"), ("PNOSUCH", "ignored")):
        body = hook(data={"id": given, "type": "incident"})
        answer = await http.post("/pagerduty", content=body, headers=pagerdutys(body))
        assert (answer.status_code, answer.json()) == (202, {"action": action})


async def test_while_pagerduty_does_not_answer_it_is_asked_to_repeat(
    http: httpx.AsyncClient, sandbox: RunningSandbox
) -> None:
    sandbox.fault("pagerduty", "status", "/incidents/", status=503)
    body = hook(data={"id": "PQ1", "type": "incident"})
    answer = await http.post("/pagerduty", content=body, headers=pagerdutys(body))
    assert answer.status_code == 503, "an acknowledgement is not to be lost"


async def test_pagerduty_events_that_do_not_concern_us_are_accepted(http: httpx.AsyncClient) -> None:
    unknown = hook(data={"id": "P", "type": "incident", "incident_key": "somebody-elses"})
    for body in (hook("incident.resolved"), unknown):
        answer = await http.post("/pagerduty", content=body, headers=pagerdutys(body))
        assert (answer.status_code, answer.json()) == (202, {"action": "ignored"}), "a 4xx would disable the webhook"


async def test_while_temporal_is_away_the_sender_is_asked_to_repeat(
    live_world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await http.get("/healthz")).text == "ok\n"

    async def away(*_: Any, **__: Any) -> Any:
        raise RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")

    monkeypatch.setattr("incidents.gateway.app.intake", away)
    answer = await http.post("/alerts", json=ALERT, headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 503, "Alertmanager repeats after a 5xx, and never after a 4xx"
    assert "Send it again" in answer.json()["error"]


async def found(world: World, number: int | None) -> None:
    """Wait until visibility knows the number."""
    for _ in range(100):
        query = f"{NUMBER.name} = {number}"
        if [run async for run in world.env.client.list_workflows(query)]:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("visibility does not know it")


def test_githubs_own_example_of_a_signature_fits() -> None:
    """docs.github.com, "Testing the webhook payload validation"."""
    header = {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
    assert signatures.from_github("It's a Secret to Everybody", header, b"Hello, World!")
    assert not signatures.from_github("It's a Secret to Everybody", header, b"Hello, World")


async def test_74_github_tells_at_once_what_became_of_an_action_item(
    live_world: World, http: httpx.AsyncClient
) -> None:
    world = live_world
    await opened(world, http)
    await world.tell(Resolve(by="ann", force=True, reason="fixed"))
    await world.settled()
    due = (await world.now()).date()
    item = SetActionItem(by="ann", title="Test it", owner="bob", due=due, outcome="It runs in CI.")
    await learning.tell(world, item)
    await learning.quiet(world)
    [marker] = [marker for marker in world.hands.tickets if "item-1" in marker]
    issue: dict[str, Any] = {"number": world.hands.tickets[marker], "body": f"Do it.\n\n{marker}", "state": "closed"}
    event = {"action": "closed", "issue": issue | {"state_reason": "completed"}}
    world.hands.issues[issue["number"]] = IssueFact(number=issue["number"], state="closed", reason="completed")
    body = json.dumps(event).encode()
    answer = await http.post("/github", content=body, headers=githubs(body))
    assert (answer.status_code, answer.json()) == (202, {"action": "forwarded"})
    assert (await learning.state(world)).document.items[0].state == "done"
    others = json.dumps(event | {"issue": issue | {"body": "somebody else's"}}).encode()
    assert (await http.post("/github", content=others, headers=githubs(others))).json() == {"action": "ignored"}
    gone = json.dumps(event | {"issue": issue | {"body": marker.replace("postmortem-1 ", "postmortem-999 ")}}).encode()
    assert (await http.post("/github", content=gone, headers=githubs(gone))).json() == {"action": "ignored"}
    assert (await http.post("/github", content=b"[]", headers=githubs(b"[]"))).status_code == 400

"""Slack at the gateway: commands, buttons and their answers, over Socket Mode and signed HTTP."""

import asyncio
from collections.abc import AsyncIterator
from unittest.mock import AsyncMock

import httpx
import pytest

from incidents.app.settings import Settings, load_settings
from incidents.client.delivery.spool import SpoolFull
from incidents.client.lookup import incident
from incidents.domain.incident.commands import MakePrivate
from incidents.domain.incident.incident import Incident
from incidents.gateway.app import Gateway
from incidents.gateway.slack.replies import Replies
from incidents.search_attributes import NUMBER
from sandbox.server import RunningSandbox
from tests.gateway.calls import SIGNING, opened
from tests.support.environment import World
from tests.support.slack_person import Person, by_http, by_socket, clicked, encoded, signed


@pytest.fixture(params=["socket mode", "http"])
async def ann(
    request: pytest.FixtureRequest, live_world: World, settings: Settings, sandbox: RunningSandbox, unhurried: None
) -> AsyncIterator[Person]:
    """Ann, whose requests arrive by Socket Mode, or by signed HTTP."""
    sandbox.reset()
    app = Gateway(live_world.env.client, settings, live_world.runbook).app()
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        http.base_url = "http://gateway"
        if request.param == "http":
            yield Person(sandbox, by_http(http, SIGNING))
        else:
            await connected(sandbox)
            yield Person(sandbox, by_socket(sandbox))


async def connected(sandbox: RunningSandbox, times: int = 1) -> None:
    """Wait until the gateway has opened its connection so many times."""
    for _ in range(500):
        links = [call for call in sandbox.calls("slack") if call["path"].endswith("apps.connections.open")]
        if len(links) >= times and sandbox.state()["slack"]["connections"]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the gateway is not connected to Slack")


async def found(world: World, number: int | None) -> None:
    """Wait until visibility knows the number."""
    for _ in range(100):
        query = f"{NUMBER.name} = {number}"
        if [run async for run in world.env.client.list_workflows(query)]:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("visibility does not know it")


async def by_number(world: World, number: int) -> Incident:
    """An incident that was opened otherwise than by the world; from now on it is the world's."""
    state = await incident(world.env.client, str(number))
    world.handle = world.env.client.get_workflow_handle(state.workflow_id, result_type=Incident)
    return state


async def test_responders_act_from_slack(live_world: World, http: httpx.AsyncClient, ann: Person) -> None:
    world = live_world
    await opened(world, http)
    number = (await world.incident()).number
    await found(world, number)
    assert await ann.says(f"ack {number}") == "Acknowledged by ann"
    assert "was acknowledged by ann" in await ann.says("ack", f"incident-{number}")
    assert "*INC-1 · P0 · investigating · Evaluations fail*" in await ann.says(f"status {number}")
    assert "Customers would see a host" in await ann.says(f"update {number} db-1.eu.internal is down")
    await world.tell(MakePrivate(by="ann", reason="keys"))
    assert await ann.says(f"status {number}") == "private incident INC-1", "nobody outside of it learns more"
    assert "Which incident?" in await ann.says("resolve")
    assert "INC-99 not found" in await ann.says("ack 99")
    state = await world.incident()
    assert (state.acknowledged_by, state.roles.commander) == ("ann", "ann")


async def test_questions_are_answered_in_slack(live_world: World, http: httpx.AsyncClient, ann: Person) -> None:
    assert "No open incidents." in await ann.says("list")
    await opened(live_world, http)
    number = (await live_world.incident()).number
    await found(live_world, number)
    assert f"*INC-{number} · P0 · investigating · Evaluations fail* · commander unassigned" in await ann.says("list")
    assert "P0: Evaluations fail" in await ann.says("timeline", f"incident-{number}")
    assert "No rollback offered" in await ann.says(f"candidates {number}")
    assert "`ack [--at TIME]`" in await ann.says("help")
    assert "*On-call engineer*: " in await ann.says("oncall")


async def test_an_incident_is_opened_by_a_modal(live_world: World, ann: Person) -> None:
    modal = await ann.opens("open It is slow")
    fields = {block["block_id"]: block for block in modal["blocks"] if block["type"] == "input"}
    assert fields.keys() == {"title", "service", "severity", "private", "drill"}
    assert fields["title"]["element"]["initial_value"] == "It is slow"
    assert fields["severity"]["element"]["options"][0]["description"]["text"].startswith("Product unavailable")
    refused = await ann.submits(modal, title=" ")
    assert refused == {"response_action": "errors", "errors": {"title": "Please fill this in."}}
    shown = await ann.submits(modal, title="Dashboard is slow", service="dashboard", severity="P2")
    assert shown["response_action"] == "update", "the modal says at once that the incident is being opened"
    assert "*INC-1* is open" in await ann.modal(modal, "is open")
    state = await by_number(live_world, 1)
    assert (state.title, state.service, state.severity) == ("Dashboard is slow", "dashboard", "P2")
    assert (state.reporter, state.drill, state.private) == ("ann", False, False)
    await live_world.settled()


async def test_what_is_wrong_with_a_declared_incident_is_said(
    live_world: World, http: httpx.AsyncClient, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody may believe that an incident is open which is not."""
    await opened(live_world, http)
    away = AsyncMock(side_effect=SpoolFull("the spool is full"))
    monkeypatch.setattr("incidents.client.delivery.delivery.Delivery.deliver", away)
    modal = await ann.opens()
    await ann.submits(modal, title="It is down")
    assert "was *not* opened (SpoolFull)" in await ann.modal(modal, "opened")


async def test_46_a_stale_button_is_rejected_and_its_user_reads_why(
    live_world: World, http: httpx.AsyncClient, ann: Person
) -> None:
    workflow_id = await opened(live_world, http)

    async def click(action: str, revision: int) -> str:
        return await ann.clicks(action, {"incident": workflow_id, "revision": revision})

    seen = (await live_world.incident()).revision
    assert await click("acknowledge", seen) == "Acknowledged by ann"
    assert "The incident has changed. Now: P0, investigating, commander ann." in await click("escalate", seen)
    now = (await live_world.incident()).revision
    assert (await click("escalate", now)).startswith("Escalated to Second on-call engineer")


async def test_it_listens_on_after_slack_asked_it_to_connect_anew(
    live_world: World, settings: Settings, sandbox: RunningSandbox
) -> None:
    sandbox.reset()
    app = Gateway(live_world.env.client, settings, live_world.runbook).app()
    async with app.router.lifespan_context(app):
        await connected(sandbox)
        await asyncio.to_thread(sandbox.slack_refreshes)
        await connected(sandbox, times=2)
        assert "INC-99 not found" in await Person(sandbox, by_socket(sandbox)).says("ack 99")


async def test_without_an_app_token_no_connection_is_opened(
    live_world: World, settings: Settings, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.reset()
    monkeypatch.delenv("SLACK_APP_TOKEN")
    app = Gateway(live_world.env.client, load_settings(), live_world.runbook).app()
    async with app.router.lifespan_context(app):
        await asyncio.sleep(0.2)
    assert sandbox.calls("slack") == []


async def test_what_no_listener_is_for_is_accepted(http: httpx.AsyncClient) -> None:
    """Slack would send an event again, and show a person who follows a link of ours an error."""
    closed = {"type": "view_closed", "user": {"id": "W1"}, "view": {"callback_id": "x"}}
    for payload in (clicked("a link"), closed):
        assert await by_http(http, SIGNING)("interactive", payload) == {}


@pytest.mark.parametrize(
    ("age", "secret", "tail", "status"),
    [(0, SIGNING, b"", 200), (0, SIGNING, b"x", 401), (0, "other", b"", 401), (301, SIGNING, b"", 401)],
    ids=["as signed", "changed on the way", "of another sender", "a recording"],
)
async def test_84_only_what_slack_signed_now_is_read(
    http: httpx.AsyncClient, age: int, secret: str, tail: bytes, status: int
) -> None:
    body, form = encoded("slash_commands", {"command": "/incident", "text": ""})
    answer = await http.post("/slack/commands", content=body + tail, headers=form | signed(body, secret, age))
    assert answer.status_code == status


def test_an_answer_goes_to_slack_and_nowhere_else(settings: Settings) -> None:
    replies = Replies(settings.slack_api_url)
    assert replies.is_slack_url("https://hooks.slack.com/actions/T1/1/x")
    assert replies.is_slack_url(settings.slack_api_url + "x"), "a workspace behind another base URL answers there"
    for url in ("http://hooks.slack.com/x", "https://hooks.slack.com.evil.example/x", "http://169.254.169.254/", ""):
        assert not replies.is_slack_url(url)
    assert not replies.is_slack_url(["https://hooks.slack.com/x"])

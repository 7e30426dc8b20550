"""Buttons at the gateway: commands, forms, decisions, and what is refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from incidents.app.settings import Settings
from incidents.domain.chat.buttons import decision_buttons, summary_buttons
from incidents.domain.chat.card import Button
from incidents.domain.incident.incident import Incident
from incidents.domain.rollback.commands import DeclineRollback
from incidents.domain.rollback.state import RollbackStatus
from incidents.gateway.app import Gateway
from sandbox.server import RunningSandbox
from tests.gateway.calls import opened
from tests.gateway.slack.test_slack import connected
from tests.support.environment import World
from tests.support.fake_activities import an_offer
from tests.support.slack_person import Person, by_socket


@pytest.fixture
async def ann(live_world: World, settings: Settings, sandbox: RunningSandbox, unhurried: None) -> AsyncIterator[Person]:
    sandbox.reset()
    app = Gateway(live_world.env.client, settings, live_world.runbook).app()
    async with app.router.lifespan_context(app):
        await connected(sandbox)
        yield Person(sandbox, by_socket(sandbox))


def pressed(buttons: tuple[Button, ...], label: str) -> tuple[str, Any]:
    """The action and the value of a button, as a message shows it."""
    [button] = [each for each in buttons if each.label == label]
    return button.action, json.loads(button.value)


async def shown(world: World, label: str) -> tuple[str, Any]:
    return pressed(summary_buttons(await world.incident(), world.runbook), label)


async def test_an_incident_is_run_by_buttons_and_forms_alone(
    live_world: World, http: httpx.AsyncClient, ann: Person
) -> None:
    world = live_world
    await opened(world, http)
    assert await ann.clicks(*await shown(world, "Acknowledge")) == "Acknowledged by ann"

    form = await ann.clicks_open(*await shown(world, "Severity…"))
    assert await ann.submits(form, severity="P1", reason="only one region") == {}, "the form closes"
    assert (await world.incident()).severity == "P1"

    form = await ann.clicks_open(*await shown(world, "Update…"))
    refused = await ann.submits(form, text="db-1.eu.internal is down")
    assert refused["response_action"] == "errors"
    assert "Customers would see a host" in refused["errors"]["text"], "the form stays open, and says what is wrong"
    assert await ann.submits(form, text="A fix is on its way.", when="next") == {}
    assert (await world.incident()).updates.next_words == "A fix is on its way."

    form = await ann.clicks_open(*await shown(world, "Resolve…"))
    assert await ann.submits(form, text="All is well.", force="yes") != {}, "forced, it needs a reason"
    assert await ann.submits(form, text="All is well.", force="yes", reason="the alert is wrong") == {}
    form = await ann.clicks_open(*await shown(world, "Reopen…"))
    assert await ann.submits(form, reason=" ") == {
        "response_action": "errors",
        "errors": {"reason": "String should have at least 1 character"},
    }
    assert await ann.submits(form, reason="it is back") == {}
    assert not (await world.incident()).over
    assert "ann" in await ann.clicks(*await shown(world, "Take command"))
    assert (await world.incident()).roles.commander == "ann"
    await world.settled()


async def offered(world: World, http: httpx.AsyncClient) -> tuple[Button, ...]:
    """The buttons of a rollback that is offered."""
    world.activities.offers = (an_offer(await world.now()),)
    await opened(world, http)
    state = await world.incident()
    return decision_buttons(state, state.rollback.clusters[0])


async def test_a_decision_is_shown_to_all_in_place_of_its_buttons(
    live_world: World, http: httpx.AsyncClient, ann: Person
) -> None:
    buttons = await offered(live_world, http)
    answer = await ann.decides(*pressed(buttons, "Approve"))
    assert answer["replace_original"] is True
    assert answer["text"] == "Rollback of eu-001 approved by ann"
    assert [block["type"] for block in answer["blocks"]] == ["header", "context"]
    assert (await settled_incident(live_world)).rollback.clusters[0].status is RollbackStatus.HEALTHY


async def test_46_a_decision_that_is_no_longer_asked_for_is_refused(
    live_world: World, http: httpx.AsyncClient, ann: Person
) -> None:
    buttons = await offered(live_world, http)
    await live_world.tell(DeclineRollback(by="bob", reason="not the cause"))
    said = await ann.clicks(*pressed(buttons, "Approve"))
    assert said == (
        "The incident has changed: the rollback of eu-001 to good is declined (decided by bob). Nothing was changed."
    )
    form = await ann.clicks_open(*pressed(buttons, "Choose another…"))
    refused = await ann.submits(form, version="older")
    assert "The incident has changed" in refused["errors"]["version"]
    [state] = (await live_world.incident()).rollback.clusters
    assert state.status is RollbackStatus.DECLINED
    action, target = pressed(buttons, "Approve")
    assert "to good is declined" in await ann.clicks(action, target | {"version": "another"})


async def test_another_version_is_chosen_and_none_is_flagged(
    live_world: World, http: httpx.AsyncClient, ann: Person
) -> None:
    buttons = await offered(live_world, http)
    form = await ann.clicks_open(*pressed(buttons, "Choose another…"))
    assert await ann.submits(form, version=" ") == {
        "response_action": "errors",
        "errors": {"version": "Name the version."},
    }
    assert await ann.submits(form, version="older") == {}
    incident = await settled_incident(live_world)
    assert incident.rollback.flags == ()
    assert any("Rollback to older requested by ann" in entry.text for entry in incident.timeline)
    [(_, first), (_, search)] = live_world.sent("find_rollback")
    assert (first.version, search.version) == ("", "older")


async def test_a_form_is_shown_although_no_worker_tells_the_state(
    live_world: World, http: httpx.AsyncClient, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trigger is good for three seconds: the form does not wait for a worker that is busy."""
    await opened(live_world, http)

    async def never(*_: object) -> Incident:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr("incidents.gateway.slack.buttons._STATE_WITHIN", 0.05)
    monkeypatch.setattr("incidents.gateway.slack.calls.incident", never)
    form = await ann.clicks_open(*await shown(live_world, "Roll back…"))
    [where] = [block for block in form["blocks"] if block.get("block_id") == "cluster"]
    assert [option["value"] for option in where["element"]["options"]] == ["all", "eu-001", "us-001"]


async def test_a_command_that_takes_long_is_answered_in_time_and_followed_by_its_result(
    live_world: World, http: httpx.AsyncClient, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(live_world, http)
    form = await ann.clicks_open(*await shown(live_world, "Severity…"))
    monkeypatch.setattr("incidents.gateway.slack.buttons.ANSWERS_WITHIN", 0.0)
    answer = await ann.submits(form, severity="P1")
    assert answer["response_action"] == "update"
    assert "Severity P0 → P1" in await ann.modal(form, "Severity P0 → P1")


async def settled_incident(world: World) -> Incident:
    await world.settled()
    return await world.incident()

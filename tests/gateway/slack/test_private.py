"""24: in Slack, a private incident takes commands from its own channel, and from those who may see it."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError

from incidents.app.settings import Settings
from incidents.domain.chat.buttons import summary_buttons
from incidents.domain.incident.commands import Acknowledge, MakePrivate
from sandbox.server import RunningSandbox
from tests.gateway.calls import SIGNING, opened
from tests.gateway.slack.test_buttons import pressed
from tests.gateway.slack.test_slack import found
from tests.support.environment import World
from tests.support.slack_person import INTERACTION, Person, by_http

REFUSED = "This incident is private: only those who may see it can send it commands. Nothing was changed."
REASON = "the keys of acme leaked"


@pytest.fixture
async def person(
    live_world: World, http: httpx.AsyncClient, sandbox: RunningSandbox, settings: Settings, unhurried: None
) -> Callable[[str], Person]:
    """People beside a private incident that ann has acknowledged."""
    sandbox.reset()
    await opened(live_world, http)
    await live_world.tell(Acknowledge(by="ann"))
    await live_world.tell(MakePrivate(by="ann", reason=REASON))
    await found(live_world, 1)
    return lambda name: Person(sandbox, by_http(http, SIGNING), name)


async def actors(world: World) -> list[tuple[str, str]]:
    await world.settled()
    return [(entry.actor, entry.text) for entry in (await world.incident()).timeline]


async def test_24_what_is_typed_elsewhere_is_refused_and_recorded(
    live_world: World, person: Callable[[str], Person]
) -> None:
    eve = person("eve")
    assert await eve.says("note 1 hello") == REFUSED
    assert await eve.says("resolve", "incident-1-anything") == REFUSED, "a channel's name proves nothing"
    assert await person("ann").says("note 1 hi") == "hi", "ann may see it"
    told = await actors(live_world)
    assert ("eve", "note refused: eve may not see it") in told
    assert ("ann", "hi") in told
    assert not (await live_world.incident()).over


async def test_24_in_its_own_channel_everyone_is_taken_at_their_word(
    live_world: World, person: Callable[[str], Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = (await live_world.incident()).resources.channel_id
    assert channel
    monkeypatch.setattr(Person, "channel_id", lambda *_: channel)
    assert await person("eve").says("note hello", "incident-1") == "hello"


async def test_24_a_button_or_a_form_elsewhere_tells_and_does_nothing(
    live_world: World, person: Callable[[str], Person], sandbox: RunningSandbox
) -> None:
    eve, buttons = person("eve"), summary_buttons(await live_world.incident(), live_world.runbook)
    assert await eve.clicks(*pressed(buttons, "Take command")) == REFUSED
    assert await eve.clicks(*pressed(buttons, "Escalate")) == REFUSED
    assert await eve.clicks(*pressed(buttons, "Resolve…")) == REFUSED
    assert sandbox.state()["slack"]["modals"] == []
    action, target = pressed(buttons, "Resolve…")
    view: dict[str, Any] = {
        "id": "V1",
        "type": "modal",
        "callback_id": action,
        "private_metadata": f'{{"incident": "{target["incident"]}"}}',
        "state": {"values": {}},
    }
    answer = await eve._send(INTERACTION, {"type": "view_submission", "view": view, "user": eve.user})
    assert answer["errors"] == {"text": REFUSED}
    assert not (await live_world.incident()).over


async def test_24_a_message_of_a_channel_with_its_number_in_the_name_is_no_note(
    live_world: World, person: Callable[[str], Person]
) -> None:
    message = {"ts": "1700000000.000100", "text": "hello", "user": "U1"}
    assert await person("eve").points_at("add_to_timeline", "incident-1-fake", message) == REFUSED


async def test_24_a_public_incident_cannot_be_merged_into_it_from_outside(
    live_world: World, http: httpx.AsyncClient, person: Callable[[str], Person]
) -> None:
    alert = {"title": "Dashboard is slow", "service": "dashboard", "severity": "warning"}
    answer = await http.post("/alerts", json=alert, headers={"authorization": "Bearer gateway-token"})
    assert answer.status_code == 202
    await found(live_world, 2)
    assert await person("eve").says("merge 2 --into 1") == REFUSED


async def test_24_the_home_tab_shows_only_its_number(person: Callable[[str], Person]) -> None:
    shown = await person("eve").opens_home("private incident INC-1")
    assert "Take command" not in shown
    assert "Acknowledge it" not in shown


async def test_24_a_command_that_waits_for_a_worker_is_refused_by_the_incident(
    live_world: World, person: Callable[[str], Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_worker(*_: object) -> None:
        raise WorkflowUpdateRPCTimeoutOrCancelledError

    monkeypatch.setattr("incidents.client.commands._execute", no_worker)
    assert "The command is queued" in await person("eve").says("note 1 hello")
    assert "The command is queued" in await person("ann").says("note 1 hi")
    told = await actors(live_world)
    assert ("ann", "hi") in told
    assert ("eve", f"add_note rejected: {REFUSED}") in told
    assert all(text != "hello" for _, text in told)

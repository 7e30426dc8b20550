"""Messages that people point at, and the home tab."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from incidents.app.settings import Settings
from incidents.domain.core.timeline import Kind
from incidents.domain.incident.commands import Acknowledge
from incidents.domain.people.config import DirectoryEntry
from incidents.domain.people.directory import PeopleDirectory
from incidents.gateway.app import Gateway
from incidents.gateway.slack.messages import PUSHPIN, START_INCIDENT, TO_TIMELINE, plain
from sandbox.server import RunningSandbox
from tests.gateway.calls import SIGNING, opened
from tests.gateway.slack.test_slack import connected, found
from tests.support.environment import World
from tests.support.slack_person import Person, by_http, by_socket

CHANNEL = "incident-1"


@pytest.fixture(params=["socket mode", "http"])
async def person(
    request: pytest.FixtureRequest,
    live_world: World,
    http: httpx.AsyncClient,
    sandbox: RunningSandbox,
    unhurried: None,
) -> AsyncIterator[Person]:
    """A person in an incident's channel."""
    settings: Settings = request.getfixturevalue("settings")
    sandbox.reset()
    app = Gateway(live_world.env.client, settings, live_world.runbook).app()
    async with app.router.lifespan_context(app):
        await connected(sandbox)
        send = by_socket(sandbox) if request.param == "socket mode" else by_http(http, SIGNING)
        _post(sandbox, "conversations.create", name=CHANNEL)
        await opened(live_world, http)
        await found(live_world, 1)
        yield Person(sandbox, send, "oncall")


def _post(sandbox: RunningSandbox, method: str, **arguments: str) -> Any:
    env = sandbox.environment()
    headers = {"Authorization": f"Bearer {env['SLACK_BOT_TOKEN']}"}
    return httpx.post(f"{env['SLACK_API_URL']}{method}", data=arguments, headers=headers, trust_env=False).json()


def said(sandbox: RunningSandbox, text: str) -> dict[str, Any]:
    """What a person wrote in the incident's channel."""
    sandbox.say(CHANNEL, "oncall@featuresignals.com", text)
    [channel] = [row for row in sandbox.state()["slack"]["channels"] if row["name"] == CHANNEL]
    message: dict[str, Any] = channel["messages"][-1]
    return message


async def notes(world: World) -> list[tuple[str, str]]:
    return [(entry.actor, entry.text) for entry in (await world.incident()).timeline if entry.kind is Kind.NOTE]


async def test_a_message_goes_to_the_timeline_once(live_world: World, person: Person, sandbox: RunningSandbox) -> None:
    message = said(sandbox, "Evaluations answer &lt;502&gt;, see <https://x.example/1|the graph>")
    expected = "Evaluations answer <502>, see the graph (https://x.example/1)"
    assert "Evaluations answer &lt;502&gt;" in await person.points_at(TO_TIMELINE, CHANNEL, message)
    await person.reacts("eyes", CHANNEL, message["ts"])
    await person.reacts(PUSHPIN, CHANNEL, message["ts"])
    other = said(sandbox, "It is the cache.")
    await person.reacts(PUSHPIN, CHANNEL, other["ts"])
    for _ in range(500):
        if len(await notes(live_world)) == 2:
            break
        await asyncio.sleep(0.05)
    first, second = await notes(live_world)
    assert (first[0], second[0]) == ("oncall", "oncall")
    assert first[1].startswith("oncall (")
    assert first[1].endswith(f" UTC): {expected}")
    assert second[1].endswith("It is the cache.")


async def test_elsewhere_a_message_is_no_incidents(person: Person) -> None:
    message = {"ts": "1700000000.000100", "text": "hello", "user": person.id}
    assert "Only messages in an incident's channel" in await person.points_at(TO_TIMELINE, "general", message)


async def test_an_incident_is_started_from_a_message(person: Person) -> None:
    message = {"ts": "1700000000.000100", "text": "The <#C1|dashboard> is *slow*", "user": person.id}
    modal = await person.points_at_and_opens(START_INCIDENT, "general", message)
    [title] = [block for block in modal["blocks"] if block.get("block_id") == "title"]
    assert title["element"]["initial_value"] == "The #dashboard is *slow*"


async def test_the_home_tab_shows_what_waits_for_whom(live_world: World, person: Person) -> None:
    shown = await person.opens_home("INC-1")
    assert "Acknowledge it" in shown
    assert "*INC-1 · P0 · investigating · Evaluations fail*" in shown
    await live_world.tell(Acknowledge(by="oncall"))
    shown = await person.opens_home("Write status update 2, due ")
    assert "Acknowledge it" not in shown
    other = Person(person._sandbox, person._send, "oncall2")
    assert "Write status update" not in await other.opens_home("Nothing."), "it is the commander's"


def test_a_message_reads_as_people_read_it() -> None:
    people = PeopleDirectory({"bob": DirectoryEntry(slack="U0BOB")})
    text = "<@U0BOB> and <@U0EVE|eve>: &lt;x&gt; &amp; <!here> <#C1|general> <https://a.example>"
    assert plain(text, people) == "@bob and @eve: <x> & @here #general https://a.example"

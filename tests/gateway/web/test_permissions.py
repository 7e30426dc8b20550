"""110: what a person may not do is refused on the pages and by the link of a page, and recorded when it is sent."""

from collections.abc import AsyncIterator

import httpx
import pytest

from incidents.app.settings import Settings
from incidents.domain.config.communication import People
from incidents.domain.people.config import DirectoryEntry
from tests.gateway.web.browsing import browsing, words
from tests.gateway.web.test_acknowledge import PHONE, URL, path_of, public
from tests.gateway.web.test_commands import confirm, fields
from tests.support.environment import World

__all__ = ["public"]
PEOPLE = People(
    directory={"ann": DirectoryEntry(), "bob": DirectoryEntry()},
    groups={"sre": ("ann",)},
    permissions={"ack": ("sre",), "note": ("sre",)},
)
OFFERED = 'href="/incidents/1/do/note"'
WHY = "is not authorized to {}. Authorized: sre (ann)."


@pytest.fixture
def restricted(live_world: World, patient: None) -> World:
    live_world.runbook = live_world.runbook.replace(people=PEOPLE)
    return live_world


@pytest.fixture
async def desk(
    restricted: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    async with browsing(restricted, settings) as client:
        monkeypatch.setattr("getpass.getuser", lambda: "ann")
        yield client


async def refusals(world: World) -> list[tuple[str, str]]:
    await world.settled()
    return [(entry.actor, entry.text) for entry in (await world.incident()).timeline if entry.kind == "refused"]


async def test_110_on_a_page(restricted: World, desk: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    await restricted.open()
    confirmation = await confirm(desk, "note", text="the cache is empty")
    assert confirmation.status_code == 200
    assert OFFERED in (await desk.get("/incidents/1")).text
    monkeypatch.setattr("getpass.getuser", lambda: "bob")
    assert OFFERED not in (await desk.get("/incidents/1")).text
    asked = await confirm(desk, "note", text="the cache is empty")
    assert asked.status_code == 400
    assert f"bob {WHY.format('note')}" in words(asked)
    assert await refusals(restricted) == [], "nothing was sent"
    sent = await desk.post("/incidents/1/do/note", data=fields(confirmation) | {"step": "send"})
    assert sent.status_code == 400
    assert f"bob {WHY.format('note')} Nothing was changed." in words(sent)
    assert await refusals(restricted) == [("bob", f"note refused: bob {WHY.format('note')}")]


async def test_110_by_the_link_of_a_page(restricted: World, public: Settings) -> None:
    await restricted.open()
    async with browsing(restricted, public, base_url=URL, peer=PHONE) as phone:
        answer = await phone.post(path_of(restricted))
    assert answer.status_code == 409
    assert WHY.format("ack") in words(answer)
    assert not (await restricted.incident()).paging.attended

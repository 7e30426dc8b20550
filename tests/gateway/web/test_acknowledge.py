"""One tap on a page: its link opens a confirmation, for that page alone and as long as it lives."""

from datetime import timedelta

import httpx
import pytest

from incidents.app.settings import Settings, load_settings
from incidents.client.paging.acknowledge_links import AcknowledgeLinks, PageRef
from incidents.domain.incident.commands import Acknowledge, MakePrivate, Resolve
from tests.gateway.web.browsing import browsing, words
from tests.support.environment import World

SECRET = "one secret of worker and gateway"
URL = "https://incidents.example.com"
LINKS = AcknowledgeLinks(URL, SECRET)
PHONE = "203.0.113.7"


@pytest.fixture
def public(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a gateway that phones reach."""
    monkeypatch.setenv("GATEWAY_URL", URL)
    monkeypatch.setenv("GATEWAY_SECRET", SECRET)
    return load_settings()


def path_of(world: World, *, key: str = "", run_id: str = "") -> str:
    """The path of the link in the incident's page."""
    workflow_id, run = world.handle.id, run_id or world.handle.first_execution_run_id or ""
    ref = PageRef(key=f"{workflow_id}{key}", run_id=run, to="on_call")
    return LINKS.link(ref).removeprefix(URL)


async def test_one_tap_opens_a_confirmation_and_a_second_one_acknowledges(live_world: World, public: Settings) -> None:
    await live_world.open()
    path = path_of(live_world)
    async with browsing(live_world, public, base_url=URL, peer=PHONE) as phone:
        asked = await phone.get(path)
        assert asked.status_code == 200
        assert "Acknowledge? INC-1 · P0" in words(asked)
        assert "You act as On-call engineer" in words(asked)
        assert not (await live_world.incident()).paging.attended, "to open it changes nothing"
        answer = await phone.post(path)
        assert "Acknowledged by On-call engineer" in words(answer)
        assert (await live_world.incident()).acknowledged_by == "On-call engineer"
        for again in (await phone.get(path), await phone.post(path)):
            assert again.status_code == 410
            assert "This page is over" in words(again)
        assert (await phone.get("/incidents/1")).status_code == 403, "the link opens nothing else"


async def test_a_link_acknowledges_no_other_page(live_world: World, public: Settings) -> None:
    await live_world.open()
    async with browsing(live_world, public, base_url=URL, peer=PHONE) as phone:
        for key in ("/1", "/escalate/P0/1/cto/page"):
            assert (await phone.post(path_of(live_world, key=key))).status_code == 410
        assert not (await live_world.incident()).paging.attended


async def test_a_link_never_acknowledges_a_later_incident_of_the_same_cause(
    live_world: World, public: Settings
) -> None:
    await live_world.open("info")
    old = path_of(live_world)
    await live_world.handle.terminate()
    await live_world.open()
    async with browsing(live_world, public, base_url=URL, peer=PHONE) as phone:
        assert (await phone.post(old)).status_code in (409, 410)
        assert not (await live_world.incident()).paging.attended


async def test_an_invalid_link_tells_nothing(live_world: World, public: Settings) -> None:
    await live_world.open()
    async with browsing(live_world, public, base_url=URL, peer=PHONE) as phone:
        for token in ("x", "a.b.c", "%00", "." * 300):
            for answer in (await phone.get(f"/acknowledge/{token}"), await phone.post(f"/acknowledge/{token}")):
                assert answer.status_code == 404, token
                assert "INC-1" not in answer.text


async def test_without_a_secret_there_are_no_links(live_world: World, settings: Settings) -> None:
    await live_world.open()
    async with browsing(live_world, settings) as http:
        assert (await http.post(path_of(live_world))).status_code == 404


async def test_another_site_cannot_send_the_form(live_world: World, public: Settings) -> None:
    await live_world.open()
    async with browsing(live_world, public, base_url=URL, peer=PHONE) as phone:
        forged = await phone.post(path_of(live_world), headers={"origin": "https://evil.example.com"})
        assert forged.status_code == 403
        assert not (await live_world.incident()).paging.attended


async def test_24_the_link_of_a_private_incident_shows_its_number_only(live_world: World, public: Settings) -> None:
    await live_world.open()
    await live_world.tell(MakePrivate(by="ann", reason="security"))
    incident = await live_world.incident()
    key = f"/{incident.paging.repage_count}" if incident.paging.repage_count else ""
    async with browsing(live_world, public, base_url=URL, peer=PHONE) as phone:
        page = await phone.get(path_of(live_world, key=key))
        assert "INC-1" in words(page)
        assert "EvaluationErrors" not in page.text
        assert "You act as the person who was paged" in words(page)
        answer = await phone.post(path_of(live_world, key=key))
        assert "Acknowledged" in words(answer)
        for shown in (page, answer, await phone.get(path_of(live_world, key=key))):
            assert "On-call engineer" not in shown.text
            assert "ann" not in words(shown).split()
        assert (await live_world.incident()).acknowledged_by == "On-call engineer"


async def test_a_resolved_incident_has_no_page_to_acknowledge(live_world: World, public: Settings) -> None:
    await live_world.open()
    await live_world.tell(Acknowledge(by="ann"))
    await live_world.tell(Resolve(by="ann", text="It is over.", force=True, reason="quiet"))
    async with browsing(live_world, public, base_url=URL, peer=PHONE) as phone:
        assert (await phone.get(path_of(live_world))).status_code == 410


async def test_an_acknowledgement_is_queued_while_no_worker_runs(
    empty_world: World, public: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incidents.gateway.web.acknowledge_page._ANSWER_WITHIN", timedelta(seconds=1))
    async with browsing(empty_world, public, base_url=URL, peer=PHONE) as phone:
        async with empty_world.worker():
            await empty_world.open()
            path = path_of(empty_world)
            await phone.get(path)
        answer: httpx.Response = await phone.post(path)
        assert "The command is queued" in words(answer)
    async with empty_world.worker():
        await empty_world.settled()
        assert (await empty_world.incident()).paging.attended

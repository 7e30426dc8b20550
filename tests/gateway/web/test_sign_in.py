"""Who may read the pages: signed in at a provider, named by a trusted proxy, or on this machine."""

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from incidents.app.settings import Settings, load_settings
from incidents.domain.incident.commands import Acknowledge, MakePrivate
from incidents.domain.people.config import DirectoryEntry
from sandbox.temporal_server import free_port
from tests.gateway.web.browsing import browsing, words
from tests.gateway.web.test_acknowledge import path_of
from tests.gateway.web.test_commands import give
from tests.support.environment import World
from tests.support.servers.asgi import serving
from tests.support.servers.oidc_provider import OidcProvider

URL, PHONE = "https://incidents.example.com", "203.0.113.7"
ON_CALL = "oncall@featuresignals.com"
DIRECTORY = {"ann": DirectoryEntry(email="ann@example.com"), "carla": DirectoryEntry(email=ON_CALL)}


@pytest.fixture
async def provider(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OidcProvider]:
    """A provider that listens."""
    port = free_port()
    provider = OidcProvider(f"http://127.0.0.1:{port}", "gateway", "the client's secret")
    async with serving(provider.app(), port):
        yield provider


@pytest.fixture
def signing(settings: Settings, monkeypatch: pytest.MonkeyPatch, provider: OidcProvider) -> Settings:
    """The settings of a gateway that signs people in there."""
    given = {"OIDC_ISSUER": provider.issuer, "OIDC_CLIENT_ID": "gateway", "GATEWAY_URL": URL}
    given |= {"OIDC_CLIENT_SECRET": provider.client_secret, "GATEWAY_SECRET": "one secret of worker and gateway"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return load_settings()


@pytest.fixture
async def phone(live_world: World, signing: Settings, patient: None) -> AsyncIterator[httpx.AsyncClient]:
    people = live_world.runbook.people.replace(directory=DIRECTORY)
    live_world.runbook = live_world.runbook.replace(people=people)
    async with browsing(live_world, signing, base_url=URL, peer=PHONE) as client:
        yield client


async def signed_in(phone: httpx.AsyncClient, path: str = "/") -> httpx.Response:
    """Open a page, follow the way to the provider and back, and return what the gateway answers to the callback."""
    asked = await phone.get(path)
    assert asked.status_code == 303
    away = await phone.get(asked.headers["location"])
    assert away.status_code == 302, words(away)
    async with httpx.AsyncClient() as elsewhere:
        back = await elsewhere.get(away.headers["location"])
    assert back.status_code == 302, back.text
    return await phone.get(back.headers["location"].removeprefix(URL))


async def test_a_reader_signs_in_and_acts_by_their_name(
    live_world: World, phone: httpx.AsyncClient, provider: OidcProvider
) -> None:
    await live_world.open()
    back = await signed_in(phone, "/incidents/1?show=people")
    assert (back.status_code, back.headers["location"]) == (303, "/incidents/1?show=people")
    assert "ann" in words(await phone.get("/incidents/1"))
    await give(phone, "note", text="the cache is empty")
    [note] = [entry for entry in (await live_world.incident()).timeline if entry.text == "the cache is empty"]
    assert note.actor == "ann"


async def test_a_reader_signs_out(live_world: World, phone: httpx.AsyncClient) -> None:
    await signed_in(phone)
    page = await phone.get("/")
    token = page.text.partition('name="form_token" value="')[2].partition('"')[0]
    assert (await phone.post("/sign-out", data={})).status_code == 403, "another site cannot sign a reader out"
    assert "signed out" in words(await phone.post("/sign-out", data={"form_token": token}))
    assert (await phone.get("/")).status_code == 303


FAULTS: tuple[dict[str, Any], ...] = (
    {"token_changes": {"aud": "another client"}},
    {"token_changes": {"iss": "https://evil.example.com"}},
    {"token_changes": {"nonce": "another"}},
    {"token_changes": {"exp": 1}},
    {"foreign_key": True},
    {"reader": {"email": "ann@example.com", "email_verified": False}},
    {"reader": {"preferred_username": "ann"}},
    {"client_secret": "changed"},
)


async def test_who_is_not_proven_is_not_signed_in(
    live_world: World, phone: httpx.AsyncClient, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for faults in FAULTS:
        with monkeypatch.context() as patch:
            for name, value in faults.items():
                patch.setattr(provider, name, value)
            refused = await signed_in(phone)
            assert refused.status_code == 403, (faults, words(refused))
            assert (await phone.get("/")).status_code == 303, f"{faults}: still nobody"
    assert (await signed_in(phone)).status_code == 303, "without a fault it is a sign-in"


async def test_an_answer_to_another_sign_in_is_refused(live_world: World, phone: httpx.AsyncClient) -> None:
    assert (await phone.get("/sign-in/callback?code=x&state=y")).status_code == 403
    assert (await phone.get("/sign-in/callback?error=access_denied")).status_code == 403
    await phone.get("/sign-in")
    assert (await phone.get("/sign-in/callback?code=x&state=y")).status_code == 403


async def test_sign_ins_that_are_not_finished_fill_no_cookie(live_world: World, phone: httpx.AsyncClient) -> None:
    for _ in range(20):
        await phone.get("/sign-in")
    assert len(phone.cookies["incidents_session"]) < 3000, "browsers keep 4,096 bytes"
    assert (await signed_in(phone)).status_code == 303


async def test_the_metadata_must_be_the_issuers_own(
    live_world: World, phone: httpx.AsyncClient, provider: OidcProvider
) -> None:
    provider.announced_issuer = "https://evil.example.com"
    assert (await phone.get("/sign-in")).status_code == 403


async def test_a_sign_in_returns_to_no_other_host(live_world: World, phone: httpx.AsyncClient) -> None:
    for wanted in ("https://evil.example.com", "//evil.example.com", "/\\evil.example.com", "/\t/evil.example.com", ""):
        away = await phone.get("/sign-in", params={"next": wanted})
        async with httpx.AsyncClient() as elsewhere:
            back = await elsewhere.get(away.headers["location"])
        answer = await phone.get(back.headers["location"].removeprefix(URL))
        assert answer.headers["location"] == "/", wanted


async def test_without_a_session_nothing_is_shown_or_sent(live_world: World, phone: httpx.AsyncClient) -> None:
    await live_world.open()
    for path in ("/", "/incidents/1", "/postmortems", "/report", "/incidents/1/do/acknowledge"):
        answer = await phone.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")
    sent = await phone.post("/incidents/1/do/acknowledge", data={"step": "send"})
    assert sent.status_code == 403
    assert "Nothing was sent." in words(sent)
    phone.cookies.set("incidents_session", "eyJuYW1lIjoiYW5uIn0=.x.y")
    assert (await phone.get("/")).status_code == 303, "a cookie that was not signed here is none"


async def test_a_session_ends_twelve_hours_after_the_sign_in_however_it_is_used(
    live_world: World, phone: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await signed_in(phone)
    began, passed = time.time(), [0.0]
    monkeypatch.setattr("incidents.gateway.web.sessions.time.time", lambda: began + passed[0] * 3600)
    for passed[0], status in ((3, 200), (6, 200), (9, 200), (11.9, 200), (12.1, 303)):
        assert (await phone.get("/")).status_code == status
    stream = await phone.get("/events", headers={"accept": "text/event-stream"})
    assert stream.status_code == 403, "a page that is open says so, where a redirection would be a lost connection"


async def test_24_a_private_incident_is_for_its_people(
    live_world: World, phone: httpx.AsyncClient, provider: OidcProvider
) -> None:
    await live_world.open()
    await live_world.tell(Acknowledge(by="carl"))
    await live_world.tell(MakePrivate(by="carl", reason="security"))
    await signed_in(phone)
    for path in ("/incidents/1", "/incidents/1/do/note"):
        hidden = await phone.get(path)
        assert hidden.status_code == 403
        assert "EvaluationErrors" not in hidden.text
    phone.cookies.clear()
    provider.reader = {"email": ON_CALL}
    await signed_in(phone)
    assert "EvaluationErrors" in (await phone.get("/incidents/1")).text


async def test_who_signed_in_acknowledges_a_page_by_their_name(live_world: World, phone: httpx.AsyncClient) -> None:
    await live_world.open()
    await signed_in(phone)
    assert "You act as ann" in words(await phone.get(path_of(live_world)))
    await phone.post(path_of(live_world))
    assert (await live_world.incident()).acknowledged_by == "ann"

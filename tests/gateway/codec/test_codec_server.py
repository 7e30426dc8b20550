"""The codec server: payloads of a real history in clear text, for those who may read them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from incidents.app.api_tokens import ApiTokens, Scope
from incidents.app.encryption.codec import EncryptionCodec, is_encrypted, workflow_id_of
from incidents.app.encryption.converter import encrypting
from incidents.app.encryption.key_ring import new_key, parse_key_ring
from incidents.app.encryption.payloads import payloads_in
from incidents.app.liveness.query_safety import QuerySafety
from incidents.app.settings import Settings, load_settings
from incidents.domain.incident.commands import Cancel, MakePrivate
from incidents.domain.people.config import DirectoryEntry
from incidents.gateway.app import Gateway
from tests.gateway.conftest import sandbox, settings
from tests.support.environment import World
from tests.support.fake_activities import FakeActivities
from tests.support.servers.asgi import serving
from tests.support.servers.dev_server import DevServer

__all__ = ["sandbox", "settings"]

KEYS = new_key("2026-11")
UI = "https://temporal.example.com"
TITLE = "EvaluationErrors is high"
PROXY = "192.0.2.1"
DIRECTORY = {
    "ann": DirectoryEntry(email="ann@example.com"),
    "carla": DirectoryEntry(email="oncall@featuresignals.com"),
    "olga": DirectoryEntry(email="em@featuresignals.com"),
}

Ask = Callable[..., Any]


@pytest.fixture
async def world(dev_server: DevServer) -> AsyncIterator[World]:
    """An incident on the development server, whose payloads are encrypted."""
    client = await dev_server.client(encrypting(pydantic_data_converter, parse_key_ring(KEYS)))
    world = World(WorkflowEnvironment.from_client(client), FakeActivities(), safety=QuerySafety.EVICT, sandboxed=False)
    people = world.runbook.people.replace(directory=DIRECTORY, operators=("engineering_manager",))
    world.runbook = world.runbook.replace(people=people)
    async with world.worker():
        await world.open()
        yield world


@pytest.fixture
def served(world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TEMPORAL_NAMESPACE", world.env.client.namespace)
    for name, value in {"PAYLOAD_KEYS": KEYS, "TEMPORAL_UI_URL": f"{UI}/", "TRUSTED_PROXIES": PROXY}.items():
        monkeypatch.setenv(name, value)
    return load_settings()


@pytest.fixture
async def ask(world: World, served: Settings) -> AsyncIterator[Ask]:
    """Ask as a person whom the proxy names, or with other headers."""
    transport = httpx.ASGITransport(Gateway(world.env.client, served, world.runbook).app(), client=(PROXY, 5000))

    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:

        async def asked(payloads: list[Payload], person: str = "ann@example.com", **headers: str) -> httpx.Response:
            given = {"x-forwarded-email": person} if person else {}
            given |= {name.replace("_", "-"): value for name, value in headers.items()}
            given = {"origin": UI, "x-namespace": world.env.client.namespace} | given
            body = MessageToDict(Payloads(payloads=payloads))
            return await http.post("/codec/decode", json=body, headers=given)

        yield asked


async def recorded(world: World) -> list[Payload]:
    """The encrypted payloads of the incident's history."""
    history = await world.handle.fetch_history()
    return [payload for event in history.events for payload in payloads_in(event) if is_encrypted(payload)]


def text_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return "\n".join(str(payload.data, "utf-8") for payload in payloads(answer) if not is_encrypted(payload))


def payloads(answer: httpx.Response) -> list[Payload]:
    return list(ParseDict(answer.json(), Payloads()).payloads)


def token(settings: Settings, *scopes: Scope) -> str:
    _, text = ApiTokens(settings.api_tokens).create("a machine", scopes, datetime.now(UTC))
    return f"Bearer {text}"


async def test_who_is_signed_in_reads_an_incident_and_the_log_has_it_once(
    world: World, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    stored = await recorded(world)
    assert len(stored) > 10
    assert not any(TITLE.encode() in payload.SerializeToString() for payload in stored)
    answer = await ask(stored)
    assert TITLE in text_of(answer)
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["cache-control"] == "no-store"
    await ask(stored)
    [line] = [record.getMessage() for record in caplog.records if "decoded" in record.getMessage()]
    assert line.startswith(f"ann decoded payloads of {world.handle.id}")
    assert TITLE not in caplog.text


async def test_every_payload_of_an_incident_names_its_workflow(world: World, ask: Ask) -> None:
    """Those, too, that its workflow writes and not a client: nobody else could say who may read them."""
    stored = await recorded(world)
    assert {workflow_id_of(payload) for payload in stored} == {world.handle.id}
    shown = payloads(await ask(stored))
    assert len(shown) > 20, "inputs of activities are among them"
    assert not any(is_encrypted(payload) for payload in shown)


async def test_payloads_of_what_is_no_incident_are_for_the_operators(world: World, ask: Ask) -> None:
    stored = await EncryptionCodec(parse_key_ring(KEYS), "rollback-eu-001-flag-evaluation").encode([Payload(data=b"x")])
    assert (await ask(stored)).status_code == 403
    assert text_of(await ask(stored, "em@featuresignals.com")) == "x"
    mixed = await ask([stored[0], (await recorded(world))[0]])
    assert [is_encrypted(payload) for payload in payloads(mixed)] == [True, False], "the rest of a page is readable"


async def test_a_private_incident_is_decoded_for_those_who_may_see_it(
    world: World, ask: Ask, served: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    await world.tell(MakePrivate(by="ann", reason="an intrusion"))
    stored = await recorded(world)
    own = [payload for payload in stored if workflow_id_of(payload) == world.handle.id]
    for stranger in ("eve@example.com", "olga@example.com"):
        assert (await ask(own, stranger)).status_code == 403
    assert f"was refused payloads of {world.handle.id}" in caplog.text
    assert TITLE in text_of(await ask(own, "oncall@featuresignals.com")), "she is on call"
    assert (await ask(own, "", authorization=token(served, Scope.DECODE))).status_code == 403
    assert TITLE in text_of(await ask(own, "", authorization=token(served, Scope.DECODE, Scope.PRIVATE)))


async def test_an_earlier_private_incident_of_the_same_id_stays_private(world: World, ask: Ask) -> None:
    await world.tell(MakePrivate(by="ann", reason="an intrusion"))
    own = [payload for payload in await recorded(world) if workflow_id_of(payload) == world.handle.id]
    await world.tell(Cancel(by="ann", reason="a false alarm"))
    await world.ended()
    await world.open()
    assert not (await world.incident()).private
    for _ in range(50):  # visibility lags
        answer = await ask(own, "eve@example.com")
        if answer.status_code == 403:
            break
        await asyncio.sleep(0.1)
    assert answer.status_code == 403


async def test_a_later_reader_of_a_silent_incident_must_be_an_operator(
    world: World, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody answers whether it is private: that is not taken for a no."""
    monkeypatch.setattr("incidents.gateway.codec.concerned.IncidentReaders.reader_of", lambda *_: Silent())
    stored = await recorded(world)
    assert (await ask(stored)).status_code == 403
    assert TITLE in text_of(await ask(stored, "em@featuresignals.com"))


class Silent:
    incident = None
    warning = "No worker answered."

    async def read(self) -> "Silent":
        return self


@pytest.mark.parametrize(
    ("person", "headers", "status"),
    [
        ("", {}, 403),
        ("", {"authorization": "Bearer incident_0_0"}, 401),
        ("ann@example.com", {"origin": "https://evil.example"}, 403),
        ("ann@example.com", {"x_namespace": "another"}, 400),
    ],
)
async def test_nobody_else_is_answered(
    world: World, ask: Ask, person: str, headers: dict[str, str], status: int
) -> None:
    answer = await ask(await recorded(world), person, **headers)
    assert answer.status_code == status
    assert TITLE not in answer.text


async def test_a_token_needs_its_scope(world: World, ask: Ask, served: Settings) -> None:
    stored = [payload for payload in await recorded(world) if workflow_id_of(payload) == world.handle.id]
    assert (await ask(stored, "", authorization=token(served, Scope.READ, Scope.PRIVATE))).status_code == 403
    assert TITLE in text_of(await ask(stored, "", authorization=token(served, Scope.DECODE)))


async def test_a_payload_that_cannot_be_decrypted_names_its_key(ask: Ask) -> None:
    other = EncryptionCodec(parse_key_ring(new_key("2020-01")))
    answer = await ask(await other.encode([Payload(data=b"x")]))
    assert answer.status_code == 422
    assert "encrypted with the key 2020-01" in answer.json()["error"]


async def test_the_browser_may_ask_from_the_ui_alone(world: World, served: Settings) -> None:
    transport = httpx.ASGITransport(Gateway(world.env.client, served, world.runbook).app(), client=(PROXY, 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        for origin, status in ((UI, 200), ("https://evil.example", 400)):
            wanted = {"access-control-request-method": "POST", "access-control-request-headers": "x-namespace"}
            answer = await http.options("/codec/decode", headers={"origin": origin} | wanted)
            assert answer.status_code == status
            assert (answer.headers.get("access-control-allow-origin") == origin) is (status == 200)
        assert (await http.post("/codec/decode", content=b"nonsense", headers={"x-forwarded-email": "ann"})).is_error


@pytest.mark.parametrize("unset", ["PAYLOAD_KEYS", "TEMPORAL_UI_URL"])
async def test_it_is_off_without_keys_or_the_origin(
    served: Settings, monkeypatch: pytest.MonkeyPatch, unset: str
) -> None:
    monkeypatch.delenv(unset)
    nobody: Any = object()
    gateway = Gateway(nobody, load_settings(), World(env=nobody, activities=FakeActivities()).runbook)
    assert "off" in gateway.describe_codec()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway.app()), base_url="http://gateway") as http:
        assert (await http.post("/codec/decode", json={})).status_code == 404


async def test_temporals_command_line_reads_a_history(
    world: World, served: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "uvicorn")
    words = ["workflow", "show", "--workflow-id", world.handle.id, "--output", "json"]
    words += ["--address", world.env.client.service_client.config.target_host]
    words += ["--namespace", world.env.client.namespace]
    stored = await run(*words)
    assert not any(TITLE.encode() in payload.data for payload in stored)
    async with serving(Gateway(world.env.client, served, world.runbook).app()) as server:
        endpoint, secret = f"{server.url}/codec", token(served, Scope.DECODE, Scope.PRIVATE)
        decoded = await run(*words, "--codec-endpoint", endpoint, "--codec-auth", secret)
    assert any(TITLE.encode() in payload.data for payload in decoded)
    assert not any(is_encrypted(payload) for payload in decoded)
    assert len(decoded) == len(stored)


async def run(*words: str) -> list[Payload]:
    """The payloads of a history that the command line prints."""
    process = await asyncio.create_subprocess_exec(
        "temporal", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, fault = await process.communicate()
    assert process.returncode == 0, fault.decode()
    history = WorkflowHistory.from_json("printed", out.decode())
    return [payload for event in history.events for payload in payloads_in(event)]
